package bot

import (
	"hash/fnv"
	"strconv"
	"strings"
	"unicode"
)

// flow returns the running request, if the state names one that this script has and that
// its step and answers fit. Anything else (another template since, a damaged state) is dropped.
func (t *turn) flow() (flow, bool) {
	if t.next.Flow == "" {
		return flow{}, false
	}
	f, ok := t.script.flows[t.next.Flow]
	last := len(f.steps) - 1
	if !f.confirm.empty() {
		last++
	}
	if !ok || t.next.Step > last || len(t.next.Answers) != t.next.Step {
		t.next.leave()
		return flow{}, false
	}
	return f, true
}

// inFlow lets the running request take the message. What it does not take is answered as if
// there were no request: the customer has left it.
func (t *turn) inFlow() (Decision, bool) {
	f, ok := t.flow()
	if !ok {
		return Decision{}, false
	}
	if t.next.Step == len(f.steps) {
		return t.confirmation(f)
	}
	s := f.steps[t.next.Step]
	wish := t.read.intent != "" && t.read.intent != IntentGreeting && t.read.intent != IntentThanks
	question := s.kind != stepWords && strings.ContainsAny(t.msg.Text, "?？؟")
	if t.own != "" && question {
		return t.besides(f, IntentOwn, t.own), true
	}
	asks := wish && question
	if t.read.whole || asks {
		return t.clearIntent(f)
	}
	if t.read.intent == IntentHuman && s.kind != stepWords { // a description may well say "call me"
		t.next.leave()
		return Decision{}, false
	}
	answer, verdict := t.accept(s)
	switch verdict {
	case answerElsewhere:
		t.next.leave()
		return Decision{}, false
	case answerBad:
		// Not an answer, but perhaps a wish among other words.
		if wish {
			return t.clearIntent(f)
		}
		return t.askAgain(s.again), true
	}
	t.next.Fallbacks = 0
	t.next.Answers = append(t.next.Answers, answer)
	t.next.Step++
	if t.next.Step < len(f.steps) {
		return t.reply(t.next.Flow, t.question(f, t.next.Step)), true
	}
	if !f.confirm.empty() {
		return t.reply(t.next.Flow, t.say(f.confirm)), true
	}
	return t.finish(f), true
}

// clearIntent treats a message in the middle of a request that is clearly another intent: a
// question about the business is answered and ours put again, anything else ends the request and is answered outside it.
func (t *turn) clearIntent(f flow) (Decision, bool) {
	switch t.read.intent {
	case t.next.Flow, IntentOK, IntentYes:
		return t.askAgain(f.steps[t.next.Step].again), true
	case IntentCancel, IntentNo:
		t.next.leave()
		return t.reply(IntentCancel, t.say(sayLeft)), true
	case IntentGreeting:
		if f.steps[t.next.Step].kind == stepWhen { // "morning" is half an answer
			return t.askAgain(f.steps[t.next.Step].again), true
		}
	}
	return t.aside(f)
}

// aside answers a question about the business and puts the request's own question again, in one
// message. Any other intent ends the request.
func (t *turn) aside(f flow) (Decision, bool) {
	switch intent := t.read.intent; intent {
	case IntentThanks, IntentHours, IntentWhere, IntentPrice, IntentServices, IntentProducts, IntentDelivery, IntentPayment:
		if _, isFlow := t.script.flows[intent]; !isFlow {
			return t.besides(f, intent, t.answerText(intent)), true
		}
	}
	t.next.leave()
	return Decision{}, false
}

// besides answers what was asked on the way and puts the request's own question again.
func (t *turn) besides(f flow, intent, said string) Decision {
	again := t.question(f, t.next.Step)
	return t.reply(intent, clamp(said, MaxReplyRunes-2-len([]rune(again)))+"\n\n"+again)
}

