package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

const (
	// sourceChunk is how many bytes of a file one row holds, and how many are in memory.
	sourceChunk = 256 << 10
	// longestArrival is how long a file may take to arrive. What is older was cut off by a crash.
	longestArrival = 24 * time.Hour
)

// KeepSource stores a file's bytes; see connector.Payouts. A file may come slowly and be large, so
// no transaction lasts as long as it does: each chunk is committed by itself, unseen, and the last
// one makes the file visible.
func (s *Store) KeepSource(ctx context.Context, p connector.PayoutSource, body io.Reader) (connector.PayoutSource, bool, error) {
	p.Hash, p.Size, p.State, p.Reason = "", 0, connector.SourceKept, ""
	p.Name, p.Origin, p.By, p.Format = clean(p.Name), clean(p.Origin), clean(p.By), clean(p.Format)
	a := &arrival{store: s, file: p, hash: sha256.New()}
	kept, fresh, err := a.take(ctx, body)
	if err != nil {
		err = fmt.Errorf("keep payout file %s of %s: %w", p.Name, p.Account, err)
		return connector.PayoutSource{}, false, errors.Join(err, a.drop(context.WithoutCancel(ctx)))
	}
	return kept, fresh, nil
}

// arrival is a file on its way in. A file of less than a chunk needs no row before its end.
type arrival struct {
	store  *Store
	file   connector.PayoutSource
	hash   hash.Hash
	id     int64 // of its row; 0: none yet
	chunks int
}

func (a *arrival) take(ctx context.Context, body io.Reader) (connector.PayoutSource, bool, error) {
	buf := make([]byte, sourceChunk)
	for {
		n, over, err := fillChunk(body, buf)
		if err != nil {
			return connector.PayoutSource{}, false, fmt.Errorf("read it: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return connector.PayoutSource{}, false, err
		}
		_, _ = a.hash.Write(buf[:n]) // a hash takes everything
		a.file.Size += int64(n)
		if over {
			return a.end(ctx, buf[:n])
		}
		if err := a.chunk(ctx, buf); err != nil {
			return connector.PayoutSource{}, false, err
		}
	}
}

// fillChunk reads until buf is full or the file is over. Unlike io.ReadFull it tells a file that is
// over from a body that was cut off, which is io.ErrUnexpectedEOF.
func fillChunk(body io.Reader, buf []byte) (n int, over bool, err error) {
	for n < len(buf) {
		m, err := body.Read(buf[n:])
		n += m
		if err == io.EOF {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}

// chunk commits a full one.
func (a *arrival) chunk(ctx context.Context, body []byte) error {
	id := a.id
	err := a.store.write(ctx, func(tx *sqlx.Tx) error {
		if a.id == 0 {
			if err := sweepArrivals(ctx, tx, a.file.KeptAt.Add(-longestArrival)); err != nil {
				return err
			}
			row, err := insertSource(ctx, tx, a.file)
			if err != nil {
				return err
			}
			id = row.ID
		}
		return insertChunk(ctx, tx, id, a.chunks+1, body)
	})
	if err == nil {
		a.id, a.chunks = id, a.chunks+1
	}
	return err
}

// end commits the last chunk, which may be empty, and the file with it, unless it is there already.
func (a *arrival) end(ctx context.Context, body []byte) (kept connector.PayoutSource, fresh bool, err error) {
	a.file.Hash = hex.EncodeToString(a.hash.Sum(nil))
	err = a.store.write(ctx, func(tx *sqlx.Tx) error {
		if err := a.store.alone(ctx, tx, "payout file/"+string(a.file.Account)+"/"+a.file.Hash); err != nil {
			return err
		}
		row, err := sourceOf(ctx, tx, a.file.Account, a.file.Hash)
		if err == nil {
			kept, fresh = row.source(), false
			return dropArrival(ctx, tx, a.id)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if row, err = a.complete(ctx, tx); err != nil {
			return err
		}
		kept, fresh = row.source(), true
		if len(body) == 0 {
			return nil
		}
		return insertChunk(ctx, tx, row.ID, a.chunks+1, body)
	})
	return kept, fresh, err
}

// complete makes the file one that is kept.
func (a *arrival) complete(ctx context.Context, tx *sqlx.Tx) (row sourceRow, err error) {
	if a.id == 0 {
		return insertSource(ctx, tx, a.file)
	}
	err = get(ctx, tx, &row, `
		update payout_sources set hash = ?, size = ?, state = ? where id = ? returning `+sourceColumns,
		a.file.Hash, a.file.Size, string(connector.SourceKept), a.id)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("it took longer than %s to arrive", longestArrival)
	}
	return row, err
}

// drop takes back what arrived of a file that does not end well.
func (a *arrival) drop(ctx context.Context) error {
	if a.id == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, a.store.timeout)
	defer stop()
	return a.store.write(ctx, func(tx *sqlx.Tx) error { return dropArrival(ctx, tx, a.id) })
}

func insertChunk(ctx context.Context, tx *sqlx.Tx, source int64, no int, body []byte) error {
	return exec(ctx, tx, `insert into payout_source_chunks (source, chunk, body) values (?, ?, ?)`, source, no, body)
}

func dropArrival(ctx context.Context, tx *sqlx.Tx, id int64) error {
	if id == 0 {
		return nil
	}
	if err := exec(ctx, tx, `
		delete from payout_source_chunks where source in (select id from payout_sources where id = ? and state = ?)`,
		id, sourceArriving); err != nil {
		return err
	}
	return exec(ctx, tx, `delete from payout_sources where id = ? and state = ?`, id, sourceArriving)
}

// sweepArrivals takes back what began before the instant and never ended.
func sweepArrivals(ctx context.Context, tx *sqlx.Tx, before time.Time) error {
	var ids []int64
	if err := selects(ctx, tx, &ids, `select id from payout_sources where state = ? and kept_at < ? order by id`,
		sourceArriving, version(before)); err != nil {
		return err
	}
	for _, id := range ids {
		if err := dropArrival(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}
