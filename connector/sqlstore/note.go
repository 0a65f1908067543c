package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// note is a line on its way to a subject's timeline.
type note struct {
	subject           int64
	at                time.Time
	actor, kind, text string
}

func writeNotes(ctx context.Context, tx *sqlx.Tx, notes []note) error {
	for part := range slices.Chunk(notes, 500) {
		args := make([]any, 0, 5*len(part))
		for _, n := range part {
			args = append(args, n.subject, stamped(n.at), n.actor, n.kind, clean(n.text))
		}
		if err := exec(ctx, tx, `insert into timeline (subject, at, actor, kind, text) values `+values(len(part), 5), args...); err != nil {
			return err
		}
	}
	return nil
}

// Timeline lists a subject's notes, oldest first. One nobody knows has none.
func (s *Store) Timeline(ctx context.Context, sub connector.Subject) ([]connector.Note, error) {
	var rows []struct {
		ID    int64  `db:"id"`
		At    stamp  `db:"at"`
		Actor string `db:"actor"`
		Kind  string `db:"kind"`
		Text  string `db:"text"`
	}
	err := s.reader.SelectContext(ctx, &rows, s.reader.Rebind(`
		select t.id, t.at, t.actor, t.kind, t.text from timeline t join subjects s on s.id = t.subject
		where s.kind = ? and s.channel = ? and s.ref = ? order by t.id`), string(sub.Kind), string(sub.Channel), sub.ID)
	out := make([]connector.Note, 0, len(rows))
	for _, r := range rows {
		out = append(out, connector.Note{ID: r.ID, At: r.At.Time, Actor: r.Actor, Kind: r.Kind, Text: r.Text})
	}
	return out, err
}
