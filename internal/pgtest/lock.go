package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile makes the test processes of one user wait for each other.
func lockFile(name string) (unlock func(), err error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("channelbridge-pg-%d.%s.lock", os.Getuid(), name))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}
