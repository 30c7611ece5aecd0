// Package queries is Flow HQ's SQL: every statement stands in a .sql file with a sentence above it, and sqlc writes the Go
// beside it (make generate). Queries of a tenant take its id first.
package queries
