package routes

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"flowhq/jobs"
	"flowhq/queries/spreadsheet"
	"flowhq/queries/tables"
)

// importTable is the table of a path into which a file can be imported.
func (s *server) importTable(c *fiber.Ctx) (*tables.Table, error) {
	t, err := s.tableOf(c)
	if err != nil {
		return nil, err
	}
	if create, change := jobs.Importable(t); !create && !change {
		return nil, notFound("An import for this")
	}
	return t, nil
}

// importUploadPage asks for a file.
func (s *server) importUploadPage(c *fiber.Ctx) error {
	t, err := s.importTable(c)
	if err != nil {
		return err
	}
	return s.showUpload(c, t, http.StatusOK, newID().String(), "")
}

func (s *server) showUpload(c *fiber.Ctx, t *tables.Table, status int, id, problem string) error {
	page := ImportUploadPage{
		Page: s.page(c, "Import "+lowerPlural(t), t.Name), ID: id, Base: dataBase(t), Singular: t.Singular, Many: lowerPlural(t),
		MostMB: jobs.ImportLimits.Bytes >> 20, MostMax: jobs.ImportLimits.Bytes, MostRows: grouped(int64(jobs.ImportLimits.Rows)), Error: problem,
	}
	page.Create, page.Change = jobs.Importable(t)
	for _, col := range jobs.ImportColumns(s.registry, t) {
		page.Columns = append(page.Columns, Choice{Value: col.Name, Label: col.Label})
	}
	return s.render(c, status, "admin/import_upload", page)
}

// importUpload takes a file in. Nothing is changed yet.
func (s *server) importUpload(c *fiber.Ctx) error {
	t, err := s.importTable(c)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(c.FormValue("import"))
	if err != nil {
		id = newID()
	}
	header, err := c.FormFile("file")
	if err != nil || header.Size == 0 {
		return s.showUpload(c, t, http.StatusUnprocessableEntity, id.String(), "Choose a file that is not empty.")
	}
	file, err := readUpload(header, jobs.ImportLimits.Bytes)
	if err != nil {
		return err
	}
	err = s.Commands.ReadImport(c.UserContext(), jobs.ImportAsk{ID: id, Table: t, FileName: fileName(header.Filename), File: file}, visitorOf(c).actor())
	if refusal, ok := formRefusal(err); ok {
		status := http.StatusUnprocessableEntity
		if wrong, is := errors.AsType[*spreadsheet.Error](err); is && wrong.Fault == spreadsheet.TooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		return s.showUpload(c, t, status, id.String(), refusal.Message)
	}
	if err != nil {
		return err
	}
	return s.redirect(c, importURL(id))
}

// readUpload reads a file somebody sent, one byte more than the most at the utmost, so that its reader sees that it is too large.
func readUpload(header *multipart.FileHeader, most int) ([]byte, error) {
	file, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, int64(most)+1))
}

// fileName is what a browser says a file is called, as it can be shown and stored.
func fileName(name string) string {
	name = filepath.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
	if r := []rune(name); len(r) > jobs.MaxName {
		name = string(r[:jobs.MaxName])
	}
	return name
}

func importURL(id uuid.UUID) string { return "/admin/imports/" + id.String() }
