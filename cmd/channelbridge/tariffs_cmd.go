package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

func newTariffs(a *app) *cobra.Command {
	return group("tariffs", "What channels take of an order, by date", newTariffsList(a), newTariffsAdd(a))
}

func newTariffsList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list CHANNEL",
		Short:   "List the tariffs of a channel",
		Example: "  channelbridge tariffs list amazon-us",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				kept, err := b.store.Tariffs(cmd.Context(), connector.ConnectionID(args[0]), b.clock())
				if err != nil {
					return fmt.Errorf("listing tariffs: %w", err)
				}
				list, rows := []payout.Tariff{}, [][]string{}
				for _, k := range kept {
					t, err := payout.DecodeTariff(k.Body)
					if err != nil {
						return err
					}
					list = append(list, t)
					rows = append(rows, []string{t.Key, string(t.Category), fmt.Sprintf("%d.%02d %%", t.RateBP/100, t.RateBP%100), when(t.From), when(t.To), orDash(t.Site), orDash(t.Note), k.Author})
				}
				if a.asJSON {
					return a.printJSON(list)
				}
				return table(a.stdout, "KEY\tCATEGORY\tRATE\tFROM\tTO\tSITE\tNOTE\tBY", rows)
			})
		},
	}
}

func newTariffsAdd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "add CHANNEL [FILE]",
		Short: "Add tariffs from a JSON file or standard input: one, or a list",
		Long: `Add tariffs of a channel. A tariff whose key is there already takes the place of the earlier one
from now on; reports about the past still see the earlier one. Rates are in basis points.`,
		Example: `  echo '{"key":"commission","category":"commission","rate_bp":1500,"valid_from":"2026-01-01T00:00:00Z"}' | channelbridge tariffs add amazon-us`,
		Args:    arguments(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := a.readInput(or(strings.Join(args[1:], ""), "-"))
			if err != nil {
				return err
			}
			list, err := tariffsIn(raw)
			if err != nil {
				return usage("%s", err)
			}
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				id := connector.ConnectionID(args[0])
				if l, ok := b.link(id); !ok || l.role != connector.RoleChannel {
					return usage("there is no channel %q", args[0])
				}
				for _, t := range list {
					body, err := t.Encode()
					if err != nil {
						return err
					}
					if _, err := b.store.KeepTariff(cmd.Context(), connector.Tariff{Account: id, Key: t.Key, KnownAt: b.clock(), Author: "operator", Body: body}); err != nil {
						return fmt.Errorf("keeping the tariff %s: %w", t.Key, err)
					}
					fmt.Fprintf(a.stdout, "tariff %s of %s is kept\n", t.Key, id)
				}
				return nil
			})
		},
	}
}

// tariffsIn reads one tariff or a list of them, and says all that is wrong with any.
func tariffsIn(raw []byte) ([]payout.Tariff, error) {
	var list []payout.Tariff
	if err := json.Unmarshal(raw, &list); err != nil {
		var one payout.Tariff
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, fmt.Errorf("this is no tariff: %w", err)
		}
		list = []payout.Tariff{one}
	}
	for _, t := range list {
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("tariff %q:\n%w", t.Key, err)
		}
	}
	return list, nil
}
