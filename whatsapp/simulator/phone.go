package simulator

import (
	"fmt"
	"hash/fnv"
	"sort"
	"strconv"
	"strings"
	"sync"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// phone is one WhatsApp account's primary device (number 0): a customer, or a business with linked devices.
// Its keys follow from the seed and the number. mu guards everything below it; it is taken before any device's lock,
// and no two phones are locked at once.
type phone struct {
	number   string
	lid      string
	identity *keys.KeyPair
	regID    uint32

	mu         sync.Mutex
	name       string
	signed     *keys.PreKey            // made when somebody first asks for a bundle
	oneTime    map[uint32]*keys.PreKey // handed out and not used yet
	oneTimeIDs []uint32
	nextOneID  uint32
	sessions   map[string][]byte // serialized Signal sessions by "number:device"
	devices    map[uint16]*device
	nextDevice uint16
	app        *appState
	box        mailbox
}

func (p *phone) pn() types.JID     { return types.NewJID(p.number, types.DefaultUserServer) }
func (p *phone) lidJID() types.JID { return types.NewJID(p.lid, types.HiddenUserServer) }

// linked returns the phone's linked devices in order of their numbers.
func (p *phone) linked() []*device {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.linkedLocked()
}

func (p *phone) linkedLocked() []*device {
	out := make([]*device, 0, len(p.devices))
	for _, d := range p.devices {
		out = append(out, d)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	return out
}

func (p *phone) deviceByID(id uint16) *device {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.devices[id]
}

// phonebook knows every phone by number and by LID.
type phonebook struct {
	seed []byte
	mu   sync.RWMutex
	byPN map[string]*phone
	byID map[string]*phone
}

func newPhonebook(seed []byte) *phonebook {
	return &phonebook{seed: seed, byPN: map[string]*phone{}, byID: map[string]*phone{}}
}

// lidFor derives a number's LID from the number alone, so that stores which outlive a simulator keep agreeing with it.
func lidFor(number string) string {
	sum := derive([]byte("flowhq simulator"), "lid", number)
	var n uint64
	for _, b := range sum[:8] {
		n = n<<8 | uint64(b)
	}
	return strconv.FormatUint(100_000_000_000_000+n%800_000_000_000_000, 10)
}

func (b *phonebook) find(number string) *phone {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byPN[number]
}

// get returns the phone with this number and makes it if it is new: every number is on this WhatsApp.
func (b *phonebook) get(number string) *phone {
	if p := b.find(number); p != nil {
		return p
	}
	made := &phone{
		number: number, lid: lidFor(number), identity: deriveKey(b.seed, "identity", number),
		regID: deriveNumber(b.seed, "registration", number)%16380 + 1, name: nameFor(number),
		nextOneID: 1, nextDevice: 1,
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.byPN[number]; p != nil {
		return p
	}
	b.byPN[number], b.byID[made.lid] = made, made
	return made
}

// byJID finds the phone behind a phone number or LID address; an unknown phone number is made, an unknown LID is nil.
func (b *phonebook) byJID(jid types.JID) *phone {
	switch jid.Server {
	case types.DefaultUserServer, types.LegacyUserServer:
		if number, err := cleanNumber(jid.User); err == nil {
			return b.get(number)
		}
	case types.HiddenUserServer:
		b.mu.RLock()
		defer b.mu.RUnlock()
		return b.byID[jid.User]
	}
	return nil
}

func (b *phonebook) all() []*phone {
	b.mu.RLock()
	out := make([]*phone, 0, len(b.byPN))
	for _, p := range b.byPN {
		out = append(out, p)
	}
	b.mu.RUnlock()
	sort.Slice(out, func(i, j int) bool { return out[i].number < out[j].number })
	return out
}

// cleanNumber accepts a phone number with or without plus, spaces and dashes and returns its digits.
func cleanNumber(raw string) (string, error) {
	digits := strings.NewReplacer("+", "", " ", "", "-", "").Replace(strings.TrimSpace(raw))
	if len(digits) < 7 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" || digits[0] == '0' {
		return "", fmt.Errorf("%q is not an international phone number (7 to 15 digits, country code first)", raw)
	}
	return digits, nil
}

var firstNames = []string{"Asha", "Juma", "Neema", "Baraka", "Zawadi", "Hassan", "Rehema", "Daudi", "Mariam", "Elia", "Subira", "Amani", "Fatuma", "Joseph", "Halima", "Grace"}

// nameFor gives a customer a stable push name.
func nameFor(number string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(number))
	return firstNames[h.Sum32()%uint32(len(firstNames))]
}
