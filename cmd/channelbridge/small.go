package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"channelbridge/connector"
)

func newConfig(a *app) *cobra.Command {
	schema := false
	c := &cobra.Command{
		Use:   "config",
		Short: "Print the effective configuration, secrets masked",
		Args:  arguments(cobra.NoArgs),
		RunE: func(_ *cobra.Command, _ []string) error {
			if schema {
				out, err := configSchema()
				if err != nil {
					return err
				}
				_, err = a.stdout.Write(out)
				return err
			}
			cfg, err := a.config()
			if err != nil {
				return err
			}
			if a.asJSON {
				out, err := yaml.MarshalWithOptions(plain(reflect.ValueOf(*cfg), false), yaml.JSON())
				if err != nil {
					return err
				}
				_, err = a.stdout.Write(out)
				return err
			}
			text, err := cfg.masked()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(a.stdout, text)
			return err
		},
	}
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the configuration instead")
	return c
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  arguments(cobra.NoArgs),
		RunE: func(_ *cobra.Command, _ []string) error {
			if a.asJSON {
				return a.printJSON(map[string]string{"version": version, "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(a.stdout, "channelbridge %s (%s)\n", version, runtime.Version())
			return err
		},
	}
}

func newHealthcheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server on this machine whether it is ready; exit code 3 when not",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config()
			if err != nil {
				return err
			}
			if err := askReady(cmd.Context(), or(cfg.MetricsListen, cfg.Listen)); err != nil {
				fmt.Fprintf(a.stderr, "channelbridge: %s\n", err)
				return errUnhealthy
			}
			return nil
		},
	}
}

// askReady asks a server that listens on addr on this machine.
func askReady(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: %s", resp.Status)
	}
	return nil
}

// channelDays is how complete a channel's orders are.
type channelDays struct {
	Channel connector.ConnectionID `json:"channel"`
	Days    []connector.DayCount   `json:"days"`
}

func newCompleteness(a *app) *cobra.Command {
	days := 7
	c := &cobra.Command{
		Use:   "completeness",
		Short: "Count orders by day: seen at the channel, expected in the store, mirrored there",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 {
				return usage("--days must be at least 1")
			}
			return a.withBridge(cmd.Context(), func(b *bridge) error {
				views, err := b.completeness(cmd.Context(), days)
				if err != nil {
					return err
				}
				return a.printCompleteness(views)
			})
		},
	}
	c.Flags().IntVar(&days, "days", 7, "how many days back")
	return c
}

func (b *bridge) completeness(ctx context.Context, days int) ([]channelDays, error) {
	zone, err := time.LoadLocation(b.cfg.TimeZone)
	if err != nil {
		return nil, err
	}
	out := []channelDays{}
	for _, c := range b.states.all() {
		if c.Role != connector.RoleChannel {
			continue
		}
		counts, err := b.store.Completeness(ctx, c.ID, b.clock().AddDate(0, 0, 1-days), zone)
		if err != nil {
			return nil, fmt.Errorf("counting orders of %s: %w", c.ID, err)
		}
		out = append(out, channelDays{c.ID, nonNil(counts)})
	}
	slices.SortFunc(out, func(x, y channelDays) int { return compare(x.Channel, y.Channel) })
	return out, nil
}

func (a *app) printCompleteness(views []channelDays) error {
	if a.asJSON {
		return a.printJSON(views)
	}
	var rows [][]string
	for _, v := range views {
		for _, d := range v.Days {
			share := "-"
			if d.Expected > 0 {
				share = fmt.Sprintf("%.1f %%", 100*float64(d.Mirrored)/float64(d.Expected))
			}
			rows = append(rows, []string{string(v.Channel), d.Day, fmt.Sprint(d.Seen), fmt.Sprint(d.Expected), fmt.Sprint(d.Mirrored), share})
		}
	}
	return table(a.stdout, "CHANNEL\tDAY\tSEEN\tEXPECTED\tMIRRORED\tSHARE", rows)
}
