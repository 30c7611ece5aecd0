package bot

import "hash/fnv"

// The loop guard. Two bots that answer each other would do so for ever, and at the
// business's expense; people hardly ever repeat themselves like this.
const (
	sameInRow     = 5   // this many identical messages in a row …
	sameWithin    = 120 // … within this many seconds are not a person
	pingPongRow   = 10  // this many messages of at most two kinds …
	pingPongIn    = 300 // … within this many seconds neither
	missesLimit   = maxFallbackTimes
	missesWithin  = 600 // seconds
	sameKindPause = 60  // seconds: a photo album of ten gets one answer
)

const (
	reasonLoop     = "loop guard"
	reasonWithTeam = "waiting for a person"
	reasonSameKind = "this kind of message was answered a moment ago"
	reasonOptedOut = "the customer wants no automatic messages"
	reasonReaction = "reactions are not answered"
)

// remember adds a message to the recent ones and reports whether they look like a loop.
func (c *Conversation) remember(hash uint32, kind Kind, now int64) (loop bool) {
	c.Recent = lastOf(append(c.Recent, Seen{Hash: hash, At: now, Kind: kind}), maxRecent)
	if len(c.Recent) >= sameInRow && distinct(lastOf(c.Recent, sameInRow), now-sameWithin) == 1 {
		return true
	}
	n := distinct(lastOf(c.Recent, pingPongRow), now-pingPongIn)
	return len(c.Recent) >= pingPongRow && n > 0 && n <= 2
}

// distinct counts the different messages in seen, or 0 when one of them is older than since.
func distinct(seen []Seen, since int64) int {
	n := 0
	for i, s := range seen {
		if s.At < since {
			return 0
		}
		fresh := true
		for _, before := range seen[:i] {
			fresh = fresh && before.Hash != s.Hash
		}
		if fresh {
			n++
		}
	}
	return n
}

// miss records a message that was not understood and reports whether there were too many lately.
func (c *Conversation) miss(now int64) (tooMany bool) {
	lately := 0
	for _, at := range c.FallbackTimes {
		if at > now-missesWithin && at <= now {
			lately++
		}
	}
	if lately >= missesLimit {
		return true // not recorded: the pause ends by itself
	}
	c.FallbackTimes = lastOf(append(c.FallbackTimes, now), maxFallbackTimes)
	return false
}

// sameKindLately reports whether the message before the latest one had the same kind, a moment ago.
func (c *Conversation) sameKindLately(kind Kind, now int64) bool {
	if len(c.Recent) < 2 {
		return false
	}
	before := c.Recent[len(c.Recent)-2]
	return before.Kind == kind && before.At > now-sameKindPause && before.At <= now
}

// fingerprint identifies a message for the guard; equal words are equal messages.
func fingerprint(kind Kind, text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(kind))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return h.Sum32()
}
