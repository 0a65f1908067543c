package main

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// place is where something stands in the file.
type place struct{ line, column int }

// decoder fills a description from YAML and goes on after a fault, so that all are reported.
type decoder struct {
	file    string
	lines   []string
	env     func(string) (string, bool)
	literal bool              // no references: the text was filled in before
	quiet   bool              // lines are not shown: they hold everything
	seen    map[string]place  // path → where its key stands
	fromEnv map[string]string // path → the variable that set it
	bad     map[string]bool   // paths with a fault
	secrets []string
	faults  []Fault
}

func newDecoder(file string, raw []byte, env func(string) (string, bool)) *decoder {
	return &decoder{file: file, lines: strings.Split(string(raw), "\n"), env: env,
		seen: map[string]place{}, fromEnv: map[string]string{}, bad: map[string]bool{}}
}

// read parses raw and fills v, a pointer to a struct. It reports false when nothing could be
// made of raw, so that looking further would only report what follows from that.
func (d *decoder) read(raw []byte, v any) bool {
	f, err := parser.ParseBytes(raw, 0)
	if err != nil {
		d.syntax(err)
		return false
	}
	var body ast.Node
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			d.fault("", "the file holds more than one document")
			return false
		}
		body = doc.Body
	}
	if _, ok := pairs(body); !ok {
		d.fault("", "here stand keys and values, not %s", kindOf(body))
		return false
	}
	d.object(body, reflect.ValueOf(v).Elem(), "")
	return true
}

// syntax reports what is not YAML. The values of the line are not shown: nobody knows what they are.
func (d *decoder) syntax(err error) {
	f := Fault{Where: d.file, Text: "this is not YAML: " + err.Error()}
	if se, ok := errors.AsType[yaml.Error](err); ok {
		f.Text = "this is not YAML: " + se.GetMessage()
		if tk := se.GetToken(); tk != nil && tk.Position != nil {
			p := at(tk)
			f.line, f.column, f.Where = p.line, p.column, fmt.Sprintf("%s:%d:%d", d.file, p.line, p.column)
			if key, _, ok := strings.Cut(d.source(p.line), ":"); ok {
				f.Source = key + ": …"
			}
		}
	}
	d.faults = append(d.faults, f)
}

func at(tk *token.Token) place { return place{tk.Position.Line, tk.Position.Column} }

// value decodes a node into v.
func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.fault(path, "anchors, aliases and tags are not understood here: write the value out")
		return
	case *ast.NullNode:
		delete(d.seen, path) // as if it were not there
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.scalar(n, v, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, v, path)
	case reflect.Map:
		d.table(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

// object decodes a mapping into a struct, and sees that all required keys are there.
func (d *decoder) object(n ast.Node, v reflect.Value, path string) {
	entries, ok := pairs(n)
	if !ok {
		d.fault(path, "here stand keys and values, not %s", kindOf(n))
		return
	}
	fields := fieldsOf(v.Type())
	for _, e := range entries {
		key, p := e.Key.GetToken().Value, at(e.Key.GetToken())
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key && key != "-" })
		if i < 0 {
			d.unknown(path, key, p, keysOf(fields))
			continue
		}
		sub := join(path, key)
		d.seen[sub] = p
		d.value(e.Value, v.FieldByIndex(fields[i].Index), sub)
	}
	for _, f := range fieldsOf(v.Type()) {
		d.complete(f, v.FieldByIndex(f.Index), join(path, f.key))
	}
}

// complete takes the environment, then the default, then insists on what is required.
func (d *decoder) complete(f field, v reflect.Value, path string) {
	if text, ok := d.env(f.env); ok && f.env != "" && text != "" {
		d.fromEnv[path] = f.env
		delete(d.bad, path)
		d.faults = slices.DeleteFunc(d.faults, func(x Fault) bool { return x.Path == path })
		d.text(text, v, path, f.enum)
		return
	}
	if f.nested() && v.Kind() == reflect.Struct && !d.has(path) {
		d.object(nil, v, path)
		return
	}
	if v.IsZero() && f.def != "" && !d.has(path) {
		d.text(f.def, v, path, nil)
	}
	switch {
	case d.bad[path]:
	case f.required && v.IsZero():
		d.fault(path, "is missing: %s", lower(f.doc))
	case v.Kind() == reflect.String && v.Len() > 0 && len(f.enum) > 0 && !slices.Contains(f.enum, v.String()):
		d.fault(path, "%q is not one of %s", v.String(), strings.Join(f.enum, ", "))
	case v.Kind() == reflect.Slice && len(f.enum) > 0:
		for i := range v.Len() {
			if item := v.Index(i).String(); !slices.Contains(f.enum, item) {
				d.fault(fmt.Sprintf("%s[%d]", path, i), "%q is not one of %s", item, strings.Join(f.enum, ", "))
			}
		}
	case f.pattern != "" && v.Len() > 0 && !regexp.MustCompile(f.pattern).MatchString(v.String()):
		d.fault(path, "%q does not look like %s", v.String(), f.pattern)
	}
}

func (d *decoder) has(path string) bool { _, ok := d.seen[path]; return ok }

func (d *decoder) table(n ast.Node, v reflect.Value, path string) {
	entries, ok := pairs(n)
	if !ok {
		d.fault(path, "here stand names and values, not %s", kindOf(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range entries {
		key := e.Key.GetToken().Value
		sub := join(path, key)
		d.seen[sub] = at(e.Key.GetToken())
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(e.Value, item, sub)
		v.SetMapIndex(reflect.ValueOf(key), item)
	}
}

func (d *decoder) list(n ast.Node, v reflect.Value, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fault(path, "here stands a list, not %s", kindOf(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	for i, item := range seq.Values {
		sub := fmt.Sprintf("%s[%d]", path, i)
		d.seen[sub] = start(item)
		d.value(item, v.Index(i), sub)
	}
}

func pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case nil, *ast.NullNode:
		return nil, true
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

// start is where a node begins: for a mapping its first key, not its first colon.
func start(n ast.Node) place {
	if entries, ok := pairs(n); ok && len(entries) > 0 {
		return at(entries[0].Key.GetToken())
	}
	return at(n.GetToken())
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	}
	return "a single value"
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
