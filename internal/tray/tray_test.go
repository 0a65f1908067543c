package tray

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// desk is a tray on a real folder.
type desk struct {
	*testing.T
	Tray
	now time.Time
}

func newDesk(t *testing.T) *desk { return &desk{T: t, Tray: Tray{Path: t.TempDir()}, now: noon} }

func (d *desk) put(name, text string) {
	d.Helper()
	require.NoError(d, os.WriteFile(filepath.Join(d.Path, name), []byte(text), 0o640))
}

// look looks some time later.
func (d *desk) look(later time.Duration) []string {
	d.Helper()
	d.now = d.now.Add(later)
	whole, err := d.Look(d.now)
	require.NoError(d, err)
	return whole
}

func (d *desk) open(name string) *File {
	d.Helper()
	f, err := d.Open(name)
	require.NoError(d, err)
	d.Cleanup(func() { _ = f.Close() })
	return f
}

// all are the files below the folder and what they hold.
func (d *desk) all() map[string]string {
	d.Helper()
	out := map[string]string{}
	require.NoError(d, filepath.WalkDir(d.Path, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(d.Path, path)
		out[filepath.ToSlash(name)] = string(text)
		return err
	}))
	return out
}

func TestAFileIsWholeOnceItHasRested(t *testing.T) {
	d := newDesk(t)
	d.put("a.csv", "one")
	require.Empty(t, d.look(0), "seen once")
	require.Empty(t, d.look(Rest-time.Millisecond))
	d.put("a.csv", "one, two") // still being written
	require.Empty(t, d.look(time.Second))
	require.Empty(t, d.look(time.Second))
	require.Equal(t, []string{"a.csv"}, d.look(time.Second))

	require.NoError(t, os.Chtimes(filepath.Join(d.Path, "a.csv"), noon, noon.Add(time.Minute))) // written over with as many bytes
	require.Empty(t, d.look(time.Hour))
	require.Equal(t, []string{"a.csv"}, d.look(Rest))
	require.NoError(t, os.Remove(filepath.Join(d.Path, "a.csv")))
	require.Empty(t, d.look(time.Second))
	d.put("a.csv", "again")
	require.Empty(t, d.look(time.Hour), "another file of the name rests anew")
}

func TestWhatIsLeftAlone(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{".hidden", "a.part", "b.TMP", "c.csv.part", "whole.csv", "partly", "tmp"} {
		d.put(name, "x")
	}
	for _, name := range []string{Imported, "folder.csv"} {
		require.NoError(t, os.Mkdir(filepath.Join(d.Path, name), 0o700))
	}
	d.put("folder.csv/inside.csv", "x")
	outside := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(outside, []byte("x"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(d.Path, "link.csv")))
	require.NoError(t, os.Symlink("whole.csv", filepath.Join(d.Path, "inner.csv")))
	d.look(0)
	whole := d.look(Rest)
	slices.Sort(whole)
	require.Equal(t, []string{"partly", "tmp", "whole.csv"}, whole)
}

func TestTheLongestWaitingComesFirst(t *testing.T) {
	d := newDesk(t)
	for i, name := range []string{"c", "a", "b"} {
		d.put(name, "x")
		require.NoError(t, os.Chtimes(filepath.Join(d.Path, name), noon, noon.Add(time.Duration(i)*time.Second)))
	}
	d.look(0)
	require.Equal(t, []string{"c", "a", "b"}, d.look(Rest))
}

