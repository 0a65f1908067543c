package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/tray"
)

// withFolder lets the bench's channel take payout files out of a folder.
func (b *bench) withFolder() (folder string) {
	b.Helper()
	folder = filepath.Join(b.dir, "in")
	require.NoError(b, os.Mkdir(folder, 0o700))
	b.config = file(b.T, b.dir, "channelbridge.yaml", readFile(b.T, b.config)+strings.Replace(statementForm, "    payouts:\n", "    payouts:\n      folder: "+folder+"\n", 1))
	return folder
}

func contents(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestPayoutFilesAreTakenOutOfAFolder(t *testing.T) {
	b := newBench(t)
	folder := b.withFolder()
	good := statement("ST-1", "5.00", [3]string{"Sale", "4.00", "A"}, [3]string{"Sale", "1.00", "B"})
	file(t, folder, "early.csv", good) // before the bridge runs
	file(t, folder, "later.csv.part", good)
	r := b.serve()

	// One is being written, in pieces that come faster than a file has to rest.
	slow, err := os.Create(filepath.Join(folder, "slow.csv"))
	require.NoError(t, err)
	whole := statement("ST-2", "7.00", [3]string{"Sale", "7.00", "C"})
	for _, piece := range []string{whole[:30], whole[30:50], whole[50:60], whole[60:]} {
		_, err := slow.WriteString(piece)
		require.NoError(t, err)
		time.Sleep(900 * time.Millisecond)
	}
	require.NoError(t, slow.Close())
	file(t, folder, "bad.csv", statement("ST-3", "5.00", [3]string{"Sale", "five", "X"}))
	file(t, folder, "again.csv", good)

	require.Eventually(t, func() bool {
		return slices.Equal([]string{"imported", "later.csv.part", "rejected"}, contents(t, folder))
	}, 30*time.Second, 50*time.Millisecond)
	require.Equal(t, []string{"again.csv", "early.csv", "slow.csv"}, contents(t, filepath.Join(folder, "imported")))
	require.Equal(t, []string{"bad.csv", "bad.csv.reason.txt"}, contents(t, filepath.Join(folder, "rejected")))
	require.Equal(t, whole, readFile(t, filepath.Join(folder, "imported", "slow.csv")))
	require.Contains(t, readFile(t, filepath.Join(folder, "rejected", "bad.csv.reason.txt")), `row 2, column Amount: "five"`)
	require.Zero(t, r.stop())

	list := b.run("payouts", "list").out
	require.Equal(t, 1, strings.Count(list, "ST-1 "), "the same bytes twice are one payout:\n%s", list)
	require.Regexp(t, `ST-2 +1 +market .*7.00 USD .*proven`, list)
	require.NotContains(t, list, "ST-3")
	files := b.run("payouts", "files").out
	require.Regexp(t, `market +slow.csv +folder .* imported`, files)
	require.Regexp(t, `market +bad.csv +folder .* rejected`, files)
	require.Equal(t, 3, strings.Count(files, " folder "), "half of a file was never taken for a file:\n%s", files)
}

// atRest runs f with a bridge that does nothing by itself, at a time of its own.
func (b *bench) atRest(f func(br *bridge, pass func(time.Duration))) {
	b.Helper()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a := &app{env: noEnv, clock: func() time.Time { return now }, stdin: strings.NewReader(""), stdout: os.Stderr, stderr: os.Stderr, configFile: b.config}
	require.NoError(b, a.withBridge(b.Context(), func(br *bridge) error {
		f(br, func(d time.Duration) { now = now.Add(d) })
		return nil
	}))
}

// A crash between taking a file in and moving it shows the file again: it is moved and not doubled.
func TestAFileThatWasTakenInBeforeACrashIsOnlyMoved(t *testing.T) {
	b := newBench(t)
	folder := b.withFolder()
	require.Zero(t, b.run("migrate", "up").code)
	good, bad := statement("ST-1", "5.00", [3]string{"Sale", "5.00", "A"}), statement("ST-2", "5.00", [3]string{"Sale", "x", "A"})
	b.atRest(func(br *bridge, pass func(time.Duration)) {
		for name, text := range map[string]string{"good.csv": good, "bad.csv": bad} {
			file(t, folder, name, text)
			_, err := books{br}.Import(t.Context(), payout.File{Account: "market", Name: name, Origin: "folder", By: "folder", Body: strings.NewReader(text)})
			require.Equal(t, name == "bad.csv", rejected(err), err)
		}
		tr := &tray.Tray{Path: folder}
		require.NoError(t, br.folderOnce(t.Context(), "market", tr))
		pass(tray.Rest)
		require.NoError(t, br.folderOnce(t.Context(), "market", tr))
		require.Equal(t, []string{"imported", "rejected"}, contents(t, folder))
		require.Equal(t, []string{"bad.csv", "bad.csv.reason.txt"}, contents(t, filepath.Join(folder, "rejected")))
		list, err := br.store.PayoutList(t.Context(), connector.PayoutFilter{All: true})
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, 1, list[0].Revision)
		kept, err := br.store.PayoutSources(t.Context(), "market", 10)
		require.NoError(t, err)
		require.Len(t, kept, 2)
	})
}

func TestOneProcessAtATimeTakesFiles(t *testing.T) {
	b := newBench(t)
	folder := b.withFolder()
	require.Zero(t, b.run("migrate", "up").code)
	b.atRest(func(br *bridge, pass func(time.Duration)) {
		file(t, folder, "a.csv", statement("ST-1", "5.00", [3]string{"Sale", "5.00", "A"}))
		tr := &tray.Tray{Path: folder}
		require.NoError(t, br.folderOnce(t.Context(), "market", tr))
		_, taken, err := br.store.TakeCursor(t.Context(), "market", folderName, br.clock(), 10*time.Second) // by another process
		require.NoError(t, err)
		require.True(t, taken)
		pass(tray.Rest)
		require.NoError(t, br.folderOnce(t.Context(), "market", tr))
		require.Equal(t, []string{"a.csv"}, contents(t, folder))

		pass(10 * time.Second)
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, br.folderOnce(stopped, "market", tr))
		require.Equal(t, []string{"a.csv"}, contents(t, folder), "who is told to stop leaves it")
		require.NoError(t, br.folderOnce(t.Context(), "market", tr))
		require.Equal(t, []string{"a.csv"}, contents(t, filepath.Join(folder, "imported")))
		_, free, err := br.store.TakeCursor(t.Context(), "market", folderName, br.clock(), time.Second)
		require.NoError(t, err)
		require.True(t, free, "the lease is given back at once")
	})
}

func TestDoctorTellsOfAFolderThatIsMissing(t *testing.T) {
	b := newBench(t)
	folder := b.withFolder()
	require.Zero(t, b.run("migrate", "up").code)
	require.Regexp(t, `ok +market payout folder +`+folder, b.run("doctor", "--quick").out)
	require.Empty(t, contents(t, folder))
	require.NoError(t, os.Remove(folder))
	sick := b.run("doctor", "--quick")
	require.Equal(t, exitUnhealthy, sick.code)
	require.Regexp(t, `fail +market payout folder +the folder .*/in: no such file or directory`, sick.out)
}
