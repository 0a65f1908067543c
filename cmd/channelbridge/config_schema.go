package main

import (
	"encoding/json"
	"reflect"
	"strconv"

	"channelbridge/internal/secret"
)

// configSchema is the JSON Schema of the configuration, for editors and checks.
func configSchema() ([]byte, error) {
	s := schemaOf(reflect.TypeFor[Config]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "channelbridge.yaml"
	s["description"] = "Configuration of channelbridge. Every value may hold references to the environment: ${NAME} or ${NAME:-default}."
	out, err := json.MarshalIndent(s, "", "  ")
	return append(out, '\n'), err
}

// filledIn is how a value looks that comes from the environment.
var filledIn = map[string]any{"type": "string", "pattern": `\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}`}

func schemaOf(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[secret.Text](), reflect.TypeFor[databaseURL]():
		return map[string]any{"type": []string{"string", "number"}}
	case reflect.TypeFor[Duration]():
		return map[string]any{"type": "string", "pattern": `^([0-9]+d|([0-9.]+(ns|us|ms|s|m|h))+)$`}
	case reflect.TypeFor[Amount]():
		return map[string]any{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)? +[A-Z]{3}$`}
	case reflect.TypeFor[Date]():
		return map[string]any{"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Struct:
		return schemaOfSection(t)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	}
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}

func schemaOfSection(t reflect.Type) map[string]any {
	props, required := map[string]any{}, []string{}
	for _, f := range fieldsOf(t) {
		if f.key == "-" {
			continue
		}
		props[f.key] = schemaOfField(f)
		if f.required {
			required = append(required, f.key)
		}
	}
	s := map[string]any{"type": "object", "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func schemaOfField(f field) map[string]any {
	s := schemaOf(f.Type)
	if f.enum != nil {
		s = map[string]any{"enum": f.enum}
	}
	if f.enum != nil && f.Type.Kind() == reflect.Slice {
		s = map[string]any{"type": "array", "items": s}
	}
	if f.pattern != "" {
		s = map[string]any{"type": "string", "pattern": f.pattern}
	}
	// What is not free text may still come from the environment.
	if _, free := s["type"].([]string); !free && s["type"] != "object" && s["type"] != "array" {
		s = map[string]any{"anyOf": []any{s, filledIn}}
	}
	if f.doc != "" {
		s["description"] = f.doc
	}
	if f.def != "" {
		s["default"] = defaultOf(f)
	}
	return s
}

func defaultOf(f field) any {
	switch f.Type.Kind() {
	case reflect.Int, reflect.Float64:
		if n, err := strconv.ParseFloat(f.def, 64); err == nil {
			return n
		}
	case reflect.Int64:
		if n, err := strconv.ParseInt(f.def, 10, 64); err == nil && f.Type == reflect.TypeFor[int64]() {
			return n
		}
	}
	return f.def
}
