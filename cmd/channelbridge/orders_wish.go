package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
)

// operator names the person at the command line in the timeline and the audit record.
func operator() string {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return connector.Operator
	}
	return connector.Operator + ":" + oneLine(u.Username)
}

// acting runs f with the open database; what it records is done by the person at the command line.
func (a *app) acting(ctx context.Context, f func(context.Context, *sqlstore.Store) error) error {
	return a.withStore(ctx, func(_ *Config, s *sqlstore.Store) error { return f(connector.As(ctx, operator()), s) })
}

// keptWish is a wish as it is printed.
type keptWish struct {
	connector.Wish
	Fresh bool `json:"fresh"` // false: it was asked for with this key before
}

// keep keeps what was asked for. Without a key a new one is made, so that it is surely new.
func (a *app) keep(ctx context.Context, s connector.Wishes, w connector.Wish, key string) (keptWish, error) {
	w.Actor, w.At, w.Key = operator(), a.clock(), wishKey(key)
	kept, fresh, err := s.Wish(ctx, w)
	if errors.Is(err, connector.ErrKeyReused) {
		return keptWish{}, usage("%w: leave out --key, or take another one", err)
	}
	if err != nil {
		return keptWish{}, fmt.Errorf("keeping the wish to %s order %s: %w", w.Kind, w.Subject, err)
	}
	return keptWish{kept, fresh}, nil
}

// wishKey is apart from the keys of the API, which begin with a token's id.
func wishKey(key string) string {
	if key == "" {
		key = rand.Text()
	}
	return "cli/" + key
}

func newOrdersHold(a *app) *cobra.Command {
	return a.wishing(connector.WishHold, "no money moves until it is released", &cobra.Command{
		Use:   "hold ORDER",
		Short: "Move no money for an order until it is released",
		Long: `Move no money for an order until it is released. Refunds and cancellations of the store are
kept and go on after that; nothing is lost by it. Shipments are still confirmed.`,
		Example: "  channelbridge orders hold amazon-us/112-1234567-1234567 --reason 'asked the buyer first'",
	})
}

func newOrdersRelease(a *app) *cobra.Command {
	return a.wishing(connector.WishRelease, "released", &cobra.Command{
		Use:     "release ORDER",
		Short:   "End a hold: money moves again as the two sides say",
		Example: "  channelbridge orders release amazon-us/112-1234567-1234567 --reason 'the buyer answered'",
	})
}

// wishing completes a command whose wish is about the whole order and needs no preview.
func (a *app) wishing(kind connector.WishKind, done string, c *cobra.Command) *cobra.Command {
	var reason string
	reasonFlag(c, &reason)
	c.Args = arguments(cobra.ExactArgs(1))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.ask(cmd, args[0], connector.Wish{Kind: kind, Reason: reason}, done)
	}
	return c
}

// reasonFlag lets a command say why.
func reasonFlag(c *cobra.Command, reason *string) {
	c.Flags().StringVar(reason, "reason", "", "why, for those who see it later")
}

func newOrdersApprove(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "approve ORDER ABOUT",
		Short: "Let go on what waits for a person",
		Long: `Let go on what waits for a person: a refund above the limit after a reconnection, or one that is
meant in addition to what the channel has given back already. ABOUT is what the hold names, see
"channelbridge orders money ORDER".`,
		Example: "  channelbridge orders approve amazon-us/112-1234567-1234567 gid://shopify/Refund/929361462",
		Args:    arguments(cobra.ExactArgs(2)),
	}
	var reason string
	reasonFlag(c, &reason)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if strings.TrimSpace(args[1]) == "" {
			return usage("ABOUT is empty: it is what the hold names, see `channelbridge orders money %s`", args[0])
		}
		return a.ask(cmd, args[0], connector.Wish{Kind: connector.WishApprove, About: args[1], Reason: reason}, args[1]+" may go on")
	}
	return c
}

// ask keeps a wish that needs no preview.
func (a *app) ask(cmd *cobra.Command, name string, w connector.Wish, done string) error {
	return a.acting(cmd.Context(), func(ctx context.Context, s *sqlstore.Store) error {
		rec, err := findOrder(ctx, s, name)
		if err != nil {
			return err
		}
		w.Subject = rec.Subject
		kept, err := a.keep(ctx, s, w, "")
		if err != nil {
			return err
		}
		if a.asJSON {
			return a.printJSON(kept)
		}
		_, err = fmt.Fprintf(a.stdout, "%s: %s\n", rec.Subject, oneLine(done))
		return err
	})
}
