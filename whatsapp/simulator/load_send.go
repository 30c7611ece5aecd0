package simulator

import (
	"hash/fnv"
	"runtime"
	"strings"
	"sync"
	"time"
)

// drive sends until all is sent. Each chat has one sender, so its messages keep their order.
func (s *Server) drive(run *loadRun, r LoadRequest) {
	defer close(run.done)
	senders := make([]chan int, max(2, runtime.GOMAXPROCS(0)))
	var group sync.WaitGroup
	for i := range senders {
		senders[i] = make(chan int, 1024)
		group.Go(func() {
			for at := range senders[i] {
				s.sendItem(run, r, at)
			}
		})
	}
	run.mu.Lock()
	run.started = time.Now()
	run.mu.Unlock()
	send := func(i int, due time.Time) {
		run.mu.Lock()
		run.items[i].due = due
		chat := run.items[i].chat
		run.mu.Unlock()
		h := fnv.New32a()
		_, _ = h.Write([]byte(chat.business + chat.contact))
		senders[h.Sum32()%uint32(len(senders))] <- i
	}
	if run.free != nil {
		s.sendOnAnswer(run, r, send)
	} else {
		s.sendOnSchedule(run, r, send)
	}
	for _, ch := range senders {
		close(ch)
	}
	group.Wait()
	run.mu.Lock()
	run.sending = false
	run.checkComplete()
	run.mu.Unlock()
	select {
	case <-run.complete:
	case <-time.After(time.Duration(r.Wait * float64(time.Second))):
	case <-s.ctx.Done():
	}
	run.mu.Lock()
	run.running = false
	run.mu.Unlock()
}

// sendOnSchedule sends the run's messages at its rate.
func (s *Server) sendOnSchedule(run *loadRun, r LoadRequest, send func(i int, due time.Time)) {
	for i := range run.items {
		due := run.started.Add(time.Duration(float64(i) / r.Rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-s.ctx.Done():
			}
		}
		if s.ctx.Err() != nil {
			return
		}
		send(i, due)
	}
}

// sendOnAnswer sends to each chat once, and again whenever it is answered, until the run's time is over.
func (s *Server) sendOnAnswer(run *loadRun, r LoadRequest, send func(i int, due time.Time)) {
	over := time.After(time.Duration(r.Seconds * float64(time.Second)))
	for n := range maxLoadCount {
		select {
		case <-over:
			return
		case <-s.ctx.Done():
			return
		case chat := <-run.free:
			run.mu.Lock()
			id := newStanzaID()
			run.items = append(run.items, loadItem{chat: chat, id: id})
			run.byID[id] = n
			chat.items = append(chat.items, n)
			run.mu.Unlock()
			send(n, time.Now())
		}
	}
}

func (s *Server) sendItem(run *loadRun, r LoadRequest, i int) {
	run.mu.Lock()
	item := &run.items[i]
	item.sent = true
	run.sent++
	if late := time.Since(item.due); late > run.late {
		run.late = late
	}
	chat, id := item.chat, item.id
	run.mu.Unlock()
	_, err := s.Send(s.ctx, SendRequest{From: chat.contact, To: chat.business, Text: strings.ReplaceAll(r.Text, "{token}", run.token(i)), LID: chat.lid, ID: id})
	if err != nil {
		run.mu.Lock()
		run.items[i].sent = false
		run.sent--
		run.failed++
		if run.firstError == "" {
			run.firstError = err.Error()
		}
		run.mu.Unlock()
	}
}

// checkComplete closes complete when nothing is left to send or to be answered; the run is locked.
func (run *loadRun) checkComplete() {
	if run.sending || run.answered < run.sent {
		return
	}
	select {
	case <-run.complete:
	default:
		close(run.complete)
	}
}
