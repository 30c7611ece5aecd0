package routes

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"flowhq/queries"
	"flowhq/templates/words"
)

const (
	languageCookie = "flowhq_lang"
	languageLife   = 365 * 24 * time.Hour
)

// langOf is the language of the pages a request gets: the person's own, or the one a stranger chose, or Swahili. What a
// browser says it prefers is no choice: phones here are sold in English. It only makes the offer of English louder.
func langOf(c *fiber.Ctx) string {
	if v := visitorOf(c); v != nil {
		return v.Lang
	}
	return words.Choose(c.Cookies(languageCookie))
}

// pageLanguage is the language of a signed-in person's pages: their choice, else what their business's bot speaks. The
// admin's pages are in English.
func pageLanguage(row queries.GetVisitorRow) string {
	switch {
	case row.Role == queries.UserRoleADMIN:
		return words.English
	case row.OwnLanguage != nil:
		return words.Choose(string(*row.OwnLanguage))
	case row.Language != nil:
		return words.Choose(string(*row.Language))
	}
	return words.Swahili
}

// offersEnglish tells whether a stranger's browser prefers English and they have not chosen yet.
func offersEnglish(c *fiber.Ctx) bool {
	if visitorOf(c) != nil || c.Cookies(languageCookie) != "" {
		return false
	}
	preferred := c.Get(fiber.HeaderAcceptLanguage)
	return len(preferred) >= 2 && words.Choose(preferred) == words.English
}

// languageChange keeps a choice: with the account of who is signed in, and in a cookie for the pages before sign-in.
func (s *server) languageChange(c *fiber.Ctx) error {
	lang := words.Choose(c.FormValue("language"))
	s.rememberLanguage(c, lang)
	if v := visitorOf(c); v != nil {
		if err := s.system.SetUserLanguage(c.UserContext(), queries.SetUserLanguageParams{UserID: v.ID, Language: storedLanguage(lang)}); err != nil {
			return err
		}
	}
	back := localPath(c.FormValue("back"))
	if back == "" {
		back = "/"
	}
	return c.Redirect(back, http.StatusSeeOther)
}

func (s *server) rememberLanguage(c *fiber.Ctx, lang string) {
	cookie := &http.Cookie{
		Name: languageCookie, Value: lang, Path: "/", MaxAge: int(languageLife.Seconds()), Secure: s.SecureCookies,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	c.Append(fiber.HeaderSetCookie, cookie.String())
}

// storedLanguage is a page's language as the database has it.
func storedLanguage(lang string) queries.Language {
	if lang == words.English {
		return queries.LanguageEN
	}
	return queries.LanguageSW
}

// here is where a page is found again: the address itself, or for what a form was posted to, the page of that form.
func here(c *fiber.Ctx) string {
	if c.Method() == http.MethodGet {
		return localPath(c.OriginalURL())
	}
	return localPath(c.Path())
}
