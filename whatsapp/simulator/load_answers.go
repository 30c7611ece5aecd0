package simulator

import (
	"strconv"
	"strings"
)

// observe matches a message that a customer's phone shows with the message it answers.
func (b *loadBook) observe(m InboxMessage) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i := len(b.runs) - 1; i >= 0; i-- {
		if b.runs[i].answer(m) {
			return
		}
	}
}

// answer books a reply: by the token in it, by the message it quotes, or else as the next in its chat's order.
func (run *loadRun) answer(m InboxMessage) bool {
	run.mu.Lock()
	defer run.mu.Unlock()
	chat := run.chats[m.From+" "+m.To]
	if chat == nil || len(chat.items) == 0 {
		return false
	}
	at := -1
	if where := strings.Index(m.Text, run.prefix); where >= 0 && len(m.Text) >= where+len(run.prefix)+6 {
		if n, err := strconv.Atoi(m.Text[where+len(run.prefix) : where+len(run.prefix)+6]); err == nil && n < len(run.items) {
			at = n
		}
	} else if n, ok := run.byID[m.About]; ok {
		at = n
	} else {
		for ; chat.unanswered < len(chat.items); chat.unanswered++ {
			n := chat.items[chat.unanswered]
			if !run.items[n].sent {
				break
			}
			if run.items[n].answers == 0 {
				at = n
				break
			}
		}
		if at < 0 {
			if chat.last < 0 {
				return false
			}
			at = chat.last // one answer more than there were questions
		}
	}
	item := &run.items[at]
	item.answers++
	if item.answers > 1 {
		return true
	}
	item.answeredAt = m.At
	if at < chat.last {
		item.disordered = true
	} else {
		chat.last = at
	}
	run.answered++
	run.lastAnswer = m.At
	if run.free != nil {
		run.free <- chat // it has room for every chat, and each has one message under way
	}
	run.checkComplete()
	return true
}
