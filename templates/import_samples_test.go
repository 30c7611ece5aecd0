package templates_test

import (
	"time"

	"flowhq/routes"
)

// importPage is an import whose columns are asked for, or one that was tried, with hard names and long values.
func importPage(now time.Time, asked bool) routes.ImportPage {
	chips := []routes.FilterChip{{Label: "All", Count: 48211, Active: true}, {Label: "Will be new", Status: "CREATED", Count: 48000, Tone: routes.ToneOK},
		{Label: "Will change", Status: "CHANGED", Count: 200, Tone: routes.ToneWaiting}, {Label: "Stays the same", Status: "UNCHANGED", Count: 8, Tone: routes.ToneIdle}, {Label: "Refused", Status: "REFUSED", Count: 3, Tone: routes.ToneFailed}}
	p := routes.ImportPage{Page: page("Import of contacts", "imports"), Import: routes.ImportView{
		URL: "/i", State: routes.State{Code: "CHECKED", Word: "Tried, nothing imported yet", Tone: routes.ToneIdle}, Trying: true, Ready: true, May: true, Progress: "48\u202f211 rows", File: longName + ".csv",
		By: "Asha Mwinyi", Asked: now, Will: "Import 48\u202f200 rows", Refused: "3", List: "contacts", ListURL: "/admin/data/contacts",
		Rows: routes.ImportRows{URL: "/i", Chips: chips, MoreURL: "/i/rows?after=30", Rows: []routes.ImportRowView{
			{Line: 2, Words: []string{longName, "0754 000 001"}, State: routes.State{Word: "Will change", Tone: routes.ToneWaiting}, URL: "/c", Changes: []routes.ImportChangeView{{Label: "Name", From: "Wakala", To: longName}, {Label: "Phone number", To: "+255754000001"}, {Label: "Tenant", From: "Duka"}}},
			{Line: 3, Words: []string{"صالون الياسمين", "0754 000 002"}, State: routes.State{Word: "Will be new", Tone: routes.ToneOK}},
			{Line: 48211, Words: []string{"<script>alert(1)</script>", "12"}, State: routes.State{Word: "Refused", Tone: routes.ToneFailed}, Reasons: []routes.BulkFact{{Label: "Phone number", Text: "This is not a phone number; write it like +255712345678."}, {Text: "Line 48211 has more cells than the first line has names."}}},
		}},
	}}
	if asked {
		p.Mapping = &routes.ImportMappingForm{
			Action: "/i/mapping", CancelURL: "/i", Singular: "contact", Many: "contacts", Mode: "BOTH", Key: "phone_number", Error: "Some fields need another look.", Errors: routes.FieldErrors{"key": "No column of the file is Phone number.", "mode": "Choose at least one column."},
			Columns: []routes.ImportColumnView{{Field: "column_0", Name: longName, First: []string{longName, "صالون الياسمين", "x"}, Target: "name"}, {Field: "column_1", First: nil, Error: "Column 1 is this already.", Target: "name"}},
			Targets: []routes.Choice{{Value: "name", Label: "Name"}, {Value: "phone_number", Label: "Phone number"}}, Keys: []routes.Choice{{Value: "id", Label: "ID"}, {Value: "phone_number", Label: "Phone number"}},
			Modes: []routes.Choice{{Value: "CREATE", Label: "Make a new contact of every row"}, {Value: "UPDATE", Label: "Change those that are there; refuse rows that find none"}, {Value: "BOTH", Label: "Change those that are there, and make new ones of the other rows"}},
			Defaults: []routes.ImportDefault{{Field: "default_name", Column: "name", Label: "Name", Mapped: true}, {Field: "default_tenant_id", Column: "tenant_id", Label: "Tenant", Hint: "A tenant: name or id", Required: true, Error: "A new contact needs this. Choose a column for it, or give a value for all."},
				{Field: "default_language", Column: "language", Label: "Language", Choices: routes.LanguageChoices(), Value: "SW"}},
		}
	}
	return p
}