func TestFilesAreMovedAndNothingIsWrittenOver(t *testing.T) {
	d := newDesk(t)
	take := func(text string, done func(*File) error) {
		d.put("a.csv", text)
		d.look(time.Second)
		require.Contains(t, d.look(Rest), "a.csv")
		f := d.open("a.csv")
		read, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, text, string(read))
		require.EqualValues(t, len(text), f.Size)
		require.NoError(t, done(f))
	}
	for _, text := range []string{"one", "two", "one"} {
		take(text, (*File).Accept)
	}
	for _, text := range []string{"bad", "worse"} {
		take(text, func(f *File) error { return f.Refuse("row 2: " + text) })
	}
	want := map[string]string{"imported/a.csv": "one", "imported/a-2.csv": "two", "imported/a-3.csv": "one",
		"rejected/a.csv": "bad", "rejected/a.csv.reason.txt": "row 2: bad\n", "rejected/a-2.csv": "worse", "rejected/a-2.csv.reason.txt": "row 2: worse\n"}
	require.Equal(t, want, d.all())

	d.put("rejected/b.csv.reason.txt", "somebody's own")
	d.put("b.csv", "b")
	d.look(time.Second)
	d.look(Rest)
	require.NoError(t, d.open("b.csv").Refuse("no"))
	want["rejected/b.csv.reason.txt"], want["rejected/b-2.csv"], want["rejected/b-2.csv.reason.txt"] = "somebody's own", "b", "no\n"
	require.Equal(t, want, d.all())
}

// A file that was found whole and then written to is not moved: what was read of it was not all.
func TestAFileThatGoesOnGrowingStays(t *testing.T) {
	d := newDesk(t)
	d.put("a.csv", "half")
	d.look(0)
	d.look(Rest)
	f := d.open("a.csv")
	d.put("a.csv", "half and half")
	require.ErrorIs(t, f.Accept(), ErrChanged)
	require.ErrorIs(t, f.Refuse("half"), ErrChanged)
	_, err := d.Open("a.csv")
	require.ErrorIs(t, err, ErrChanged)
	require.Equal(t, map[string]string{"a.csv": "half and half"}, d.all())
	d.look(time.Second)
	require.Equal(t, []string{"a.csv"}, d.look(Rest))
	require.NoError(t, d.open("a.csv").Accept())
}

func TestALinkInAFilesPlaceIsNotFollowed(t *testing.T) {
	d := newDesk(t)
	d.put("a.csv", "x")
	d.put("b.csv", "x")
	d.look(0)
	d.look(Rest)
	require.NoError(t, os.Remove(filepath.Join(d.Path, "a.csv")))
	require.NoError(t, os.Symlink("b.csv", filepath.Join(d.Path, "a.csv")))
	_, err := d.Open("a.csv")
	require.ErrorIs(t, err, ErrChanged)
	_, err = d.Open("gone.csv")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = d.Open("../secret")
	require.Error(t, err)

	elsewhere := t.TempDir()
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(d.Path, Imported)))
	require.Error(t, d.open("b.csv").Accept(), "nothing is moved out of the folder")
	left, err := os.ReadDir(elsewhere)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestAFolderThatCannotBeUsedIsNamed(t *testing.T) {
	d := newDesk(t)
	require.NoError(t, Check(d.Path))
	require.Empty(t, d.all(), "nothing is left of the trial")
	require.ErrorIs(t, Check(filepath.Join(d.Path, "none")), fs.ErrNotExist)
	d.put("file", "x")
	require.ErrorContains(t, Check(filepath.Join(d.Path, "file")), "is no folder")
	d.put(Rejected, "x")
	require.ErrorContains(t, Check(d.Path), "rejected is no folder")
	_, err := (&Tray{Path: filepath.Join(d.Path, "none")}).Look(noon)
	require.ErrorIs(t, err, fs.ErrNotExist)
	if os.Getuid() != 0 { // who may write everywhere
		closed := filepath.Join(d.Path, "closed")
		require.NoError(t, os.Mkdir(closed, 0o500))
		require.ErrorContains(t, Check(closed), "cannot be written to")
	}
}

func TestNumbersStandBeforeTheEnding(t *testing.T) {
	for name, second := range map[string]string{"a.csv": "a-2.csv", "a": "a-2", "a.csv.gz": "a.csv-2.gz", "ngày.txt": "ngày-2.txt"} {
		require.Equal(t, name, numbered(name, 0))
		require.Equal(t, second, numbered(name, 1))
		require.False(t, strings.HasSuffix(numbered(name, 1), reasonEnds))
	}
}
