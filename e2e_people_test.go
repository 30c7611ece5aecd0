package main

import (

	"flowhq/routes"
)

// signIn signs the operator in through the form.
func (p *product) signIn(b *tab, s *serving) {
	p.t.Helper()
	if err := routes.UpsertAdmin(p.t.Context(), p.db, testAdmin, testPassword); err != nil {
		p.t.Fatal(err)
	}
	b.signIn(s, testAdmin, testPassword)
	b.has("h1", "Tenants")
}

func (b *tab) signIn(s *serving, email, password string) {
	b.t.Helper()
	b.open(s.url + "/login")
	b.fill("#email", email)
	b.fill("#password", password)
	b.click("main form .btn.primary")
	b.until(`location.pathname !== "/login"`)
}

