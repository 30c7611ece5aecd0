package routes

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"flowhq/queries/settings"
)

// brandURL is the style sheet of a colour; empty for our own, which the others have.
func brandURL(accent string) string {
	if accent == "" {
		return ""
	}
	return "/brand/" + strings.TrimPrefix(accent, "#") + ".css"
}

// brand is the style sheet of the colour in its name: the tokens of assets/css/tokens.css that depend on it.
func (s *server) brand(c *fiber.Ctx) error {
	name, is := strings.CutSuffix(c.Params("file"), ".css")
	palette, err := settings.NewPalette("#" + name)
	if !is || err != nil {
		return notFound("This style sheet")
	}
	var css strings.Builder
	css.WriteString("@layer tokens { :root {")
	tokens := palette.Tokens()
	for _, token := range slices.Sorted(maps.Keys(tokens)) {
		css.WriteString(" " + token + ": " + tokens[token] + ";")
	}
	css.WriteString(" } }\n")
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Status(http.StatusOK).SendString(css.String())
}
