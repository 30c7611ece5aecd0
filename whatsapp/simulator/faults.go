package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// Kinds of faults.
const (
	FaultDrop         = "drop"          // close the connections
	FaultRefuse       = "refuse"        // turn new connections away (503) for Duration
	FaultLogout       = "logout"        // unlink the devices, as from the phone
	FaultBan          = "ban"           // temporary ban: failure 402 with Code and the rest of Duration
	FaultLocked       = "locked"        // failure 403
	FaultBanned       = "banned"        // failure 406
	FaultOutdated     = "outdated"      // failure 405
	FaultFailure      = "failure"       // logins fail with Code
	FaultTimelock     = "timelock"      // no first messages to customers who never wrote (463), for Duration; the devices are told until when
	FaultReplace      = "replace"       // another client took the session over
	FaultRestart      = "restart"       // stream error 503, then the close
	FaultStreamError  = "stream_error"  // stream error Code, then the close
	FaultDelayAcks    = "delay_acks"    // acknowledge clients' messages only after Delay
	FaultWithholdAcks = "withhold_acks" // do not acknowledge the next Count messages, or any for Duration
	FaultDuplicate    = "duplicate"     // deliver the next Count messages three times: again, and newly encrypted
	FaultSendError    = "send_error"    // refuse clients' messages with Code
	FaultSlow         = "slow"          // wait Delay before each write to the client
	FaultClear        = "clear"         // end every fault that lasts
)

// Fault asks for trouble. Without a Phone it is for everybody. A fault that lasts ends after Duration, after Count
// messages where that applies, or by FaultClear.
type Fault struct {
	Kind     string        `json:"kind"`
	Phone    string        `json:"phone,omitempty"`   // the business's number
	Contact  string        `json:"contact,omitempty"` // send_error: only messages to this customer
	Duration time.Duration `json:"duration,omitempty"`
	Delay    time.Duration `json:"delay,omitempty"`
	Count    int           `json:"count,omitempty"`
	Code     int           `json:"code,omitempty"`   // ban: reason 101 to 106; failure, stream_error; send_error: 463 by default
	Silent   bool          `json:"silent,omitempty"` // timelock: the devices are told nothing
}

var lastingFaults = []string{FaultRefuse, FaultBan, FaultLocked, FaultBanned, FaultOutdated, FaultFailure, FaultTimelock, FaultDelayAcks, FaultWithholdAcks, FaultDuplicate, FaultSendError, FaultSlow}
var instantFaults = []string{FaultDrop, FaultLogout, FaultReplace, FaultRestart, FaultStreamError, FaultClear}

// activeFault is a fault that lasts.
type activeFault struct {
	Fault
	until   time.Time // zero: until it is cleared
	left    int
	counted bool
}

// faultBook keeps the faults that last.
type faultBook struct {
	mu     sync.Mutex
	active []*activeFault
}

func newFaultBook() *faultBook { return &faultBook{} }

// find returns the latest fault of a kind that is for this phone; the book is locked.
func (b *faultBook) find(kind, phone string, fits func(*activeFault) bool) *activeFault {
	now := time.Now()
	b.active = slices.DeleteFunc(b.active, func(f *activeFault) bool {
		return !f.until.IsZero() && now.After(f.until) || f.counted && f.left <= 0
	})
	for _, f := range slices.Backward(b.active) {
		if f.Kind == kind && (f.Phone == "" || f.Phone == phone) && (fits == nil || fits(f)) {
			return f
		}
	}
	return nil
}

func (b *faultBook) with(kind, phone string, fits func(*activeFault) bool, use func(*activeFault)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.active) == 0 {
		return false
	}
	f := b.find(kind, phone, fits)
	if f == nil {
		return false
	}
	use(f)
	return true
}

func spend(f *activeFault) {
	if f.counted {
		f.left--
	}
}

func (b *faultBook) refusesAll() bool {
	return b.with(FaultRefuse, "", func(f *activeFault) bool { return f.Phone == "" }, func(*activeFault) {})
}

func (b *faultBook) takeDuplicate(phone string) bool {
	return b.with(FaultDuplicate, phone, nil, spend)
}
func (b *faultBook) takeWithhold(phone string) bool {
	return b.with(FaultWithholdAcks, phone, nil, spend)
}

func (b *faultBook) takeSendError(phone, contact string) (code int) {
	b.with(FaultSendError, phone, func(f *activeFault) bool { return f.Contact == "" || f.Contact == contact }, func(f *activeFault) {
		spend(f)
		code = f.Code
	})
	return code
}

func (b *faultBook) ackDelay(phone string) (d time.Duration) {
	b.with(FaultDelayAcks, phone, nil, func(f *activeFault) { d = f.Delay })
	return d
}

func (b *faultBook) slowness(phone string) (d time.Duration) {
	b.with(FaultSlow, phone, nil, func(f *activeFault) { d = f.Delay })
	return d
}

// loginFailure is what a login of this phone fails with, or nil.
func (b *faultBook) loginFailure(phone string, now time.Time) *waBinary.Node {
	var out *waBinary.Node
	fail := func(reason int, attrs waBinary.Attrs) func(*activeFault) {
		return func(*activeFault) { n := failureNode(reason, attrs); out = &n }
	}
	switch {
	case b.with(FaultBan, phone, nil, func(f *activeFault) {
		n := failureNode(402, waBinary.Attrs{"code": strconv.Itoa(f.Code), "expire": strconv.Itoa(int(f.until.Sub(now).Seconds() + 0.5))})
		out = &n
	}):
	case b.with(FaultLocked, phone, nil, fail(403, nil)):
	case b.with(FaultBanned, phone, nil, fail(406, nil)):
	case b.with(FaultOutdated, phone, nil, fail(405, nil)):
	case b.with(FaultFailure, phone, nil, func(f *activeFault) { n := failureNode(f.Code, nil); out = &n }):
	case phone != "" && b.with(FaultRefuse, phone, nil, fail(503, nil)):
	}
	return out
}

