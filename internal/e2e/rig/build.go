package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is the environment variable that names a ready binary, so that none is built.
const Program = "E2E_PROGRAM"

// Build compiles the program into dir and returns its path. Further flags, such as -race, go to
// the compiler.
func Build(dir string, flags ...string) (string, error) {
	if ready := os.Getenv(Program); ready != "" {
		return filepath.Abs(ready)
	}
	out := filepath.Join(dir, "channelbridge")
	args := append([]string{"build", "-o", out}, flags...)
	cmd := exec.Command("go", append(args, "channelbridge/cmd/channelbridge")...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, text)
	}
	return out, nil
}
