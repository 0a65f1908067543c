package official

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Find returns the operation a request is for, and its path parameters.
func (m Models) Find(method, path string) (*Operation, map[string]string, error) {
	var found *Operation
	var args map[string]string
	for _, id := range slices.Sorted(maps.Keys(m)) {
		o := m[id]
		if a, ok := match(o.Path, path); ok && o.Method == method && (found == nil || len(a) < len(args)) {
			found, args = o, a
		}
	}
	if found == nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, path, errNoOperation)
	}
	return found, args, nil
}

func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	args := map[string]string{}
	for i := range want {
		if name, ok := strings.CutPrefix(want[i], "{"); ok {
			v, err := url.PathUnescape(got[i])
			if err != nil || v == "" {
				return nil, false
			}
			args[strings.TrimSuffix(name, "}")] = v
		} else if want[i] != got[i] {
			return nil, false
		}
	}
	return args, true
}

// Request checks path, query and body of a request, and returns the operation's name.
func (m Models) Request(req *http.Request, body []byte) (string, error) {
	o, args, err := m.Find(req.Method, req.URL.EscapedPath())
	if err != nil {
		return "", err
	}
	q, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return o.ID, err
	}
	hasBody := false
	for _, p := range o.params {
		switch p.In {
		case "query":
			err = o.query(p, q)
			delete(q, p.Name)
		case "path":
			_, known := args[p.Name]
			if !known {
				err = fmt.Errorf("path parameter %s is missing", p.Name)
			}
		case "body":
			hasBody = true
			err = o.body(p, body)
		}
		if err != nil {
			return o.ID, fmt.Errorf("%s: %w", o.ID, err)
		}
	}
	if len(q) > 0 {
		return o.ID, fmt.Errorf("%s: query parameters %v are not in the model", o.ID, slices.Sorted(maps.Keys(q)))
	}
	if !hasBody && len(body) > 0 {
		return o.ID, fmt.Errorf("%s: a body is not in the model", o.ID)
	}
	return o.ID, nil
}

// query checks one parameter; lists are joined by commas.
func (o *Operation) query(p param, q url.Values) error {
	values, given := q[p.Name]
	switch {
	case !given && p.Required:
		return fmt.Errorf("query parameter %s is missing", p.Name)
	case !given:
		return nil
	case len(values) != 1:
		return fmt.Errorf("query parameter %s occurs %d times", p.Name, len(values))
	}
	var v any = values[0]
	switch p.raw["type"] {
	case "array":
		all := []any{}
		for part := range strings.SplitSeq(values[0], ",") {
			all = append(all, part)
		}
		v = all
	case "integer", "number":
		v = json.Number(values[0])
	case "boolean":
		v = values[0] == "true"
	}
	schema := map[string]any{}
	for k, x := range p.raw {
		switch k {
		case "type", "format", "items", "enum", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "pattern":
			schema[k] = x
		}
	}
	if err := o.api.check(schema, v); err != nil {
		return fmt.Errorf("query parameter %s: %w", p.Name, err)
	}
	return nil
}

func (o *Operation) body(p param, body []byte) error {
	if len(body) == 0 {
		if p.Required {
			return fmt.Errorf("the body is missing")
		}
		return nil
	}
	v, err := decode(body)
	if err != nil {
		return err
	}
	if err := o.api.check(p.raw["schema"], v); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}
