package routes

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"flowhq/queries"
	"flowhq/queries/tables"
)

// Rights are what one of the operator's people may do beside looking: the row of their role in admin_roles, read anew with each request.
type Rights struct{ Workers, Messages, Records, People, System bool }

// adminRole is the role that always has every right.
const adminRole = "admin"

func rightsOf(v queries.GetVisitorRow) Rights {
	return Rights{Workers: v.Workers, Messages: v.Messages, Records: v.Records, People: v.People, System: v.System}
}

// allow tells whether these rights are enough for a route of the admin.
func (r Rights) allow(need role) bool {
	switch need {
	case admin, self:
		return true
	case rightWorkers:
		return r.Workers
	case rightMessages:
		return r.Messages
	case rightRecords:
		return r.Records
	case rightPeople:
		return r.People
	case rightSystem:
		return r.System
	}
	return false
}

// rightWords complete the sentence "Your role may not …".
var rightWords = map[role]string{
	rightWorkers: "start, stop or link numbers", rightMessages: "write to customers", rightRecords: "make, change or delete records",
	rightPeople: "change people, their roles or keys", rightSystem: "change jobs or settings",
}

// may tells whether somebody may do what a right is for; owners and staff have none of these.
func (v *visitor) may(need role) bool { return v.Role == queries.UserRoleADMIN && v.rights.allow(need) }

// lacks is why not, in a sentence; empty for those who may.
func (v *visitor) lacks(need role) string {
	if v.may(need) {
		return ""
	}
	return "Your role, " + v.AdminRole + ", may not " + rightWords[need] + "."
}

// requireRight lets those of the operator's people through whose role may.
func (s *server) requireRight(need role) fiber.Handler {
	return func(c *fiber.Ctx) error {
		need := need
		if need == byTable {
			t, err := s.tableOf(c)
			if err != nil {
				return err
			}
			need = rightFor(t)
		}
		if missing := visitorOf(c).lacks(need); missing != "" {
			return refuse(http.StatusForbidden, missing+" Ask an admin to do it, or for another role.")
		}
		return c.Next()
	}
}

// rightFor is what it takes to make, change and delete a table's records.
func rightFor(t *tables.Table) role {
	switch t.Right {
	case "people":
		return rightPeople
	case "system":
		return rightSystem
	}
	return rightRecords
}
