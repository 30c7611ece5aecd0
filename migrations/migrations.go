// Package migrations holds the numbered SQL that builds Flow HQ's own tables. River and whatsmeow bring theirs.
package migrations

import "embed"

// FS holds the goose migrations, in order of their numbers.
//
//go:embed *.sql
var FS embed.FS
