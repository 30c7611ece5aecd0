package routes

// ChangeView is what an entry of the audit log says of the record's values (in template "fragments/record").
type ChangeView struct {
	Changed, Same       []ChangedField // of what stayed the same only After is shown
	HadBefore, HasAfter bool           // false: the record was made, or is gone
}

// ChangedField is one value before and after.
type ChangedField struct {
	Label         string
	Before, After CellView
}
