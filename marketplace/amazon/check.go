package amazon

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"channelbridge/marketplace"
)

// warnBefore is how early the end of a secret or an authorisation is announced.
const warnBefore = 30 * 24 * time.Hour

type participation struct {
	Marketplace   struct{ ID, Name string }
	Participation struct{ IsParticipating, HasSuspendedListings bool }
	StoreName     string
}

// Check makes one cheap call that proves credentials, region and reachability.
func (a *Adapter) Check(ctx context.Context) (marketplace.Health, error) {
	var body struct{ Payload []participation }
	head, err := a.api.read(ctx, request{op: opParticipations, method: http.MethodGet,
		path: "/sellers/v1/marketplaceParticipations", repeat: true}, &body)
	now := a.clock()
	if err != nil {
		return marketplace.Health{Warnings: a.endings(now)}, err
	}
	h := marketplace.Health{Account: a.cfg.SellerID, Warnings: a.endings(now)}
	if d, err := http.ParseTime(head.Get("Date")); err == nil {
		h.ClockSkew = d.Sub(now).Round(time.Second) // the header knows whole seconds
	}
	active := map[string]bool{}
	for _, p := range body.Payload {
		if !p.Participation.IsParticipating {
			continue
		}
		active[p.Marketplace.ID] = true
		h.Sites = append(h.Sites, p.Marketplace.ID)
		if p.StoreName != "" && h.Account == a.cfg.SellerID {
			h.Account = fmt.Sprintf("%s (%s)", p.StoreName, a.cfg.SellerID)
		}
		if p.Participation.HasSuspendedListings {
			h.Warnings = append(h.Warnings, fmt.Sprintf("%s has suspended listings", p.Marketplace.Name))
		}
	}
	for _, s := range a.cfg.Sites {
		if !active[s] {
			h.Warnings = append(h.Warnings, fmt.Sprintf("the seller does not take part in site %s", s))
		}
	}
	return h, nil
}

// endings warns of secrets that are about to end.
func (a *Adapter) endings(now time.Time) []string {
	var all []string
	for _, e := range []struct {
		what string
		at   time.Time
	}{{"the client secret", a.cfg.SecretExpires}, {"the seller's authorisation", a.cfg.AuthorizationExpires}} {
		switch {
		case e.at.IsZero() || e.at.Sub(now) > warnBefore:
		case e.at.After(now):
			all = append(all, fmt.Sprintf("%s ends on %s", e.what, e.at.UTC().Format(time.DateOnly)))
		default:
			all = append(all, fmt.Sprintf("%s ended on %s", e.what, e.at.UTC().Format(time.DateOnly)))
		}
	}
	return all
}
