package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rooms of the house and what each may import of the others; docs/architecture.md says why. Tests may import more.
var rooms = map[string][]string{
	".":                     {"assets", "bot", "database", "jobs", "queries", "queries/ledger", "queries/logbook", "queries/settings", "queries/spreadsheet", "queries/tables", "routes", "templates", "whatsapp", "whatsapp/simulator"},
	"assets":                {},
	"bot":                   {},
	"database":              {"migrations"},
	"database/databasetest": {"database"},
	"jobs":                  {"bot", "queries", "queries/settings", "queries/spreadsheet", "queries/tables", "templates/words"}, // mails go out in the language of whoever gets them
	"queries/ledger":        {"queries"},
	"queries/logbook":       {"queries"},
	"queries/settings":      {"queries"},
	"migrations":            {},
	"queries":               {},
	"queries/spreadsheet":   {},
	"queries/tables":        {},
	"routes":                {"assets", "bot", "database", "jobs", "queries", "queries/ledger", "queries/logbook", "queries/settings", "queries/spreadsheet", "queries/tables", "templates", "templates/words"},
	"templates":             {"templates/words"},
	"templates/words":       {},
	"whatsapp":              {"bot", "queries"},
	"whatsapp/simulator":    {},
}

func TestImportsPointOneWay(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "data" || d.Name() == "data-demo" || d.Name() == "data-large") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		room := filepath.ToSlash(filepath.Dir(path))
		allowed, known := rooms[room]
		if !known {
			t.Errorf("%s: the room %q is not in the house; name it in rooms and in docs/architecture.md", path, room)
			return nil
		}
		seen++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			sibling, ours := strings.CutPrefix(imported, "flowhq/")
			if ours && !slices.Contains(allowed, sibling) {
				t.Errorf("%s imports %s, which %q may not", path, sibling, room)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 50 {
		t.Fatalf("only %d files seen: the walk is broken", seen)
	}
}
