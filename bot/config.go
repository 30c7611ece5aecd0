package bot

import (
	"fmt"
	"strings"
	"time"
)

// Template names the kind of business, and with it the script the bot follows.
type Template string

// The templates, named as the database and the JSON API name them.
const (
	Booking   Template = "BOOKING"
	Ecommerce Template = "ECOMMERCE"
	Support   Template = "SUPPORT"
)

// Language is the language the bot answers in. It understands both at all times.
type Language string

// The languages, named as the database and the JSON API name them.
const (
	Swahili Language = "SW"
	English Language = "EN"
)

// ParseTemplate accepts exactly BOOKING, ECOMMERCE or SUPPORT; its error is a
// sentence a person can act on.
func ParseTemplate(s string) (Template, error) {
	switch t := Template(s); t {
	case Booking, Ecommerce, Support:
		return t, nil
	}
	return "", fmt.Errorf("template %q is not known; use BOOKING, ECOMMERCE or SUPPORT", excerpt(s, 40))
}

// ParseLanguage accepts exactly SW or EN; its error is a sentence a person can act on.
func ParseLanguage(s string) (Language, error) {
	switch l := Language(s); l {
	case Swahili, English:
		return l, nil
	}
	return "", fmt.Errorf("language %q is not known; use SW or EN", excerpt(s, 40))
}

// Config is what the bot knows about one business.
type Config struct {
	Template     Template // an unknown one is treated as SUPPORT
	Language     Language // an unknown one is treated as SW
	BusinessName string
	Hours        Hours          // zero: hours unknown, the bot never says "closed"
	Location     *time.Location // of the hours; nil: East Africa Time
	Settings     Settings

	// NoGuards answers every message that can be answered, however often it repeats.
	// It is for operators who switched rate limiting off to measure.
	NoGuards bool
}

// defaultLocation is East Africa Time: Tanzania keeps UTC+3 all year.
func (c Config) location() *time.Location {
	if c.Location != nil {
		return c.Location
	}
	return eastAfrica
}

var eastAfrica = time.FixedZone("EAT", 3*60*60)

// business returns the business's name as it may stand in a reply, or "".
func (c Config) business() string {
	return strings.TrimSpace(excerpt(c.BusinessName, maxBusinessRunes))
}

const (
	maxBusinessRunes = 60
	maxOffers        = 12
	maxOfferRunes    = 40
	maxPriceRunes    = 20
	maxGreetingRunes = 300
)
