package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// subjectRow is a whole row of subjects.
type subjectRow struct {
	anchor
	Revision      int64  `db:"revision"`
	Token         int64  `db:"token"`
	NextAt        stamp  `db:"next_at"`
	LeaseUntil    stamp  `db:"lease_until"`
	DueAt         stamp  `db:"due_at"`
	Failures      int    `db:"failures"`
	HeardMarket   stamp  `db:"heard_market"`
	HeardMarketAt stamp  `db:"heard_market_at"`
	HeardShop     stamp  `db:"heard_shop"`
	HeardShopAt   stamp  `db:"heard_shop_at"`
	LookedMarket  stamp  `db:"looked_market"`
	TroubleMarket string `db:"trouble_market"`
	LookedShop    stamp  `db:"looked_shop"`
	TroubleShop   string `db:"trouble_shop"`
	FirstSeen     stamp  `db:"first_seen"`
	Lifecycle     string `db:"lifecycle"`
	Fulfillment   string `db:"fulfillment"`
	FulfilledBy   string `db:"fulfilled_by"`
	Number        string `db:"number"`
	PlacedAt      stamp  `db:"placed_at"`
	ShipBy        stamp  `db:"ship_by"`
	Mirrored      bool   `db:"mirrored"`
	Expected      bool   `db:"expected"`
	Final         bool   `db:"final"`
}

const subjectColumns = `id, kind, channel, ref, shop_store, shop_id, revision, token, next_at, lease_until, due_at,
	failures, heard_market, heard_market_at, heard_shop, heard_shop_at,
	looked_market, trouble_market, looked_shop, trouble_shop, first_seen,
	lifecycle, fulfillment, fulfilled_by, number, placed_at, ship_by, mirrored, expected, final`

// subject reads a subject's row, with the ending given to the statement ("" or a lock).
func subject(ctx context.Context, tx *sqlx.Tx, sub connector.Subject, ending string) (*subjectRow, error) {
	var r subjectRow
	err := get(ctx, tx, &r, `select `+subjectColumns+` from subjects where kind = ? and channel = ? and ref = ?`+ending,
		string(sub.Kind), string(sub.Channel), sub.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, connector.ErrNotFound
	}
	return &r, err
}

func (r *subjectRow) summary() connector.Summary {
	return connector.Summary{
		Lifecycle: r.Lifecycle, Fulfillment: r.Fulfillment, FulfilledBy: r.FulfilledBy, Number: r.Number,
		PlacedAt: r.PlacedAt.Time, ShipBy: r.ShipBy.Time, Mirrored: r.Mirrored, Expected: r.Expected,
	}
}

// Load reads all that is known of a subject, as of one moment; see connector.Queue.
func (s *Store) Load(ctx context.Context, sub connector.Subject) (connector.Record, error) {
	var out connector.Record
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		r, err := subject(ctx, tx, sub, "")
		if err != nil {
			return err
		}
		out = connector.Record{
			Subject: sub, Revision: r.Revision, Shop: r.shop(), FirstSeen: r.FirstSeen.Time,
			HeardMarket: connector.Heard{Version: r.HeardMarket.Time, At: r.HeardMarketAt.Time},
			HeardShop:   connector.Heard{Version: r.HeardShop.Time, At: r.HeardShopAt.Time},
			LookMarket:  connector.Look{At: r.LookedMarket.Time, Trouble: r.TroubleMarket},
			LookShop:    connector.Look{At: r.LookedShop.Time, Trouble: r.TroubleShop},
			NextAt:      r.NextAt.Time, DueAt: r.DueAt.Time, Summary: r.summary(), Final: r.Final,
		}
		if err := loadSnapshots(ctx, tx, r.ID, &out); err != nil {
			return err
		}
		if out.Entries, err = entriesOf(ctx, tx, r.anchor); err != nil {
			return err
		}
		open, err := openHolds(ctx, tx, []int64{r.ID})
		out.Holds = open[r.ID]
		return err
	})
	return out, err
}

func loadSnapshots(ctx context.Context, tx *sqlx.Tx, subject int64, out *connector.Record) error {
	var rows []struct {
		Side       string `db:"side"`
		Version    stamp  `db:"version"`
		ObservedAt stamp  `db:"observed_at"`
		Body       []byte `db:"body"`
		Fault      string `db:"fault"`
	}
	err := selects(ctx, tx, &rows, `select side, version, observed_at, body, fault from snapshots where subject = ?`, subject)
	for _, r := range rows {
		snap := &connector.Snapshot{Version: r.Version.Time, ObservedAt: r.ObservedAt.Time, Body: r.Body, Fault: r.Fault}
		if connector.Side(r.Side) == connector.Market {
			out.Market = snap
		} else {
			out.Store = snap
		}
	}
	return err
}
