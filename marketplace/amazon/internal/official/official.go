// Package official checks requests and answers against Amazon's published model files. It is
// for tests only. The files are not part of this repository; tests skip without them.
package official

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Dir finds the model files beside the repository, or skips the test.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Skip("official models not found: no go.mod above the test")
		}
		dir = up
	}
	models := filepath.Join(dir, "..", "shared", "models", "amazon")
	if _, err := os.Stat(models); err != nil {
		t.Skipf("official models not found at %s", models)
	}
	return models
}

// Files are the models the adapter works with.
var Files = []string{"orders/orders_2026-01-01.json", "orders/ordersV0.json", "notifications/notifications.json", "sellers/sellers.json",
	"feeds/feeds_2021-06-30.json", "finances/finances_2024-06-19.json", "finances/transfers_2024-06-01.json", "reports/reports_2021-06-30.json"}

// Operation is one operation of a model.
type Operation struct {
	ID, Method, Path string
	params           []param
	answers          map[string]answerModel
	api              *api
}

type api struct {
	name     string
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	inline   int // parameter schemas compiled so far
}

type param struct {
	Name, In string
	Required bool
	raw      map[string]any
}

type answerModel struct {
	Schema  map[string]any `json:"schema"`
	Sandbox struct {
		Static []Vector `json:"static"`
	} `json:"x-amzn-api-sandbox"`
}

// Vector is one pair of request and answer of the static sandbox.
type Vector struct {
	Status  int
	Request struct {
		Parameters map[string]struct{ Value json.RawMessage }
	}
	Response json.RawMessage
}

// Models holds the operations by name.
type Models map[string]*Operation

// Load reads the models.
func Load(t testing.TB) Models {
	t.Helper()
	dir, all := Dir(t), Models{}
	for _, f := range Files {
		raw, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		if err := all.add(f, raw); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
	}
	return all
}

type swagger struct {
	Paths       map[string]map[string]json.RawMessage
	Parameters  map[string]map[string]any
	Definitions map[string]any
}

func (m Models) add(name string, raw []byte) error {
	var doc swagger
	if err := json.Unmarshal(raw, &doc); err != nil {
		return err
	}
	a := &api{name: "mem:///" + name, compiler: jsonschema.NewCompiler()}
	a.compiler.DefaultDraft(jsonschema.Draft4)
	a.compiler.AssertFormat()
	a.compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: dateTime})
	if err := a.compiler.AddResource(a.name, map[string]any{"definitions": definitions(doc.Definitions)}); err != nil {
		return err
	}
	for path, item := range doc.Paths {
		for method, raw := range item {
			var op struct {
				OperationID string
				Parameters  []map[string]any
				Responses   map[string]answerModel
			}
			if method == "parameters" || json.Unmarshal(raw, &op) != nil || op.OperationID == "" {
				continue
			}
			o := &Operation{ID: op.OperationID, Method: strings.ToUpper(method), Path: path, answers: op.Responses, api: a}
			for _, p := range op.Parameters {
				if ref, ok := p["$ref"].(string); ok {
					p = doc.Parameters[strings.TrimPrefix(ref, "#/parameters/")]
				}
				x := param{raw: p}
				x.Name, _ = p["name"].(string)
				x.In, _ = p["in"].(string)
				x.Required, _ = p["required"].(bool)
				o.params = append(o.params, x)
			}
			if m[o.ID] == nil { // names occur in several versions; the first file is the one in use
				m[o.ID] = o
			}
		}
	}
	return nil
}

// dateTime is RFC 3339; anything else Amazon might call ISO 8601 is a mistake of ours.
func dateTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	_, err := time.Parse(time.RFC3339, s)
	return err
}

// closed refuses properties the model does not name, where the model lists any.
func closed(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, y := range x {
			if k != "example" && k != "default" && k != "description" || isSchema(y) {
				out[k] = closed(y)
			}
		}
		_, object := out["properties"].(map[string]any)
		if t, _ := out["type"].(string); object && t == "object" && out["allOf"] == nil {
			out["additionalProperties"] = false
		}
		for _, part := range parts(out) {
			delete(part, "additionalProperties")
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = closed(x[i])
		}
		return out
	}
	return v
}

// definitions closes all of them, except those that are parts of another.
func definitions(all map[string]any) any {
	out, _ := closed(all).(map[string]any)
	for _, d := range all {
		d, _ := d.(map[string]any)
		for _, part := range parts(d) {
			ref, _ := part["$ref"].(string)
			if open, ok := out[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any); ok {
				delete(open, "additionalProperties")
			}
		}
	}
	return out
}

// parts are the schemas an object is put together from.
func parts(schema map[string]any) []map[string]any {
	all, _ := schema["allOf"].([]any)
	var out []map[string]any
	for _, x := range all {
		if p, ok := x.(map[string]any); ok {
			out = append(out, p)
		}
	}
	return out
}

func isSchema(v any) bool { _, ok := v.(map[string]any); return ok }

func (a *api) check(schema any, value any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inline++
	name := fmt.Sprintf("%s/inline-%d", a.name, a.inline)
	if ref, ok := schema.(map[string]any)["$ref"].(string); ok {
		name = a.name + ref
	} else if err := a.compiler.AddResource(name, closed(schema)); err != nil {
		return err
	}
	s, err := a.compiler.Compile(name)
	if err != nil {
		return err
	}
	return s.Validate(value)
}

func decode(raw []byte) (any, error) {
	return jsonschema.UnmarshalJSON(bytes.NewReader(raw))
}

// Answer checks an answer's body; a status the model does not know is an error.
func (o *Operation) Answer(status int, body []byte) error {
	a, known := o.answers[strconv.Itoa(status)]
	switch {
	case !known:
		return fmt.Errorf("%s: status %d is not in the model", o.ID, status)
	case a.Schema == nil && len(bytes.TrimSpace(body)) > 0:
		return fmt.Errorf("%s: status %d has no body in the model", o.ID, status)
	case a.Schema == nil:
		return nil
	}
	v, err := decode(body)
	if err != nil {
		return err
	}
	if err := o.api.check(a.Schema, v); err != nil {
		return fmt.Errorf("%s: answer %d: %w", o.ID, status, err)
	}
	return nil
}

// Vectors lists the static sandbox pairs, statuses ascending.
func (o *Operation) Vectors() []Vector {
	var all []Vector
	for code, a := range o.answers {
		status, _ := strconv.Atoi(code)
		for _, v := range a.Sandbox.Static {
			v.Status = status
			all = append(all, v)
		}
	}
	slices.SortStableFunc(all, func(x, y Vector) int { return x.Status - y.Status })
	return all
}

var errNoOperation = errors.New("no operation of the models has this method and path")
