package tables

import (
	"fmt"
	"slices"
)

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// names are the columns a filter may name.
func (t *Table) names() []string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return names
}

// steps are the relations a filter may follow.
func (t *Table) steps() []string {
	var names []string
	for name := range t.Relations {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// suggest words the nearest of what could have been meant, or nothing where nothing is near.
func suggest(typed string, known []string) string {
	best, least := "", 1+len(typed)/3
	for _, k := range known {
		if d := distance(typed, k); d <= least {
			best, least = k, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %s?", best)
}

// distance counts the letters to change, add or leave out (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
