package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"
)

// What a measured process is told to profile; what follows is the file, except after the end.
const (
	benchProfileWord = "profile "
	profileCPU       = "cpu "
	profileEnd       = "end"
	profileHeap      = "heap "
)

// takeProfile is the inside of a measured process.
func takeProfile(order string) error {
	if order == profileEnd {
		pprof.StopCPUProfile()
		return nil
	}
	path, cpu := strings.CutPrefix(order, profileCPU)
	if !cpu {
		path = strings.TrimPrefix(order, profileHeap)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if cpu { // it writes to the file until the end
		return pprof.StartCPUProfile(file)
	}
	defer file.Close()
	return pprof.Lookup("heap").WriteTo(file, 0)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// profile has the process do one of the orders above.
func (p *benchProcess) profile(ctx context.Context, order string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := p.order(benchProfileWord + order); err != nil {
		return err
	}
	failed, err := p.line(ctx, benchProfileWord)
	if err == nil && failed != "" {
		err = fmt.Errorf("profile of %s: %s", p.name, failed)
	}
	return err
}

// prepareProfiles makes the folder for them, where they are wanted.
func (b *bench) prepareProfiles(dir string) (err error) {
	if dir == "" {
		return nil
	}
	if b.profiles, err = filepath.Abs(dir); err == nil {
		err = os.MkdirAll(b.profiles, 0o755)
	}
	if err != nil {
		return &settingError{fmt.Sprintf("flowhq bench: --profile %s: %v", dir, err)}
	}
	return nil
}

// profileFile is a file for a system and a step; a later round writes it anew.
func (b *bench) profileFile(s *benchSystem, step, suffix string) string {
	return filepath.Join(b.profiles, strings.ReplaceAll(strings.ToLower(s.name), " ", "-")+"-"+step+suffix)
}

// profiled does something and profiles the system's CPU time meanwhile, where profiles are wanted.
func (b *bench) profiled(ctx context.Context, s *benchSystem, step string, do func() error) error {
	if b.profiles == "" {
		return do()
	}
	if err := s.process.profile(ctx, profileCPU+b.profileFile(s, step, ".cpu.pprof")); err != nil {
		return err
	}
	err := do()
	if ended := s.process.profile(ctx, profileEnd); err == nil {
		err = ended
	}
	return err
}

// profileHeap notes what the system holds in memory, where profiles are wanted.
func (b *bench) profileHeap(ctx context.Context, s *benchSystem, step string) error {
	if b.profiles == "" {
		return nil
	}
	return s.process.profile(ctx, profileHeap+b.profileFile(s, step, ".heap.pprof"))
}
