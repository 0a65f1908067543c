package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/httpapi"
)

func newTokens(a *app) *cobra.Command {
	return group("tokens", "Make, see and revoke tokens of the API", newTokensCreate(a), newTokensList(a), newTokensRevoke(a))
}

// createdToken is a new token with its text, which is printed this once.
type createdToken struct {
	connector.Token
	Text string `json:"token"`
}

func newTokensCreate(a *app) *cobra.Command {
	var name string
	var scopes, accounts []string
	var expires Duration
	c := &cobra.Command{
		Use:   "create --name NAME --scope SCOPE...",
		Short: "Make a token; its text is printed once and kept nowhere",
		Long: `Make a token for a program or a person. Its text is printed once; only a hash of it is kept.
The name stands in the audit record beside everything done with the token. With --account it sees
the payouts of these channels alone, as if there were no others; it may then have only the scopes
payouts:read and payouts:write.

Scopes: ` + strings.Join(httpapi.Scopes, ", "),
		Example: `  channelbridge tokens create --name helpdesk --scope orders:read --scope refunds:write --expires 90d
  channelbridge tokens create --name accountant --scope payouts:read --account amazon-us`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			now, until := a.clock().UTC(), time.Time{}
			if cmd.Flags().Changed("expires") {
				until = now.Add(time.Duration(expires))
			}
			if cmd.Flags().Changed("account") && len(accounts) == 0 {
				return usage("--account is empty: name a channel, or leave it out for a token that sees all")
			}
			t, text, err := httpapi.NewToken(name, scopes, now, until, ids(accounts)...)
			if err != nil {
				return usage("%w", err)
			}
			return a.withStore(cmd.Context(), func(cfg *Config, s *sqlstore.Store) error {
				if err := areChannels(cmd.Context(), cfg, s, t.Accounts); err != nil {
					return err
				}
				if err := s.PutToken(cmd.Context(), t); err != nil {
					return fmt.Errorf("keeping the token %s: %w", name, err)
				}
				if a.asJSON {
					return a.printJSON(createdToken{t, text.Reveal()})
				}
				fmt.Fprintf(a.stderr, "This is the only time the token is shown. Its id is %s, it %s.\n", t.ID, ends(t))
				_, err := fmt.Fprintln(a.stdout, text.Reveal())
				return err
			})
		},
	}
	c.Flags().StringVar(&name, "name", "", "whose token it is")
	c.Flags().StringSliceVar(&scopes, "scope", nil, "what it may do; may be given more than once")
	c.Flags().StringSliceVar(&accounts, "account", nil, "a channel whose payouts it may see; may be given more than once (default all)")
	c.Flags().TextVar(&expires, "expires", Duration(0), "how long it is valid, such as 12h or 90d (default for ever)")
	return c
}

func ids(names []string) []connector.ConnectionID {
	var out []connector.ConnectionID
	for _, n := range names {
		out = append(out, connector.ConnectionID(n))
	}
	return out
}

// areChannels refuses a name that is no channel, of the configuration or of the database: a token
// bound to a misspelt one would see nothing, and nobody would know why.
func areChannels(ctx context.Context, cfg *Config, s *sqlstore.Store, names []connector.ConnectionID) error {
	known := map[connector.ConnectionID]bool{}
	for _, c := range cfg.Connections {
		known[connector.ConnectionID(c.ID)] = c.role() == connector.RoleChannel
	}
	kept, err := s.Connections(ctx)
	if err != nil {
		return fmt.Errorf("listing connections: %w", err)
	}
	for _, c := range kept {
		known[c.ID] = known[c.ID] || c.Role == connector.RoleChannel
	}
	for _, n := range names {
		if !known[n] {
			return usage("--account %s: there is no such channel", n)
		}
	}
	return nil
}

func ends(t connector.Token) string {
	if t.ExpiresAt.IsZero() {
		return "never expires"
	}
	return "expires " + when(t.ExpiresAt)
}

func newTokensList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all tokens, also expired and revoked ones",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				list, err := s.Tokens(cmd.Context())
				if err != nil {
					return fmt.Errorf("listing tokens: %w", err)
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				var rows [][]string
				for _, t := range list {
					rows = append(rows, []string{t.ID, t.Name, tokenState(t, a.clock()), strings.Join(t.Scopes, ","), sees(t), when(t.CreatedAt), when(t.ExpiresAt), when(t.UsedAt)})
				}
				return table(a.stdout, "ID\tNAME\tSTATE\tSCOPES\tACCOUNTS\tCREATED\tEXPIRES\tLAST USED", rows)
			})
		},
	}
}

// sees is whose payouts a token may see.
func sees(t connector.Token) string {
	var out []string
	for _, a := range t.Accounts {
		out = append(out, string(a))
	}
	return or(strings.Join(out, ","), "all")
}

func tokenState(t connector.Token, now time.Time) string {
	switch {
	case !t.RevokedAt.IsZero():
		return "revoked"
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return "expired"
	}
	return "valid"
}

func newTokensRevoke(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID",
		Short:   "End a token at once; a running server takes it no more",
		Example: "  channelbridge tokens revoke 0123456789abcdef",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(cmd.Context(), func(_ *Config, s *sqlstore.Store) error {
				id := args[0]
				if strings.HasPrefix(id, "cb_") { // the whole text, by habit: it must not stand in a message
					return usage("give the token's id, see `channelbridge tokens list`")
				}
				if err := s.RevokeToken(cmd.Context(), id, a.clock(), connector.Operator); err != nil {
					return fmt.Errorf("token %s: %w", id, err)
				}
				fmt.Fprintf(a.stdout, "token %s is revoked\n", id)
				return nil
			})
		},
	}
}
