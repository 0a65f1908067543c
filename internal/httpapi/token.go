package httpapi

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/secret"
)

// Scopes are what a token may be allowed to do.
var Scopes = []string{
	scopeOrdersRead, scopeOrdersWrite, scopeRefundsWrite, scopeChannelsRead, scopeChannelsWrite,
	scopeDeliveriesRead, scopeDeliveriesWrite, scopeLedgerRead, scopeLedgerWrite, scopePayoutsRead, scopePayoutsWrite,
	scopeAuditRead, scopeWrites,
}

const (
	scopeOrdersRead      = "orders:read"
	scopeOrdersWrite     = "orders:write"
	scopeRefundsWrite    = "refunds:write"
	scopeChannelsRead    = "channels:read"
	scopeChannelsWrite   = "channels:write"
	scopeDeliveriesRead  = "deliveries:read"
	scopeDeliveriesWrite = "deliveries:write"
	scopeLedgerRead      = "ledger:read"
	scopeLedgerWrite     = "ledger:write"
	scopePayoutsRead     = "payouts:read"
	scopePayoutsWrite    = "payouts:write"
	scopeAuditRead       = "audit:read"
	scopeWrites          = "writes" // the switch that stops all outside writes
)

// A token's text is "cb_", its public id, "_" and 32 random bytes.
const (
	tokenPrefix  = "cb_"
	tokenIDBytes = 8
	tokenSecret  = 32
	maxName      = 100
)

// NewToken makes a token and its text, which is shown once and kept nowhere. A zero expires means
// never. With accounts it sees their payouts alone. It keeps nothing.
func NewToken(name string, scopes []string, now, expires time.Time, accounts ...connector.ConnectionID) (connector.Token, secret.Text, error) {
	if err := errors.Join(checkToken(name, scopes, now, expires), checkAccounts(scopes, accounts)); err != nil {
		return connector.Token{}, secret.Text{}, err
	}
	raw := make([]byte, tokenIDBytes+tokenSecret)
	_, _ = rand.Read(raw) // never fails
	id := hex.EncodeToString(raw[:tokenIDBytes])
	text := tokenPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(raw[tokenIDBytes:])
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	accounts = slices.Compact(slices.Sorted(slices.Values(accounts)))
	return connector.Token{ID: id, Name: name, Hash: hashOf(text), Scopes: scopes, Accounts: accounts, CreatedAt: now, ExpiresAt: expires}, secret.New(text), nil
}

// byAccount reports a scope over what is divided by account. A token that is bound to accounts may
// have no other: it would see everything there.
func byAccount(scope string) bool { return scope == scopePayoutsRead || scope == scopePayoutsWrite }

func checkAccounts(scopes []string, accounts []connector.ConnectionID) error {
	if len(accounts) == 0 {
		return nil
	}
	if slices.Contains(accounts, "") {
		return errors.New("an account has a name: it is the id of a channel")
	}
	for _, s := range scopes {
		if !byAccount(s) {
			return fmt.Errorf("a token bound to accounts cannot have the scope %s: only payouts are divided by account, so use %s and %s alone, or leave the accounts out", s, scopePayoutsRead, scopePayoutsWrite)
		}
	}
	return nil
}

func checkToken(name string, scopes []string, now, expires time.Time) error {
	switch {
	case strings.TrimSpace(name) == "" || len(name) > maxName:
		return fmt.Errorf("a token needs a name of 1 to %d characters: it stands in the audit record", maxName)
	case !clean(name):
		return fmt.Errorf("the name %q is not plain text", name)
	case name == "system" || name == "operator":
		return fmt.Errorf("the name %q is taken: the audit record uses it", name)
	case len(scopes) == 0:
		return fmt.Errorf("a token needs at least one scope of %s", strings.Join(Scopes, ", "))
	case !expires.IsZero() && !expires.After(now):
		return fmt.Errorf("the token would be expired already")
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes, s) {
			return fmt.Errorf("%q is not a scope: use %s", s, strings.Join(Scopes, ", "))
		}
	}
	return nil
}

func hashOf(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// tokenID reads the public id out of a token's text; ok is false for anything that is no token.
func tokenID(text string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok || len(rest) != 2*tokenIDBytes+1+base64.RawURLEncoding.EncodedLen(tokenSecret) || rest[2*tokenIDBytes] != '_' {
		return "", false
	}
	id = rest[:2*tokenIDBytes]
	if strings.ToLower(id) != id {
		return "", false
	}
	if _, err := hex.DecodeString(id); err != nil {
		return "", false
	}
	_, err := base64.RawURLEncoding.DecodeString(rest[2*tokenIDBytes+1:])
	return id, err == nil
}