// askAgain puts a question again after an answer that was none.
func (t *turn) askAgain(question text) Decision {
	if t.next.miss(t.at) && !t.cfg.NoGuards {
		return t.ignore(t.next.Flow, reasonLoop)
	}
	return t.reply(t.next.Flow, t.say(question))
}

// confirmation treats the answer to "is that right?".
func (t *turn) confirmation(f flow) (Decision, bool) {
	switch {
	case t.own != "" && strings.ContainsAny(t.msg.Text, "?？؟"):
		return t.besides(f, IntentOwn, t.own), true
	case t.read.number == 1, t.read.intent == IntentYes, t.read.intent == IntentOK && t.read.whole:
		return t.finish(f), true
	case t.read.number == 2, t.read.intent == IntentNo, t.read.intent == IntentCancel:
		t.next.leave()
		return t.reply(IntentCancel, t.say(sayLeft)), true
	case t.read.intent == t.next.Flow, t.read.intent != IntentHuman && !t.read.whole:
		return t.askAgain(f.confirm), true
	}
	return t.aside(f)
}

// finish ends the request with its outcome.
func (t *turn) finish(f flow) Decision {
	if f.reference {
		t.next.Reference = t.newReference()
	}
	intent := t.next.Flow + doneSuffix
	said := t.say(f.done)
	t.next.leave()
	t.next.Fallbacks = 0
	t.next.note(t.at, false)
	return t.reply(intent, said)
}

// question is the question of a step, as it stands for this business.
func (t *turn) question(f flow, step int) string {
	if step == len(f.steps) {
		return t.say(f.confirm)
	}
	s := f.steps[step]
	if !s.pick.empty() && len(t.cfg.Settings.Offers) > 0 {
		return t.say(s.pick)
	}
	return t.say(s.ask)
}

type verdict int

const (
	answerGood verdict = iota
	answerBad
	answerElsewhere // a number from the menu, not an answer
)

// accept checks and cleans the answer to a step.
func (t *turn) accept(s step) (string, verdict) {
	answer := excerpt(t.msg.Text, maxAnswerRunes)
	if s.kind != stepWords { // it will stand inside a sentence
		answer = strings.TrimRight(answer, " .,;!?")
	}
	bare := t.read.number >= 0
	switch s.kind {
	case stepOffer:
		if offers := t.offers(); bare && len(offers) > 0 {
			if t.read.number <= len(offers) {
				return excerpt(offers[t.read.number-1].Name, maxOfferRunes), answerGood
			}
			return "", answerBad
		}
	case stepQuantity:
		if bare && t.read.number > 0 {
			return strconv.Itoa(t.read.number), answerGood
		}
		for _, w := range t.read.words {
			_, numeral := numerals[w]
			if numeral || w == "nusu" || w == "half" || '1' <= w[0] && w[0] <= '9' && len(w) <= 6 {
				return excerpt(answer, maxOfferRunes), answerGood
			}
		}
		return "", answerBad
	case stepWhen:
		if bare {
			return "", answerBad // "4" names no day
		}
		if len(t.read.words) > 1 {
			return answer, answerGood // "25/11 10:00" has no letters
		}
	}
	if bare && t.read.number <= len(t.script.menu) {
		return "", answerElsewhere
	}
	for _, r := range answer {
		if unicode.IsLetter(r) {
			return answer, answerGood
		}
	}
	return "", answerBad
}

// newReference is a short name for a problem that people can say on the telephone. It is
// made from the time and the text: unlikely to repeat within one business, but no key.
func (t *turn) newReference() string {
	const letters = "23456789ABCDEFGHJKMNPQRSTUVWXYZ" // no 0/O, 1/I/L
	h := fnv.New64a()
	h.Write(strconv.AppendInt(nil, t.now.UnixNano(), 10))
	h.Write([]byte(t.msg.Text))
	n := h.Sum64()
	var ref [5]byte
	for i := range ref {
		ref[i] = letters[n%uint64(len(letters))]
		n /= uint64(len(letters))
	}
	return string(ref[:])
}
