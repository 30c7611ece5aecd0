package whatsapp

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/google/uuid"
)

// After a crash the next process on the same machine takes the shards of the dead one at once, and leaves those of a living one.
func TestSuccessorOfADeadProcess(t *testing.T) {
	if machine() == "" {
		t.Log("no /proc here: leases have to end by themselves")
		return
	}
	r := newRig(t)
	if err := r.q.EnsureShards(r.ctx(), 3); err != nil {
		t.Fatal(err)
	}
	node := func(shards string) *exec.Cmd {
		other := exec.Command("sleep", "600")
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
		pid := fmt.Sprint(other.Process.Pid)
		started, ok := processStart(pid)
		if !ok {
			t.Fatal("a living process is not found")
		}
		id := uuid.New()
		r.exec("INSERT INTO nodes (id, name, process) VALUES ($1, 'other', $2)", id, fmt.Sprintf("%s %s %s", machine(), pid, started))
		r.exec("UPDATE shards SET node_id = $1, epoch = 7, lease_until = now() + interval '1 hour' WHERE id IN ("+shards+")", id)
		return other
	}
	living, dead := node("0, 1"), node("2, 3")
	if err := dead.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = dead.Wait()

	n := r.run("successor")
	r.await("the dead node's shards are taken", func() bool { return len(n.leases.shards()) == 2 })
	if got := fmt.Sprint(n.leases.shards()); got != "[2 3]" {
		t.Errorf("holds %s, want the dead node's 2 and 3", got)
	}
	if epoch := one[int64](r, "SELECT epoch FROM shards WHERE id = 2"); epoch != 8 {
		t.Errorf("epoch %d, want 8: the dead node is not fenced off", epoch)
	}
	if alive := one[int](r, "SELECT count(*)::int FROM shards s JOIN nodes n ON n.id = s.node_id WHERE n.name = 'other'"); alive != 2 {
		t.Errorf("the living process %d holds %d shards, want its 2", living.Process.Pid, alive)
	}
}
