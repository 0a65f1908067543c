package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kill ends the postmaster and every backend with SIGKILL, as a crash would. Restart brings the
// server back through its own recovery.
func (c *Cluster) Kill() error {
	pid := c.Pid()
	if pid == 0 {
		return errors.New("PostgreSQL is not running")
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // it shall start no more backends
		return fmt.Errorf("stop postmaster %d: %w", pid, err)
	}
	family := append(children(pid), pid)
	for _, p := range family {
		_ = syscall.Kill(p, syscall.SIGKILL)
	}
	for range 400 {
		if !anyRuns(family) {
			return nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	return fmt.Errorf("PostgreSQL %d survived its killing", pid)
}

// Freeze stops the postmaster and every backend without ending them: connections stay open and
// nobody answers. Thaw lets them go on.
func (c *Cluster) Freeze() error { return c.signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (c *Cluster) Thaw() error { return c.signal(syscall.SIGCONT) }

func (c *Cluster) signal(sig syscall.Signal) error {
	pid := c.Pid()
	if pid == 0 {
		return errors.New("PostgreSQL is not running")
	}
	for _, p := range append([]int{pid}, children(pid)...) {
		if err := syscall.Kill(p, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("%v to %d: %w", sig, p, err)
		}
	}
	return nil
}

// children lists the direct children of a process, as far as /proc tells.
func children(parent int) []int {
	var found []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		_, ppid := stat(path)
		if ppid == parent {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			found = append(found, pid)
		}
	}
	return found
}

// anyRuns reports a process that is neither gone nor a zombie.
func anyRuns(pids []int) bool {
	for _, pid := range pids {
		state, _ := stat(fmt.Sprintf("/proc/%d/stat", pid))
		if state != "" && state != "Z" && state != "X" {
			return true
		}
	}
	return false
}

// stat reads state and parent from a line like "12 (a name) S 1 …".
func stat(path string) (state string, ppid int) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", 0
	}
	line := string(text)
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 2 {
		return "", 0
	}
	ppid, _ = strconv.Atoi(fields[1])
	return fields[0], ppid
}
