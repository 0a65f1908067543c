package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor times under /proc, fixed at a hundredth of a second.
const tick = 10 * time.Millisecond

// CPU is the processor time a process has used, its own and that of children it has buried.
func CPU(pid int) time.Duration {
	f := stat(pid)
	var sum int64
	for _, i := range []int{11, 12, 13, 14} { // utime, stime, cutime, cstime
		if i < len(f) {
			n, _ := strconv.ParseInt(f[i], 10, 64)
			sum += n
		}
	}
	return time.Duration(sum) * tick
}

// FamilyCPU is CPU of a process and of all its living children.
func FamilyCPU(pid int) time.Duration {
	sum := CPU(pid)
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if f := stat(child); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			sum += CPU(child)
		}
	}
	return sum
}

// stat is the line of a process in /proc from its state on: the name before it may hold blanks.
func stat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	line := string(text)
	return strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
}

// RSS is the memory a process holds now and the most it ever held, in bytes.
func RSS(pid int) (now, most int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kb, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		n, _ := strconv.ParseInt(kb, 10, 64)
		switch name {
		case "VmRSS":
			now = n << 10
		case "VmHWM":
			most = n << 10
		}
	}
	return now, most
}
