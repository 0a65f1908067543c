package kill

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/e2e/rig"
)

// A disk that is full for a while costs 503s and nothing else.
func TestDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("runs real processes for a while")
	}
	disk := smallDisk(t)
	_, err := program()
	require.NoError(t, err)
	t.Setenv("TMPDIR", disk) // where the cluster is made
	world, err := os.MkdirTemp(workshop, "world-")
	require.NoError(t, err)
	w, ctx := open(t, rig.Options{Dir: world, Senders: 16, Database: map[string]string{"max_wal_size": "48MB", "min_wal_size": "32MB"}})
	require.NoError(t, w.Start(ctx))
	ids, _ := live(t, ctx, w, 5000, 14*time.Second, 0.2, func(context.Context) error {
		time.Sleep(2 * time.Second)
		ballast := filepath.Join(disk, "ballast")
		if err := fill(ballast); err != nil {
			return err
		}
		time.Sleep(8 * time.Second)
		if err := os.Remove(ballast); err != nil {
			return err
		}
		return w.Cluster.Restart() // PostgreSQL ends when it cannot write its log
	})
	clean(t, ctx, w, ids, w.Settles+time.Minute)
	require.Positive(t, w.Out.Count.Unavailable.Load(), "the disk was never full")
}

// smallDisk mounts a small file system in memory, or skips the test.
func smallDisk(t *testing.T) string {
	dir, err := os.MkdirTemp("", "channelbridge-disk-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=160m,mode=1777"); err != nil {
		t.Skipf("NOT TESTED: a full disk. It needs the right to mount a file system (%v)", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill writes until nothing more fits.
func fill(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 64<<10); ; {
		if _, err := f.Write(block); err != nil {
			if errors.Is(err, syscall.ENOSPC) || errors.Is(err, io.ErrShortWrite) {
				return nil
			}
			return err
		}
	}
}
