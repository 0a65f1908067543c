package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const goodConfig = `
listen: 127.0.0.1:0
public_url: https://bridge.example.com/
connections:
  - id: shop
    platform: shopify
    shopify:
      shop: acme.myshopify.com
      client_id: cid
      client_secret: ${SHOP_SECRET}
  - id: amazon-us
    platform: amazon
    store: shop
    tags: [marketplace]
    carriers:
      "Acme Post": {code: Other, name: Acme}
    amazon:
      seller_id: A1
      region: na
      client_id: 12345
      client_secret: ${AMZ_SECRET:-fallback-secret}
      refresh_token: "pa$$word"
`

func TestAGoodConfigurationIsReadAndCompleted(t *testing.T) {
	c, err := parseConfig("c.yaml", []byte(goodConfig), environment{"SHOP_SECRET": "0123 hush", "CHANNELBRIDGE_LOG_LEVEL": "debug"}.lookup)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:0", c.Listen)
	require.Equal(t, "debug", c.Log.Level, "the environment goes before defaults")
	require.Equal(t, 30*24*time.Hour, time.Duration(c.Retention.Deliveries))
	require.Equal(t, databaseURL("sqlite:data/channelbridge.db"), c.DatabaseURL)
	require.Equal(t, "https://bridge.example.com/webhooks/shop", c.callback("shop"))
	a := c.Connections[1]
	require.Equal(t, "0123 hush", c.Connections[0].Shopify.ClientSecret.Reveal())
	require.Equal(t, "fallback-secret", a.Amazon.ClientSecret.Reveal())
	require.Equal(t, "pa$word", a.Amazon.RefreshToken.Reveal(), "$$ is one dollar sign")
	require.Equal(t, "12345", a.Amazon.ClientID)
	require.Equal(t, "Amazon", a.Tag)
	require.Equal(t, "decrement", a.Stock)
	require.Equal(t, "https://sellercentral.amazon.com/orders-v3/order/{id}", a.OrderURL)
	require.Equal(t, CarrierConfig{"Other", "Acme"}, a.Carriers["Acme Post"])
}

func TestAllFaultsAreReportedAtOnceWithTheirPlaces(t *testing.T) {
	raw := `listen: nowhere
limits:
  workers: many
  call_timeout: soon
retention: {deliveries: 1h}
log: {level: loud}
conections: []
connections:
  - id: shop
    platform: shopify
    tag: x
    shopify:
      shop: acme.myshopify.com
      client_id: ${NOT_SET}
      client_secrt: topsecretvalue
  - id: amazon-us
    platform: amazon
    store: nobody
    amazon: {seller_id: A1, region: mars, client_id: c, client_secret: hushhush, refresh_token: r}
  - id: amazon-us
    platform: etsy
  - id: generic
    platform: generic
    store: shop
`
	_, err := parseConfig("c.yaml", []byte(raw), noEnv)
	text := err.Error()
	for _, want := range []string{
		`c.yaml:1:1: listen: "nowhere" is not an address`,
		`c.yaml:3:3: limits.workers: "many" is not a whole number`,
		`c.yaml:4:3: limits.call_timeout: "soon" is not a duration`,
		`c.yaml:5:13: retention.deliveries: less than a day`,
		`c.yaml:6:7: log.level: "loud" is not one of debug, info, warn, error`,
		`c.yaml:7:1: there is no key "conections" here; did you mean "connections"?`,
		`c.yaml:11:5: connections[0].tag: only sales channels have this`,
		`c.yaml:14:7: connections[0].shopify.client_id: the environment variable NOT_SET is not set`,
		`c.yaml:15:7: connections[0].shopify: there is no key "client_secrt" here; did you mean "client_secret"?`,
		`connections[0].shopify.client_secret: is missing`,
		`c.yaml:18:5: connections[1].store: there is no connection "nobody"`,
		`connections[1].amazon.region: "mars" is not one of na, eu, fe`,
		`c.yaml:20:5: connections[2].id: "amazon-us" is the id of connections[1] already`,
		`c.yaml:21:5: connections[2].platform: "etsy" is not one of amazon, shopify, generic`,
		`c.yaml:22:5: connections[3]: the section generic is missing`,
		"  15 |       client_secrt: …",
		"   3 |   workers: many\n       |   ^",
	} {
		require.Contains(t, text, want)
	}
	ce, ok := errors.AsType[*ConfigError](err)
	require.True(t, ok)
	require.Len(t, ce.Faults, 15, text)
	require.NotContains(t, text, "topsecretvalue")
	require.NotContains(t, text, "hushhush", "secrets are masked in the lines shown")
}

