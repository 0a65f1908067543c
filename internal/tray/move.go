package tray

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// reasonEnds is what the name of a reason has behind the file's own.
const reasonEnds = ".reason.txt"

// mostNames bounds how many numbers are tried for a name.
const mostNames = 10_000

// move moves the file into a folder below, under a name that is free there. A file that was written
// to after it was found whole stays: what was read of it was not all.
func (f *File) move(folder, reason string) error {
	info, err := f.same()
	if err != nil {
		return err
	}
	if err := f.makeFolder(folder); err != nil {
		return err
	}
	to, err := f.reserve(folder, info.Mode().Perm(), reason)
	if err != nil {
		return err
	}
	if err := f.root.Rename(f.name, to); err != nil {
		for _, left := range []string{to, to + reasonEnds} { // of no use without the file
			if left == to || reason != "" {
				err = errors.Join(err, f.root.Remove(left))
			}
		}
		return fmt.Errorf("moving the file to %s: %w", folder, err)
	}
	delete(f.tray.seen, f.name)
	return nil
}

// makeFolder makes a folder below that is as open as the one above.
func (f *File) makeFolder(folder string) error {
	above, err := f.root.Stat(".")
	if err == nil {
		err = f.root.Mkdir(folder, above.Mode().Perm())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the folder %s: %w", folder, cause(err))
	}
	return nil
}

// reserve finds a name that is free, takes it with an empty file for the move to replace, and writes
// the reason beside it. The name of another file is never taken: it is made or it fails.
func (f *File) reserve(folder string, mode fs.FileMode, reason string) (string, error) {
	for n := range mostNames {
		to := path.Join(folder, numbered(f.name, n))
		err := f.write(to, mode, "")
		if err == nil && reason != "" {
			if err = f.write(to+reasonEnds, mode, reason+"\n"); err != nil {
				err = errors.Join(err, f.root.Remove(to))
			}
		}
		if err == nil {
			return to, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("taking a name in %s: %w", folder, cause(err))
		}
	}
	return "", fmt.Errorf("%s holds %d files of this name", folder, mostNames)
}

// write makes a file that was not there.
func (f *File) write(name string, mode fs.FileMode, text string) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o200)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// numbered is the name itself, then name-2.txt, name-3.txt.
func numbered(name string, n int) string {
	if n == 0 {
		return name
	}
	end := filepath.Ext(name)
	return strings.TrimSuffix(name, end) + "-" + strconv.Itoa(n+1) + end
}

// Check reports why files cannot be taken out of the folder: it is not there, or they could not be
// moved. It makes a file and takes it away again.
func Check(folder string) error {
	for _, where := range []string{folder, filepath.Join(folder, Imported), filepath.Join(folder, Rejected)} {
		info, err := os.Stat(where)
		switch {
		case errors.Is(err, fs.ErrNotExist) && where != folder:
			continue // it is made when it is needed
		case err != nil:
			return fmt.Errorf("the folder %s: %w", where, cause(err))
		case !info.IsDir():
			return fmt.Errorf("%s is no folder", where)
		}
		trial, err := os.CreateTemp(where, ".trial-*.tmp")
		if err != nil {
			return fmt.Errorf("the folder %s cannot be written to: %w", where, cause(err))
		}
		if err := errors.Join(trial.Close(), os.Remove(trial.Name())); err != nil {
			return fmt.Errorf("the folder %s cannot be written to: %w", where, err)
		}
	}
	return nil
}
