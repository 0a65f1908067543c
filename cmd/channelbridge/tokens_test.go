package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

func TestATokenIsMadeShownOnceAndRevoked(t *testing.T) {
	b := newBench(t)
	require.Zero(t, b.run("migrate", "up").code)
	made := b.run("tokens", "create", "--name", "helpdesk", "--scope", "orders:read", "--scope", "refunds:write", "--expires", "90d")
	require.Zero(t, made.code, made.err)
	text := strings.TrimSpace(made.out)
	require.Regexp(t, `^cb_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$`, text, "only the token is printed, so that it can be piped")
	require.Contains(t, made.err, "only time")
	id := text[3:19]

	list := b.run("tokens", "list")
	require.Regexp(t, id+` +helpdesk +valid +orders:read,refunds:write`, list.out)
	var tokens []connector.Token
	raw := b.run("tokens", "list", "--json").out
	require.NoError(t, json.Unmarshal([]byte(raw), &tokens))
	require.Equal(t, 90*24.0, tokens[0].ExpiresAt.Sub(tokens[0].CreatedAt).Hours())
	for _, shown := range []string{list.out, raw} {
		require.NotContains(t, shown, text[20:])
	}
	kept, err := os.ReadFile(filepath.Join(b.dir, "channelbridge.db"))
	require.NoError(t, err)
	require.NotContains(t, string(kept), text[20:], "only a hash is kept")

	var one createdToken
	require.NoError(t, json.Unmarshal([]byte(b.run("tokens", "create", "--name", "robot", "--scope", "audit:read,writes", "--json").out), &one))
	require.Contains(t, one.Text, one.ID)
	require.True(t, one.ExpiresAt.IsZero())

	require.Zero(t, b.run("tokens", "revoke", id).code)
	require.Regexp(t, id+` +helpdesk +revoked`, b.run("tokens", "list").out)
	require.Equal(t, exitNotFound, b.run("tokens", "revoke", "0000000000000000").code)
	whole := b.run("tokens", "revoke", text)
	require.Equal(t, exitUsage, whole.code)
	require.NotContains(t, whole.err, text)
}

func TestATokenThatMakesNoSenseIsRefused(t *testing.T) {
	b := newBench(t)
	require.Zero(t, b.run("migrate", "up").code)
	for _, args := range [][]string{
		{"--scope", "orders:read"}, {"--name", "a"}, {"--name", "a", "--scope", "everything"}, {"--name", "system", "--scope", "writes"},
		{"--name", "a", "--scope", "payouts:read", "--account", "markte"}, {"--name", "a", "--scope", "payouts:read", "--account", "shopify"}, {"--name", "a", "--scope", "payouts:read", "--account", ""},
		{"--name", "a", "--scope", "payouts:read,orders:read", "--account", "market"},
		{"--name", "a", "--scope", "writes", "--expires", "soon"}, {"--name", "a", "--scope", "writes", "--expires", "0d"}, {"--name", "a", "--scope", "writes", "extra"},
	} {
		r := b.run(append([]string{"tokens", "create"}, args...)...)
		require.Equal(t, exitUsage, r.code, "%v: %s", args, r.err)
	}
	require.JSONEq(t, `[]`, b.run("tokens", "list", "--json").out)
}

func TestATokenIsBoundToAccounts(t *testing.T) {
	b := newBench(t)
	require.Zero(t, b.run("migrate", "up").code)
	var bound, free createdToken
	made := b.run("tokens", "create", "--name", "accountant", "--scope", "payouts:read", "--account", "market", "--account", "market", "--json")
	require.Zero(t, made.code, made.err)
	require.NoError(t, json.Unmarshal([]byte(made.out), &bound))
	require.Equal(t, []connector.ConnectionID{"market"}, bound.Accounts)
	require.NoError(t, json.Unmarshal([]byte(b.run("tokens", "create", "--name", "boss", "--scope", "payouts:read", "--json").out), &free))
	require.Empty(t, free.Accounts)
	list := b.run("tokens", "list").out
	require.Regexp(t, bound.ID+` +accountant +valid +payouts:read +market `, list)
	require.Regexp(t, free.ID+` +boss +valid +payouts:read +all `, list)

	wide := b.run("tokens", "create", "--name", "a", "--scope", "payouts:read,audit:read", "--account", "market")
	require.Contains(t, wide.err, "cannot have the scope audit:read: only payouts are divided by account")
}