func TestFaultsOneByOne(t *testing.T) {
	shop := "connections:\n  - id: shop\n    platform: shopify\n    shopify: {shop: acme.myshopify.com, client_id: c, client_secret: s}\n"
	for name, c := range map[string]struct{ raw, want string }{
		"not yaml":             {"a: [1,\nb: }", "this is not YAML"},
		"tab":                  {"log:\n\tlevel: info", "this is not YAML"},
		"duplicate key":        {"listen: :1\nlisten: :2", "c.yaml:2:1: this is not YAML"},
		"a list at the top":    {"- a", "here stand keys and values, not a list"},
		"a value for a list":   {"connections: none", "c.yaml:1:1: connections: here stands a list, not a single value"},
		"a list for a value":   {"listen: [a]", "listen: here stands a single value, not a list"},
		"anchors":              {"listen: &x :80", "anchors, aliases and tags"},
		"two documents":        {"listen: :80\n---\nlisten: :81", "more than one document"},
		"bad number":           {"limits: {max_body: 1.5}", `"1.5" is not a whole number`},
		"zero":                 {"limits: {workers: 0}", "0 is not above zero"},
		"too short a search":   {"limits: {batch_find: 1ms}", "between 1s and 24h0m0s"},
		"too long a wait":      {"limits: {batch_gather: 1h}", "between 1ms and 1m0s"},
		"too long a call":      {"limits: {call_timeout: 1h}", "between 1s and 2m0s"},
		"zone":                 {"time_zone: Mars/Base", "not an IANA time zone"},
		"database":             {"database_url: mysql://x", "begins with postgres:// or sqlite:"},
		"database password":    {"database_url: 'postgres://u:p%zz@h/d'", "is not a URL"},
		"share":                {"tracing: {share: 2}", "not between 0 and 1"},
		"public url":           {"public_url: bridge.example.com", "not an http or https address"},
		"id":                   {strings.Replace(shop, "id: shop", "id: A B", 1), "does not look like"},
		"no store":             {shop + "  - {id: a, platform: generic, generic: {endpoint: 'http://x'}}", "names the store in which"},
		"channel as store":     {shop + "  - {id: a, platform: generic, store: shop, generic: {endpoint: 'http://x'}}\n  - {id: b, platform: generic, store: a, generic: {endpoint: 'http://x'}}", `"a" is a sales channel, not a store`},
		"foreign section":      {shop + "    amazon: {seller_id: A, region: na, client_id: c, client_secret: s, refresh_token: r}", "the platform is shopify: a section amazon does not belong here"},
		"adapter's last word":  {shop + "  - {id: a, platform: generic, store: shop, generic: {endpoint: 'ftp://x'}}", "connections[1].generic: base address: not a plain http(s) address"},
		"unknown instruction":  {shop + "  - {id: a, platform: generic, store: shop, generic: {endpoint: 'http://x', instructions: [refund, gift]}}", `connections[1].generic.instructions[1]: "gift" is not one of cancel, cancel_units, refund`},
		"no way to instruct":   {shop + "  - {id: a, platform: generic, store: shop, generic: {secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', instructions: [refund]}}", "instructions: without a base address none can be given"},
		"capture":              {shop + "  - {id: a, platform: generic, store: shop, generic: {endpoint: 'http://x', capture: later}}", `"later" is not one of order, shipment`},
		"carrier without code": {shop + "  - {id: a, platform: generic, store: shop, carriers: {ups: {name: x}}, generic: {endpoint: 'http://x'}}", "carriers.ups.code: is missing"},
		"shared folder":        {shop + payer("a", "./in") + payer("b", "in/."), `connections[2].payouts.folder: "in/." is used by the channel a already`},
		"folder of the done":   {shop + payer("a", "in/imported") + payer("b", "in"), `"in/imported" is used by the channel b already`},
		"day":                  {strings.Replace(shop, "client_id: c", "previous_expires: soon, client_id: c", 1), `"soon" is not a day`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseConfig("c.yaml", []byte(c.raw), noEnv)
			require.ErrorContains(t, err, c.want)
			ce, ok := errors.AsType[*ConfigError](err)
			require.True(t, ok)
			require.Len(t, ce.Faults, 1, "one mistake is one fault")
		})
	}
}

// payer is a channel that takes payout files out of a folder.
func payer(id, folder string) string {
	return fmt.Sprintf("  - {id: %s, platform: generic, store: shop, payouts: {folder: %s}, generic: {endpoint: 'http://x'}}\n", id, folder)
}

