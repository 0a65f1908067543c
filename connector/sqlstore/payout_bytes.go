package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"

	"channelbridge/connector"
)

// OpenSource reads a file's bytes; see connector.Payouts. A chunk is fetched when the one before it
// has been read, so a slow reader holds no connection.
func (s *Store) OpenSource(ctx context.Context, account connector.ConnectionID, hash string) (io.ReadCloser, error) {
	row, err := sourceOf(ctx, s.reader, account, hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = connector.ErrSourceMissing
	}
	if err != nil {
		return nil, fmt.Errorf("open payout file %s of %s: %w", hash, account, err)
	}
	fetch := func(no int) (body []byte, err error) {
		err = s.reader.GetContext(ctx, &body, s.reader.Rebind(`
			select body from payout_source_chunks where source = ? and chunk = ?`), row.ID, no)
		if err != nil {
			return nil, fmt.Errorf("read chunk %d of payout file %s of %s: %w", no, hash, account, err)
		}
		return body, nil
	}
	return &sourceReader{fetch: fetch, left: row.Size}, nil
}

// sourceReader reads a file chunk by chunk.
type sourceReader struct {
	fetch  func(no int) ([]byte, error)
	no     int
	rest   []byte // of the chunk under way
	left   int64  // of the file, rest included
	closed bool
}

// Read implements io.Reader.
func (r *sourceReader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, os.ErrClosed
	}
	if r.left <= 0 {
		return 0, io.EOF
	}
	if len(r.rest) == 0 {
		body, err := r.fetch(r.no + 1)
		if err != nil {
			return 0, err
		}
		r.no, r.rest = r.no+1, body
	}
	n := copy(p, r.rest)
	r.rest, r.left = r.rest[n:], r.left-int64(n)
	return n, nil
}

// Close implements io.Closer.
func (r *sourceReader) Close() error {
	r.closed, r.rest = true, nil
	return nil
}
