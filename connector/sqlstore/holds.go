package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// holdRow is an open hold.
type holdRow struct {
	ID      int64  `db:"id"`
	Subject int64  `db:"subject"`
	Kind    string `db:"kind"`
	About   string `db:"about"`
	Level   string `db:"level"`
	Reason  string `db:"reason"`
	Hint    string `db:"hint"`
	Since   stamp  `db:"since"`
}

func (r holdRow) hold() connector.Hold {
	return connector.Hold{Kind: r.Kind, About: r.About, Level: connector.Level(r.Level), Reason: r.Reason, Hint: r.Hint, Since: r.Since.Time}
}

// holdKey says which hold of a subject one is; its texts may change.
type holdKey struct{ kind, about string }

func readHolds(ctx context.Context, tx *sqlx.Tx, subjects []int64) ([]holdRow, error) {
	var all []holdRow
	for part := range slices.Chunk(subjects, 500) {
		args := make([]any, 0, len(part))
		for _, id := range part {
			args = append(args, id)
		}
		var rows []holdRow
		if err := selects(ctx, tx, &rows, `
			select id, subject, kind, about, level, reason, hint, since from holds
			where cleared_at is null and subject in `+list(len(part)), args...); err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	slices.SortFunc(all, func(a, b holdRow) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// openHolds reads the open holds of subjects, oldest first.
func openHolds(ctx context.Context, tx *sqlx.Tx, subjects []int64) (map[int64][]connector.Hold, error) {
	rows, err := readHolds(ctx, tx, subjects)
	out := map[int64][]connector.Hold{}
	for _, r := range rows {
		out[r.Subject] = append(out[r.Subject], r.hold())
	}
	return out, err
}

// changeHolds makes the open holds of a subject those given and notes what opened and closed.
func changeHolds(ctx context.Context, tx *sqlx.Tx, subject int64, now time.Time, want []connector.Hold) error {
	stored, err := readHolds(ctx, tx, []int64{subject})
	if err != nil {
		return err
	}
	old := map[holdKey]holdRow{}
	for _, r := range stored {
		old[holdKey{r.Kind, r.About}] = r
	}
	var notes []note
	kept := map[holdKey]bool{}
	for _, h := range want {
		h.Kind, h.About, h.Reason, h.Hint = clean(h.Kind), clean(h.About), clean(h.Reason), clean(h.Hint)
		key := holdKey{h.Kind, h.About}
		if kept[key] {
			continue
		}
		kept[key] = true
		r, known := old[key]
		if !known {
			notes = append(notes, note{subject, now, "system", "hold", "hold opened: " + h.Reason})
		}
		if err := writeHold(ctx, tx, subject, now, h, r.ID, known && r.hold() == withSince(h, r)); err != nil {
			return err
		}
	}
	for _, r := range stored {
		if kept[holdKey{r.Kind, r.About}] {
			continue
		}
		notes = append(notes, note{subject, now, "system", "hold", "hold cleared: " + r.Reason})
		if err := exec(ctx, tx, `update holds set cleared_at = ? where id = ?`, stamped(now), r.ID); err != nil {
			return err
		}
	}
	return writeNotes(ctx, tx, notes)
}

func withSince(h connector.Hold, r holdRow) connector.Hold {
	h.Since = r.Since.Time
	return h
}

// writeHold opens a hold, or brings the texts of the one with the id up to date.
func writeHold(ctx context.Context, tx *sqlx.Tx, subject int64, now time.Time, h connector.Hold, id int64, same bool) error {
	switch {
	case same:
		return nil
	case id != 0:
		return exec(ctx, tx, `update holds set level = ?, reason = ?, hint = ? where id = ?`, string(h.Level), h.Reason, h.Hint, id)
	}
	return exec(ctx, tx, `insert into holds (subject, kind, about, level, reason, hint, since) values (?, ?, ?, ?, ?, ?, ?)`,
		subject, h.Kind, h.About, string(h.Level), h.Reason, h.Hint, stamped(now))
}
