package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// faultJSON is a fault with its times as Go durations in text, such as "1.5s".
type faultJSON struct {
	Kind     string `json:"kind"`
	Phone    string `json:"phone,omitempty"`
	Contact  string `json:"contact,omitempty"`
	Duration string `json:"duration,omitempty"`
	Delay    string `json:"delay,omitempty"`
	Count    int    `json:"count,omitempty"`
	Code     int    `json:"code,omitempty"`
	Silent   bool   `json:"silent,omitempty"`
}

// MarshalJSON writes times as text, such as "1.5s".
func (f Fault) MarshalJSON() ([]byte, error) {
	out := faultJSON{Kind: f.Kind, Phone: f.Phone, Contact: f.Contact, Count: f.Count, Code: f.Code, Silent: f.Silent}
	if f.Duration != 0 {
		out.Duration = f.Duration.String()
	}
	if f.Delay != 0 {
		out.Delay = f.Delay.String()
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads times as text, such as "1.5s"; unknown fields are errors.
func (f *Fault) UnmarshalJSON(raw []byte) error {
	var in faultJSON
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return err
	}
	*f = Fault{Kind: in.Kind, Phone: in.Phone, Contact: in.Contact, Count: in.Count, Code: in.Code, Silent: in.Silent}
	for _, part := range []struct {
		name, text string
		into       *time.Duration
	}{{"duration", in.Duration, &f.Duration}, {"delay", in.Delay, &f.Delay}} {
		if part.text == "" {
			continue
		}
		d, err := time.ParseDuration(part.text)
		if err != nil {
			return fmt.Errorf("%s: %q is not a duration such as 1.5s", part.name, part.text)
		}
		*part.into = d
	}
	return nil
}
