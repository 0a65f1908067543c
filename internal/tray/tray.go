// Package tray takes files out of a folder into which people and programs put them.
//
// Nobody says when a file is whole, so a file is taken once neither its size nor its time has
// changed between two looks that lie some time apart. Whoever wants to be safe writes under a name
// that is left alone (beginning with a dot, or ending in .part or .tmp) and renames.
//
// What was taken goes to imported, what could not be understood to rejected with the reason beside
// it, both below the folder. Nothing that is there is ever written over. A file is moved after it
// was taken in: a crash in between shows it again, and taking it in again has to change nothing.
//
// Links and folders are not followed.
package tray

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Rest is how long a file has to stay as it is to count as whole.
const Rest = 2 * time.Second

// Folders that files are moved to.
const (
	Imported = "imported"
	Rejected = "rejected"
)

// ErrChanged says that a file is not as it was when it was found whole. It is looked at again.
var ErrChanged = errors.New("the file has changed")

// Tray is one folder. It remembers what it saw, so the same one is asked each time; one goroutine
// at a time may use it.
type Tray struct {
	Path string
	seen map[string]seen
}

// seen is how a file was when it was first seen like that.
type seen struct {
	size    int64
	changed time.Time // its own time
	since   time.Time // of the look
}

func (s seen) as(info fs.FileInfo) bool {
	return s.size == info.Size() && s.changed.Equal(info.ModTime())
}

// Look gives the names of the files that are whole, the longest waiting first.
func (t *Tray) Look(now time.Time) ([]string, error) {
	entries, err := os.ReadDir(t.Path)
	if err != nil {
		return nil, fmt.Errorf("looking into the folder %s: %w", t.Path, cause(err))
	}
	before := t.seen
	t.seen = map[string]seen{}
	var whole []string
	for _, e := range entries {
		if !e.Type().IsRegular() || leftAlone(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it was taken away meanwhile
		}
		s, known := before[e.Name()]
		if !known || !s.as(info) {
			s = seen{info.Size(), info.ModTime(), now}
		}
		t.seen[e.Name()] = s
		if now.Sub(s.since) >= Rest {
			whole = append(whole, e.Name())
		}
	}
	slices.SortStableFunc(whole, func(a, b string) int {
		return cmp.Or(t.seen[a].changed.Compare(t.seen[b].changed), cmp.Compare(a, b))
	})
	return whole, nil
}

// leftAlone reports a name of a file that somebody is still at, or that is not meant to be seen.
func leftAlone(name string) bool {
	end := strings.ToLower(filepath.Ext(name))
	return strings.HasPrefix(name, ".") || end == ".part" || end == ".tmp"
}

// File is a whole file that is being taken.
type File struct {
	*os.File
	Size int64
	name string
	tray *Tray
	root *os.Root
}

// Open opens a file that Look has given. It has to be closed.
func (t *Tray) Open(name string) (*File, error) {
	root, err := os.OpenRoot(t.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the folder %s: %w", t.Path, cause(err))
	}
	f := &File{name: name, tray: t, root: root}
	if err := f.open(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return f, nil
}

func (f *File) open() error {
	info, err := f.same()
	if err != nil {
		return err
	}
	file, err := f.root.Open(f.name)
	if err != nil {
		return fmt.Errorf("opening the file: %w", cause(err))
	}
	opened, err := file.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = ErrChanged // a link was put in its place
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.File, f.Size = file, info.Size()
	return nil
}

// same looks whether the file is as it was when it was found whole.
func (f *File) same() (fs.FileInfo, error) {
	info, err := f.root.Lstat(f.name)
	if err != nil {
		return nil, fmt.Errorf("looking at the file: %w", cause(err))
	}
	if s, known := f.tray.seen[f.name]; !known || !info.Mode().IsRegular() || !s.as(info) {
		return nil, ErrChanged
	}
	return info, nil
}

// Close ends what Open began.
func (f *File) Close() error { return errors.Join(f.File.Close(), f.root.Close()) }

// Accept moves the file to those that were taken in.
func (f *File) Accept() error { return f.move(Imported, "") }

// Refuse moves the file to those that were not understood, with the reason in a file beside it.
func (f *File) Refuse(reason string) error { return f.move(Rejected, reason) }

// cause is an error without the path, which may be long and stands beside it.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
