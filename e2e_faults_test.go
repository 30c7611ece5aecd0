package main

import (
	"fmt"
	"maps"
	"syscall"
	"testing"
	"time"
)

// A worker dies as by kill -9 at one of the moments between which a message could be lost or doubled, for the first message of
// a new customer as well as in the middle of a conversation; the next one goes on. Every customer sees every answer once and in order.
func TestFaultPoints(t *testing.T) {
	p := newProduct(t)
	bin, settings := buildBinary(t, "faults"), p.settings()
	maps.Copy(settings, map[string]string{"LOG_LEVEL": "warn", "RATE_LIMIT_MAX_PER_MINUTE": "0", "FLOWHQ_SHARDS": "2", "FLOWHQ_LEASE": "5s"})
	k := p.talk(start(t, bin, settings, "serve", "--role", "web", "--listen", "127.0.0.1:0").url)
	worker := func(fault string) *process {
		settings := maps.Clone(settings)
		settings["FLOWHQ_FAULT"] = fault
		return start(t, bin, settings, "serve", "--role", "worker", "--listen", "127.0.0.1:0")
	}
	first := worker("")
	k.link(350, 2)
	k.customers(4)
	k.writeAll()
	k.answered("before") // and so is what a phone tells a device when it is linked
	first.end(syscall.SIGTERM)
	for _, point := range []string{"decrypted", "logged", "claimed", "sent"} {
		for _, n := range []int{1, 3, 7} {
			fault := fmt.Sprintf("%s:%d", point, n)
			k.untilItDies(worker(fault), fault)
			for customer := max(0, len(k.chats)-8); customer < len(k.chats); customer++ { // while nobody is there
				k.write(customer)
			}
			next := worker("")
			k.answered(fault)
			next.end(syscall.SIGTERM)
		}
	}
	k.verdict()
}

// untilItDies has customers write to a worker that is to die. Two of them are new, one with either kind of address, and come first.
func (k *talk) untilItDies(dying *process, fault string) {
	k.t.Helper()
	k.note("%s: the worker runs", fault)
	k.customers(2)
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for i, deadline := 0, time.After(patience); ; i++ {
		k.write((len(k.chats) - 2 + i) % len(k.chats))
		if i == 2 {
			k.tell(0, "From the business: "+fault)
		}
		select {
		case <-dying.done:
		case <-pace.C:
			continue
		case <-deadline:
			k.t.Fatalf("%s: the worker did not die of %d messages", fault, i)
		}
		break
	}
	if status := dying.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		k.t.Fatalf("%s: the worker ended by itself: %v", fault, dying.err)
	}
	k.note("%s: the worker is dead", fault)
}
