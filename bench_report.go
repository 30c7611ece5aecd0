package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// How a row compares Flow HQ with the echo loop.
const (
	compareNone       = ""           // there is nothing to compare with; a target is for Flow HQ alone
	compareDifference = "difference" // in the row's unit
	compareRatio      = "ratio"
)

// benchRow is one line of the table.
type benchRow struct {
	Name    string   `json:"name"`
	Unit    string   `json:"unit"`
	Echo    *float64 `json:"echo"` // null: measured for Flow HQ only
	FlowHQ  float64  `json:"flowhq"`
	Compare string   `json:"compare,omitempty"`
	Target  float64  `json:"target,omitempty"`   // a bound of what is compared; 0: none
	AtLeast bool     `json:"at_least,omitempty"` // the bound is a lower one
}

// target is a bound of what is compared.
type target struct {
	bound float64 // 0: none
	least bool    // a lower one
}

var noTarget target

func atMost(bound float64) target  { return target{bound, false} }
func atLeast(bound float64) target { return target{bound, true} }

// value is what the target is about: the difference, the ratio, or Flow HQ's own figure.
func (r benchRow) value() float64 {
	switch {
	case r.Echo == nil || r.Compare == compareNone:
		return r.FlowHQ
	case r.Compare == compareDifference:
		return r.FlowHQ - *r.Echo
	case *r.Echo == 0:
		return 0
	}
	return r.FlowHQ / *r.Echo
}

func (r benchRow) met() bool {
	return r.Target == 0 || r.AtLeast && r.value() >= r.Target || !r.AtLeast && r.value() <= r.Target
}

// MarshalJSON adds what the table shows besides the fields.
func (r benchRow) MarshalJSON() ([]byte, error) {
	type fields benchRow
	return json.Marshal(struct {
		fields
		Value float64 `json:"value"`
		Met   bool    `json:"met"`
	}{fields(r), r.value(), r.met()})
}

// cells are the row's columns: name, unit, echo loop, Flow HQ, against the echo loop, target.
func (r benchRow) cells() []string {
	echo, against, target := "", "", ""
	if r.Echo != nil {
		echo = shortNumber(*r.Echo)
	}
	switch r.Compare {
	case compareDifference:
		against = fmt.Sprintf("%+.*f", decimals(r.value()), r.value())
	case compareRatio:
		against = "×" + strconv.FormatFloat(r.value(), 'f', 2, 64)
	}
	if r.Target != 0 {
		sign := map[string]string{compareDifference: "+", compareRatio: "×"}[r.Compare]
		bound := map[bool]string{true: "≥ ", false: "≤ "}[r.AtLeast]
		target = bound + sign + strconv.FormatFloat(r.Target, 'f', -1, 64) + map[bool]string{true: ", met", false: ", MISSED"}[r.met()]
	}
	return []string{r.Name, r.Unit, echo, shortNumber(r.FlowHQ), against, target}
}

func shortNumber(v float64) string { return strconv.FormatFloat(v, 'f', decimals(v), 64) }

func decimals(v float64) int {
	switch {
	case v >= 100 || v <= -100:
		return 0
	case v >= 10 || v <= -10:
		return 1
	}
	return 2
}

// benchReport is the result of a run.
type benchReport struct {
	Machine string     `json:"machine"`
	Took    string     `json:"took"`
	Others  float64    `json:"others"` // % of the machine's CPU time that went elsewhere meanwhile
	Rows    []benchRow `json:"rows"`
	Wrong   []string   `json:"wrong"` // runs in which a message was not answered exactly once
	silent  bool       // no message was sent
}

// write prints the report as JSON, or as a table that Markdown understands too.
func (r benchReport) write(w io.Writer, asJSON bool) error {
	if asJSON {
		if r.Wrong == nil {
			r.Wrong = []string{}
		}
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	elsewhere := fmt.Sprintf("; %.0f %% of the machine's CPU time went elsewhere", r.Others)
	if r.silent {
		elsewhere = "" // not looked at
	}
	fmt.Fprintf(w, "%s. The run took %s%s.\n\n", r.Machine, r.Took, elsewhere)
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	line := func(cells []string) { fmt.Fprintf(table, "| %s\t|\n", strings.Join(cells, "\t| ")) }
	line([]string{"what", "unit", "echo loop", "Flow HQ", "against it", "target"})
	line([]string{"---", "---", "---:", "---:", "---:", "---"})
	for _, row := range r.Rows {
		line(row.cells())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if r.silent {
		return nil
	}
	if len(r.Wrong) == 0 {
		_, err := fmt.Fprintln(w, "\nEvery message was answered exactly once.")
		return err
	}
	fmt.Fprintf(w, "\nNOT every message was answered exactly once:\n- %s\n", strings.Join(r.Wrong, "\n- "))
	return nil
}
