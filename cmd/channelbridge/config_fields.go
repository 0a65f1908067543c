package main

import (
	"encoding"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"channelbridge/internal/secret"
)

// field is what the tags of a configuration field say.
type field struct {
	reflect.StructField
	key, doc, def, env, pattern string
	enum                        []string
	required                    bool
}

// fieldsOf reads the description of a section.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for f := range t.Fields() {
		key := f.Tag.Get("yaml")
		if key == "" {
			continue
		}
		x := field{StructField: f, key: key, doc: f.Tag.Get("doc"), def: f.Tag.Get("default"), env: f.Tag.Get("env"),
			pattern: f.Tag.Get("pattern"), required: f.Tag.Get("required") == "true"}
		if e := f.Tag.Get("enum"); e != "" {
			x.enum = strings.Split(e, ",")
		}
		out = append(out, x)
	}
	return out
}

func keysOf(fields []field) []string {
	var out []string
	for _, f := range fields {
		if f.key != "-" {
			out = append(out, f.key)
		}
	}
	return out
}

var unmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// nested reports a section, as opposed to a value that happens to be a struct.
func (f field) nested() bool {
	return f.Type.Kind() == reflect.Struct && !reflect.PointerTo(f.Type).Implements(unmarshaler)
}

// plain turns a section into keys and values in the order of the description, leaving out what
// is empty. Secrets are given out only with reveal.
func plain(v reflect.Value, reveal bool) any {
	switch x := v.Interface().(type) {
	case secret.Text:
		if reveal {
			return x.Reveal()
		}
		return x.String()
	case databaseURL:
		if reveal {
			return string(x)
		}
		return x.masked()
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return plain(v.Elem(), reveal)
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i), reveal)
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = plain(v.MapIndex(k), reveal)
		}
		return out
	case reflect.Struct:
		out := yaml.MapSlice{}
		for _, f := range fieldsOf(v.Type()) {
			if x := v.FieldByIndex(f.Index); f.key != "-" && !x.IsZero() {
				out = append(out, yaml.MapItem{Key: f.key, Value: plain(x, reveal)})
			}
		}
		return out
	}
	return v.Interface()
}
