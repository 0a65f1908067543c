// Package spool keeps what is too much for memory while an answer is made: bytes that are only ever
// added to, and read again at any place. The first of them stay in memory; once they are many, all
// lie in a file without a name, which is gone with the process, however that ends.
package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Bounds of what is in memory.
const (
	small = 1 << 20   // as much needs no file
	piece = 256 << 10 // of a file, written at once
)

// Spool is one such store. Adding is for one goroutine; once nothing is added any more, any number
// may read. One that is forgotten gives its file back when it is collected.
type Spool struct {
	dir    string
	tail   []byte // what is not in the file yet
	file   *os.File
	inFile int64
}

// New makes an empty one whose file, should it need one, is made in dir, which is made as well; "":
// where the system keeps temporary files.
func New(dir string) *Spool { return &Spool{dir: dir} }

// Add adds bytes and says where they begin.
func (s *Spool) Add(b []byte) (at int64, err error) {
	at = s.Size()
	s.tail = append(s.tail, b...)
	if len(s.tail) >= small || s.file != nil && len(s.tail) >= piece {
		err = s.spill()
	}
	return at, err
}

// Size is how many bytes there are.
func (s *Spool) Size() int64 { return s.inFile + int64(len(s.tail)) }

// spill moves what is in memory to the file.
func (s *Spool) spill() error {
	if s.file == nil {
		if s.dir != "" {
			if err := os.MkdirAll(s.dir, 0o700); err != nil {
				return fmt.Errorf("a folder for what does not fit into memory: %w", err)
			}
		}
		f, err := os.CreateTemp(s.dir, "spool-*")
		if err != nil {
			return fmt.Errorf("a file for what does not fit into memory: %w", err)
		}
		if err := os.Remove(f.Name()); err != nil { // the open file stays
			return errors.Join(fmt.Errorf("a file for what does not fit into memory: %w", err), f.Close())
		}
		s.file = f
	}
	n, err := s.file.Write(s.tail)
	s.inFile += int64(n)
	if err != nil {
		return fmt.Errorf("writing what does not fit into memory: %w", err)
	}
	if s.tail = s.tail[:0]; cap(s.tail) > 2*piece {
		s.tail = make([]byte, 0, piece+piece/4)
	}
	return nil
}

// ReadAt reads at a place; see io.ReaderAt.
func (s *Spool) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 || at >= s.Size() {
		return 0, io.EOF
	}
	if at < s.inFile {
		n, err = s.file.ReadAt(p[:min(int64(len(p)), s.inFile-at)], at)
		if err != nil {
			return n, fmt.Errorf("reading what does not fit into memory: %w", err)
		}
	}
	if n < len(p) {
		n += copy(p[n:], s.tail[at+int64(n)-s.inFile:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Close gives the file back. Nothing can be read then.
func (s *Spool) Close() error {
	s.tail = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
