package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

type deliveryRow struct {
	ID         int64   `db:"id"`
	Connection string  `db:"connection"`
	DeliveryID *string `db:"delivery_id"`
	EventID    string  `db:"event_id"`
	Topic      string  `db:"topic"`
	ReceivedAt stamp   `db:"received_at"`
	Verdict    string  `db:"verdict"`
	Reason     string  `db:"reason"`
	Header     string  `db:"header"`
	Body       []byte  `db:"body"`
	Size       int     `db:"size"`
	Repeats    int     `db:"repeats"`
	ReplayedAt stamp   `db:"replayed_at"`
}

const deliveryRead = `id, connection, delivery_id, event_id, topic, received_at, verdict, reason, header, size, repeats, replayed_at`

func (r deliveryRow) delivery() (connector.Delivery, error) {
	d := connector.Delivery{
		Row: r.ID, Connection: connector.ConnectionID(r.Connection), EventID: r.EventID, Topic: r.Topic,
		ReceivedAt: r.ReceivedAt.Time, Verdict: connector.Verdict(r.Verdict), Reason: r.Reason,
		Body: r.Body, Size: r.Size, Repeats: r.Repeats, ReplayedAt: r.ReplayedAt.Time,
	}
	if r.DeliveryID != nil {
		d.ID = *r.DeliveryID
	}
	if r.Header == "" {
		return d, nil
	}
	return d, json.Unmarshal([]byte(r.Header), &d.Header)
}

// Deliveries lists deliveries without their bodies, newest first; see connector.Reader.
func (s *Store) Deliveries(ctx context.Context, f connector.DeliveryFilter) ([]connector.Delivery, error) {
	where, args := []string{"true"}, []any{}
	if f.Connection != "" {
		where, args = append(where, "connection = ?"), append(args, string(f.Connection))
	}
	if f.Verdict != "" {
		where, args = append(where, "verdict = ?"), append(args, string(f.Verdict))
	}
	if f.Before != 0 {
		where, args = append(where, "id < ?"), append(args, f.Before)
	}
	if len(f.Topics) > 0 {
		where = append(where, "topic in "+list(len(f.Topics)))
		for _, t := range f.Topics {
			args = append(args, t)
		}
	}
	var rows []deliveryRow
	if err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
		select `+deliveryRead+` from deliveries where `+strings.Join(where, " and ")+` order by id desc limit ?`),
		append(args, limit(f.Limit))...); err != nil {
		return nil, err
	}
	var out []connector.Delivery
	for _, r := range rows {
		d, err := r.delivery()
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// Delivery reads one delivery with its body.
func (s *Store) Delivery(ctx context.Context, row int64) (connector.Delivery, error) {
	var r deliveryRow
	err := s.reader.GetContext(ctx, &r, s.reader.Rebind(`select body, `+deliveryRead+` from deliveries where id = ?`), row)
	if errors.Is(err, sql.ErrNoRows) {
		return connector.Delivery{}, connector.ErrNotFound
	}
	if err != nil {
		return connector.Delivery{}, err
	}
	return r.delivery()
}

// Purge deletes the oldest deliveries received before the instant; see connector.Store.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := s.write(ctx, func(tx *sqlx.Tx) error {
		res, err := tx.ExecContext(ctx, tx.Rebind(`
			delete from deliveries where id in (
				select id from deliveries where received_at < ? order by received_at limit ?)`), stamped(before), limit)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return int(n), err
}

// Ping writes one small row, so that a database that is full or read-only is noticed.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.write(ctx, func(tx *sqlx.Tx) error {
		return exec(ctx, tx, `insert into pulse (id, beats) values (1, 1) on conflict (id) do update set beats = pulse.beats + 1`)
	})
}
