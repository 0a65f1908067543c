package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"channelbridge/connector/memstore"
	"channelbridge/internal/observe"
)

var update = flag.Bool("update", false, "rewrite generated documents")

const top = "../.."

func TestTheSchemaIsUpToDate(t *testing.T) {
	want, err := configSchema()
	require.NoError(t, err)
	path := filepath.Join(top, "docs", "config.schema.json")
	if *update {
		require.NoError(t, os.WriteFile(path, want, 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run: go test ./cmd/channelbridge -run Schema -update")
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := configSchema()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("config.json", doc))
	s, err := c.Compile("config.json")
	require.NoError(t, err)
	return s
}

// asJSON turns YAML into what a schema is checked against.
func asJSON(t *testing.T, raw []byte) any {
	t.Helper()
	text, err := yaml.YAMLToJSON(raw)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return doc
}

// everySecret sets every variable that an example may refer to.
func everySecret(string) (string, bool) { return "something", true }

func TestTheExampleIsValid(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(top, "channelbridge.example.yaml"))
	require.NoError(t, err)
	require.NoError(t, schema(t).Validate(asJSON(t, raw)))
	env := environment{"CHANNELBRIDGE_PUBLIC_URL": "https://bridge.example.com"}
	for _, name := range []string{"SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET", "AMAZON_SELLER_ID", "AMAZON_CLIENT_ID", "AMAZON_CLIENT_SECRET", "AMAZON_REFRESH_TOKEN"} {
		env[name] = "something"
	}
	c, err := parseConfig("channelbridge.example.yaml", raw, env.lookup)
	require.NoError(t, err)
	require.Len(t, c.Connections, 2)
}

func TestTheSchemaRefusesWhatTheBridgeRefuses(t *testing.T) {
	s := schema(t)
	require.NoError(t, s.Validate(asJSON(t, []byte(goodConfig))))
	require.NoError(t, s.Validate(asJSON(t, []byte("limits: {workers: \"${N}\"}"))))
	for _, raw := range []string{"lisen: x", "limits: {workers: many}", "log: {level: loud}", "connections: [{id: a}]",
		"connections: [{id: A B, platform: amazon}]", "retention: {deliveries: soon}"} {
		require.Error(t, s.Validate(asJSON(t, []byte(raw))), raw)
	}
}

// docBlocks are the YAML blocks of docs/configuration.md.
func docBlocks(t *testing.T) (text string, blocks []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(top, "docs", "configuration.md"))
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
		blocks = append(blocks, m[1])
	}
	return string(raw), blocks
}

func TestTheDocumentNamesEveryKeyAndItsExamplesWork(t *testing.T) {
	text, blocks := docBlocks(t)
	var walk func(reflect.Type)
	walk = func(rt reflect.Type) {
		for rt.Kind() == reflect.Pointer || rt.Kind() == reflect.Slice || rt.Kind() == reflect.Map {
			rt = rt.Elem()
		}
		if rt.Kind() != reflect.Struct || reflect.PointerTo(rt).Implements(unmarshaler) {
			return
		}
		for _, f := range fieldsOf(rt) {
			if f.key != "-" {
				require.Regexp(t, regexp.MustCompile(`(?m)[\s{,#]`+f.key+`:`), text, "%s.%s is not in docs/configuration.md", rt.Name(), f.key)
			}
			if f.env != "" {
				require.Contains(t, text, f.env)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[Config]())
	require.NotEmpty(t, blocks)
	for i, b := range blocks {
		require.NoError(t, schema(t).Validate(asJSON(t, []byte(b))), "block %d", i+1)
		_, err := parseConfig(fmt.Sprintf("block %d", i+1), []byte(b), everySecret)
		if err != nil {
			require.NotContains(t, err.Error(), "there is no key")
			require.NotContains(t, err.Error(), "is missing")
		}
	}
}

func TestComposeIsWhatItSaysItIs(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(top, "docker-compose.yml"))
	require.NoError(t, err)
	var c struct {
		Services map[string]struct {
			Image       string
			Build       string
			Environment map[string]string
			Healthcheck struct{ Test []string }
			DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
			Volumes     []string
		}
		Volumes map[string]any
	}
	require.NoError(t, yaml.Unmarshal(raw, &c))
	bridge, postgres := c.Services["bridge"], c.Services["postgres"]
	require.Equal(t, "postgres:16", postgres.Image)
	require.Equal(t, "service_healthy", bridge.DependsOn["postgres"].Condition)
	require.Equal(t, []string{"CMD", "/channelbridge", "healthcheck"}, bridge.Healthcheck.Test)
	require.NotEmpty(t, postgres.Healthcheck.Test)
	for name := range bridge.Environment {
		require.Contains(t, []string{"CHANNELBRIDGE_CONFIG", "CHANNELBRIDGE_LISTEN", "CHANNELBRIDGE_DATABASE_URL"}, name)
	}
	for _, s := range c.Services {
		for _, v := range s.Volumes {
			if from, _, _ := strings.Cut(v, ":"); !strings.HasPrefix(from, ".") {
				require.Contains(t, c.Volumes, from)
			}
		}
	}
	docker, err := os.ReadFile(filepath.Join(top, "Dockerfile"))
	require.NoError(t, err)
	for _, want := range []string{"FROM scratch", "CGO_ENABLED=0", "USER 65532", "ca-certificates.crt", `HEALTHCHECK`, `"healthcheck"`} {
		require.Contains(t, string(docker), want)
	}
}

func TestTheDashboardShowsMetricsThatExist(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(top, "docs", "grafana-dashboard.json"))
	require.NoError(t, err)
	require.True(t, json.Valid(raw))
	var dash struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &dash))
	known := metricNames(t)
	used := map[string]bool{}
	for _, p := range dash.Panels {
		for _, target := range p.Targets {
			for _, name := range regexp.MustCompile(`channelbridge_[a-z_]+`).FindAllString(target.Expr, -1) {
				base := strings.TrimSuffix(name, "_bucket")
				require.True(t, slices.Contains(known, base), "panel %q shows %s, which nobody counts; known are %v", p.Title, name, known)
				used[base] = true
			}
		}
	}
	for _, name := range []string{"queue_oldest_seconds", "queue_due", "deliveries_total", "calls_total", "call_wait_seconds_total", "looks_total",
		"sweep_news_total", "ledger_entries", "holds", "same_day_share", "completeness_share", "connection_state"} {
		require.True(t, used["channelbridge_"+name], "no panel shows %s", name)
	}
}

// metricNames are the names of everything a wired bridge registers.
func metricNames(t *testing.T) []string {
	t.Helper()
	m := observe.NewMetrics("test")
	_, err := newBridge(parts{cfg: &Config{}, store: memstore.New(), clock: realClock, log: slog.New(slog.DiscardHandler), metrics: m})
	require.NoError(t, err)
	m.Gauges(memstore.New(), realClock, time.UTC, slog.New(slog.DiscardHandler))
	descs := make(chan *prometheus.Desc, 1000)
	m.Registry.Describe(descs)
	close(descs)
	var out []string
	for d := range descs {
		if name := regexp.MustCompile(`fqName: "(channelbridge_[a-z_]+)"`).FindStringSubmatch(d.String()); name != nil {
			out = append(out, name[1])
		}
	}
	return out
}