func TestFaultsOfTheEnvironmentNameTheVariable(t *testing.T) {
	_, err := parseConfig("c.yaml", nil, environment{"CHANNELBRIDGE_LISTEN": "x", "CHANNELBRIDGE_KEY": "short", "CHANNELBRIDGE_LOG_LEVEL": "loud"}.lookup)
	require.ErrorContains(t, err, "environment variable CHANNELBRIDGE_LISTEN: listen:")
	require.ErrorContains(t, err, "environment variable CHANNELBRIDGE_KEY")
	require.ErrorContains(t, err, "environment variable CHANNELBRIDGE_LOG_LEVEL")
	require.ErrorContains(t, err, "openssl rand -base64 32")
}

func TestAnEnvironmentVariableGoesBeforeAFaultyFile(t *testing.T) {
	c, err := parseConfig("c.yaml", []byte("database_url: ${NOPE}\nlisten: ${NOPE}"),
		environment{"CHANNELBRIDGE_DATABASE_URL": "postgres://u:pw@h/d", "CHANNELBRIDGE_LISTEN": ":9"}.lookup)
	require.NoError(t, err)
	require.Equal(t, ":9", c.Listen)
}

func TestNothingSecretIsPrinted(t *testing.T) {
	dir := t.TempDir()
	path := file(t, dir, "c.yaml", goodConfig)
	env := environment{"SHOP_SECRET": "hush-shop", "CHANNELBRIDGE_DATABASE_URL": "postgres://u:hush-db@h:5432/d?sslmode=disable&password=hush-too",
		"CHANNELBRIDGE_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
	for _, args := range [][]string{{"config", "-c", path}, {"config", "-c", path, "--json"}} {
		r := command(t, env, args...)
		require.Zero(t, r.code, r.err)
		for _, s := range []string{"hush", "fallback-secret", "pa$word", "AAAA"} {
			require.NotContains(t, r.out, s)
		}
		require.Contains(t, r.out, "***")
		require.Contains(t, r.out, "acme.myshopify.com")
		require.Contains(t, r.out, "postgres://u:***@h:5432/d")
	}
}

func TestWhatIsPrintedCanBeReadAgain(t *testing.T) {
	c, err := parseConfig("c.yaml", []byte(goodConfig), environment{"SHOP_SECRET": "hush"}.lookup)
	require.NoError(t, err)
	text, err := c.masked()
	require.NoError(t, err)
	again, err := parseConfig("again.yaml", []byte(text), noEnv)
	require.NoError(t, err, text)
	require.Equal(t, c.Connections[1].Carriers, again.Connections[1].Carriers)
	require.Equal(t, c.Limits, again.Limits)

	sealed, err := c.Connections[1].revealed()
	require.NoError(t, err)
	conn, err := parseStored("amazon-us", sealed)
	require.NoError(t, err, string(sealed))
	require.Equal(t, c.Connections[1], conn)
}

func TestSealedSettingsKeepDollarSigns(t *testing.T) {
	raw := "{id: a, platform: generic, store: s, generic: {endpoint: 'http://x', token: 'a$$$$b$${X}'}}"
	c, err := parseConnection("x", []byte(raw), noEnv)
	require.NoError(t, err)
	require.Equal(t, "a$$b${X}", c.Generic.Token.Reveal())
	sealed, err := c.revealed()
	require.NoError(t, err)
	again, err := parseStored("a", sealed)
	require.NoError(t, err, string(sealed))
	require.Equal(t, c, again)
}

func TestTheFileNeedNotExistUnlessItIsNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := loadConfig("", noEnv)
	require.NoError(t, err)
	_, err = loadConfig("missing.yaml", noEnv)
	require.ErrorContains(t, err, "missing.yaml: the configuration file cannot be read")
	require.NoError(t, os.WriteFile(filepath.Base(defaultConfig), []byte("listen: :7"), 0o600))
	c, err := loadConfig("", noEnv)
	require.NoError(t, err)
	require.Equal(t, ":7", c.Listen)
}

func TestDurations(t *testing.T) {
	for in, out := range map[string]string{"30d": "30d", "24h": "1d", "90s": "1m30s", "5m": "5m", "2h": "2h", "0d": "0s"} {
		var d Duration
		require.NoError(t, d.UnmarshalText([]byte(in)), in)
		text, err := d.MarshalText()
		require.NoError(t, err)
		require.Equal(t, out, string(text), in)
	}
	for _, in := range []string{"", "5", "-5m", "1.5d", "d", "99999d"} {
		require.Error(t, new(Duration).UnmarshalText([]byte(in)), in)
	}
}

func FuzzConfiguration(f *testing.F) {
	f.Add([]byte(goodConfig))
	f.Add([]byte("connections: [{id: a, platform: amazon, amazon: {}}]"))
	f.Add([]byte("a: &b {c: *b}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseConfig("c.yaml", raw, noEnv)
		if err == nil {
			_, err = c.masked()
			require.NoError(t, err)
		} else {
			_ = err.Error()
		}
	})
}