// clear ends the faults of a phone, or all, and returns those that lasted until now.
func (b *faultBook) clear(phone string) []Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.find("", "", nil) // forget those that ended by themselves
	var ended []Fault
	b.active = slices.DeleteFunc(b.active, func(f *activeFault) bool {
		of := phone == "" || f.Phone == phone
		if of {
			ended = append(ended, f.Fault)
		}
		return of
	})
	return ended
}

// Faults lists the faults that last at present.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.find("", "", nil)
	out := []Fault{}
	for _, f := range s.faults.active {
		now := f.Fault
		now.Count = f.left
		if !f.until.IsZero() {
			now.Duration = time.Until(f.until).Round(time.Millisecond)
		}
		out = append(out, now)
	}
	return out
}

// Fault sets a fault or does one that happens at once. It fails when the fault is not known or lacks what it needs.
func (s *Server) Fault(f Fault) error {
	if f.Kind == "replaced" {
		f.Kind = FaultReplace
	}
	if !slices.Contains(lastingFaults, f.Kind) && !slices.Contains(instantFaults, f.Kind) {
		return fmt.Errorf("unknown fault %q; known are %s", f.Kind, strings.Join(slices.Concat(lastingFaults, instantFaults), ", "))
	}
	var err error
	for _, number := range []*string{&f.Phone, &f.Contact} {
		if *number != "" {
			if *number, err = cleanNumber(*number); err != nil {
				return err
			}
		}
	}
	switch {
	case f.Duration < 0 || f.Delay < 0 || f.Count < 0 || f.Code < 0:
		return fmt.Errorf("fault %s: durations, counts and codes cannot be negative", f.Kind)
	case (f.Kind == FaultDelayAcks || f.Kind == FaultSlow) && f.Delay == 0:
		return fmt.Errorf("fault %s needs a delay", f.Kind)
	case f.Kind == FaultRefuse && f.Duration == 0:
		return fmt.Errorf("fault %s needs a duration", f.Kind)
	case f.Kind == FaultWithholdAcks && f.Duration == 0 && f.Count == 0:
		return fmt.Errorf("fault %s needs a count or a duration", f.Kind)
	case f.Kind == FaultDuplicate && f.Count == 0:
		f.Count = 1
	case (f.Kind == FaultFailure || f.Kind == FaultStreamError) && f.Code == 0:
		return fmt.Errorf("fault %s needs a code", f.Kind)
	case (f.Kind == FaultBan || f.Kind == FaultTimelock) && f.Duration == 0:
		f.Duration = time.Hour
	case f.Kind == FaultSendError && f.Code == 0:
		f.Code = 463
	}
	if f.Kind == FaultBan && f.Code == 0 {
		f.Code = 101
	}
	if slices.Contains(lastingFaults, f.Kind) {
		kept := &activeFault{Fault: f, left: f.Count, counted: f.Count > 0}
		if f.Duration > 0 {
			kept.until = time.Now().Add(f.Duration)
		}
		s.faults.mu.Lock()
		s.faults.find("", "", nil) // forget those that ended
		s.faults.active = append(s.faults.active, kept)
		s.faults.mu.Unlock()
	}
	s.strike(f)
	s.events.publish(Event{Type: EventFault, Business: f.Phone, State: f.Kind})
	return nil
}

// strike does what a fault means for those who are connected.
func (s *Server) strike(f Fault) {
	switch f.Kind {
	case FaultClear:
		for _, ended := range s.faults.clear(f.Phone) {
			if ended.Kind == FaultTimelock && !ended.Silent {
				s.tellTimelock(ended.Phone, false, time.Time{})
			}
		}
	case FaultTimelock:
		if !f.Silent {
			s.tellTimelock(f.Phone, true, time.Now().Add(f.Duration))
		}
	case FaultDrop, FaultBan, FaultLocked, FaultBanned, FaultOutdated, FaultFailure:
		for _, c := range s.connectionsOf(f.Phone) {
			c.drop()
		}
	case FaultReplace:
		for _, c := range s.connectionsOf(f.Phone) {
			c.end(conflictNode("replaced", ""))
		}
	case FaultRestart:
		for _, c := range s.connectionsOf(f.Phone) {
			c.endAfter(waBinary.Node{Tag: "stream:error", Attrs: waBinary.Attrs{"code": "503"}}, restartLinger)
		}
	case FaultStreamError:
		for _, c := range s.connectionsOf(f.Phone) {
			c.endAfter(waBinary.Node{Tag: "stream:error", Attrs: waBinary.Attrs{"code": strconv.Itoa(f.Code)}}, restartLinger)
		}
	case FaultLogout:
		for _, p := range s.contacts(f.Phone) {
			for _, d := range p.linked() {
				s.removeDevice(d, true)
			}
		}
	}
}

// connectionsOf lists the connections of a phone's devices, or every connection.
func (s *Server) connectionsOf(phone string) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*conn
	for c := range s.conns {
		d := c.device.Load()
		if phone == "" || d != nil && d.owner.number == phone {
			out = append(out, c)
		}
	}
	return out
}
