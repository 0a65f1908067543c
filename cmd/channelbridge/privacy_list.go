package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/shopadmin"
)

func newPrivacy(a *app) *cobra.Command {
	return group("privacy", "See demands about personal data and what became of them", newPrivacyList(a), newPrivacyDone(a))
}

// demandView is a demand for people and programs.
type demandView struct {
	Row        int64                  `json:"row"`
	Connection connector.ConnectionID `json:"connection"`
	Kind       shopadmin.PrivacyKind  `json:"kind"`
	Topic      string                 `json:"topic"`
	ReceivedAt time.Time              `json:"received_at"`
	Due        time.Time              `json:"due,omitzero"`
	Orders     []shopadmin.OrderID    `json:"orders"`
	State      string                 `json:"state"` // open, to_answer, done
	Text       string                 `json:"text,omitempty"`
}

func viewDemand(d demand) demandView {
	v := demandView{Row: d.Row, Connection: d.Connection, Kind: d.Kind, Topic: d.Topic, ReceivedAt: d.ReceivedAt, Due: d.Due, Orders: nonNil(d.Orders),
		State: "done", Text: d.Done.Reason}
	switch {
	case d.Done.At.IsZero():
		v.State = "open"
	case d.Done.On:
		v.State = "to_answer"
	}
	return v
}

func newPrivacyList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List demands about personal data that stores passed on",
		Long: `List demands about personal data that stores passed on, newest last. What a customer or a shop
wants deleted is deleted by the running server; what a customer wants to know is answered by a
person: the text says what is kept of his orders and until when.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				views := []demandView{}
				for _, l := range b.all() {
					if len(l.privacy) == 0 {
						continue
					}
					list, err := b.demands(cmd.Context(), l)
					if err != nil {
						return err
					}
					for _, d := range list {
						views = append(views, viewDemand(d))
					}
				}
				if a.asJSON {
					return a.printJSON(views)
				}
				var rows [][]string
				for _, v := range views {
					rows = append(rows, []string{fmt.Sprint(v.Row), string(v.Connection), v.Topic, when(v.ReceivedAt), when(v.Due), v.State, orDash(v.Text)})
				}
				return table(a.stdout, "ROW\tCONNECTION\tDEMAND\tRECEIVED\tDUE\tSTATE\tWHAT BECAME OF IT", rows)
			})
		},
	}
}

func newPrivacyDone(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "done ROW",
		Short:   "Say that a customer was told what is kept of him",
		Example: "  channelbridge privacy done 42",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			row, err := rowOf(args[0])
			if err != nil {
				return err
			}
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				s, err := b.store.Switch(cmd.Context(), demandSwitch(row))
				if err != nil {
					return err
				}
				if s.At.IsZero() {
					return fmt.Errorf("demand %d: %w", row, connector.ErrNotFound)
				}
				if s.On {
					s.On, s.Actor, s.At = false, connector.Operator, b.clock()
					if err := b.store.SetSwitch(cmd.Context(), s); err != nil {
						return fmt.Errorf("demand %d: %w", row, err)
					}
				}
				fmt.Fprintf(a.stdout, "demand %d is answered\n", row)
				return nil
			})
		},
	}
}
