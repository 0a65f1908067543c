package payout

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"channelbridge/internal/spool"
)

// Rows are rows of a report in its order. They lie in the report's spool and are read from there as
// they are wanted; any number of goroutines may.
type Rows[T any] struct {
	spool  *spool.Spool
	places int64 // where the list of their places begins
	n      int
	read   func(*reader) T
}

// Len is how many there are.
func (r Rows[T]) Len() int { return r.n }

// Part reads the rows from one number to before another.
func (r Rows[T]) Part(from, to int) ([]T, error) {
	if from < 0 || from > to || to > r.n {
		return nil, fmt.Errorf("rows %d to %d of %d", from, to, r.n)
	}
	list := make([]byte, placeSize*(to-from))
	if len(list) > 0 {
		if _, err := r.spool.ReadAt(list, r.places+placeSize*int64(from)); err != nil {
			return nil, err
		}
	}
	out := make([]T, 0, to-from)
	var buf []byte
	for at := range slices.Chunk(list, placeSize) {
		var err error
		if buf, err = recordAt(r.spool, int64(binary.BigEndian.Uint64(at)), buf); err != nil {
			return nil, err
		}
		d := &reader{b: buf}
		row := r.read(d)
		if err := d.end(); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// atOnce is how many rows are in memory while all are gone through.
const atOnce = 500

// All goes through the rows; after an error there are no more.
func (r Rows[T]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for from := 0; from < r.n; from += atOnce {
			rows, err := r.Part(from, min(from+atOnce, r.n))
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

const (
	placeSize = 8
	glimpse   = 512 // most records are no longer than this
)

// addRecord adds a record with its length in front.
func addRecord(s *spool.Spool, b []byte) (at int64, err error) {
	var head [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], uint64(len(b)))
	if at, err = s.Add(head[:n]); err == nil {
		_, err = s.Add(b)
	}
	return at, err
}

// recordAt reads the record at a place into buf, which grows as it has to.
func recordAt(s *spool.Spool, at int64, buf []byte) ([]byte, error) {
	buf = slices.Grow(buf[:0], glimpse)[:glimpse]
	n, err := s.ReadAt(buf, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	size, head := binary.Uvarint(buf[:n])
	if head <= 0 || size > uint64(s.Size()-at) {
		return nil, errTorn
	}
	if end := head + int(size); end <= n {
		return buf[head:end], nil
	}
	buf = slices.Grow(buf[:0], int(size))[:size]
	if _, err := s.ReadAt(buf, at+int64(head)); err != nil {
		return nil, err
	}
	return buf, nil
}

// place is where a row lies, and what it is sorted by.
type place struct{ key, at int64 }

// list writes the places of rows, sorted by their keys, and makes Rows of them. Rows with equal keys
// stay in the order they were written in.
func list[T any](s *spool.Spool, places []place, read func(*reader) T) (Rows[T], error) {
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.at, b.at)) })
	out := Rows[T]{spool: s, places: s.Size(), n: len(places), read: read}
	var b []byte
	for part := range slices.Chunk(places, atOnce) {
		b = b[:0]
		for _, p := range part {
			b = binary.BigEndian.AppendUint64(b, uint64(p.at))
		}
		if _, err := s.Add(b); err != nil {
			return out, err
		}
	}
	return out, nil
}

// cursor goes through records one after the other, in the order they were added.
type cursor struct {
	from *bufio.Reader
	buf  []byte
}

func newCursor(s *spool.Spool) *cursor {
	return &cursor{from: bufio.NewReaderSize(io.NewSectionReader(s, 0, s.Size()), 64<<10)}
}

// next is the next record, good until the one after it; io.EOF.
func (c *cursor) next() (*reader, error) {
	n, err := binary.ReadUvarint(c.from)
	if err != nil {
		return nil, err
	}
	c.buf = slices.Grow(c.buf[:0], int(n))[:n]
	if _, err := io.ReadFull(c.from, c.buf); err != nil {
		return nil, err
	}
	return &reader{b: c.buf}, nil
}
