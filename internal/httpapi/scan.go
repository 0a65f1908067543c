package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"channelbridge/internal/money"
)

const (
	maxDepth  = 16
	maxDigits = 15
)

// scan reads a JSON text once, the way this API wants it: one value, valid UTF-8, no member
// twice, numbers whole and short (amounts are text), no NUL in texts, not too deep. What it gives
// back is what a schema can be held against.
func scan(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, newProblem("invalid_body", "It is not UTF-8 text.", "Send JSON in UTF-8.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := value(d, "", 0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return nil, p
	}
	if err != nil {
		return nil, newProblem("invalid_body", fmt.Sprintf("It is not JSON: stopped at byte %d.", d.InputOffset()), "Send one JSON object.")
	}
	return v, nil
}

func value(d *json.Decoder, path string, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return nil, member("invalid_member", path, "It is nested too deep.", "")
		}
		if t == '{' {
			return object(d, path, depth+1)
		}
		return array(d, path, depth+1)
	case json.Number:
		return t, whole(t.String(), path)
	case string:
		if strings.ContainsRune(t, 0) {
			return nil, member("invalid_member", path, "The text holds a NUL character.", "")
		}
		return t, nil
	}
	return t, nil
}

func whole(n, path string) error {
	if strings.ContainsAny(n, ".eE") || len(n) > maxDigits {
		return member("invalid_member", path, "Numbers are whole and of at most 15 digits.", `Give amounts as {"amount": "12.34", "currency": "USD"}.`)
	}
	return nil
}

func object(d *json.Decoder, path string, depth int) (any, error) {
	out := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string) // the decoder takes nothing else here
		if _, twice := out[name]; twice {
			return nil, member("invalid_member", join(path, name), "It stands there twice.", "")
		}
		if out[name], err = value(d, join(path, name), depth); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	return out, amount(out, path)
}

// amount checks an object that looks like money: the exact digits of its currency.
func amount(o map[string]any, path string) error {
	text, isText := o["amount"].(string)
	currency, hasCurrency := o["currency"].(string)
	if !isText || !hasCurrency {
		return nil
	}
	_, err := money.Parse(text, currency)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, money.ErrDigits):
		return member("invalid_member", join(path, "amount"), fmt.Sprintf("It has more decimals than the %d of its currency.", money.Exponent(currency)), "")
	case errors.Is(err, money.ErrOverflow):
		return member("invalid_member", join(path, "amount"), "It is too large.", "")
	case errors.Is(err, money.ErrCurrency):
		return member("invalid_member", join(path, "currency"), "It is not a currency code of three capital letters.", "")
	}
	return member("invalid_member", join(path, "amount"), "It is not a plain decimal number.", `Write it like "12.34".`)
}

func array(d *json.Decoder, path string, depth int) (any, error) {
	out := []any{}
	for d.More() {
		v, err := value(d, path+"["+strconv.Itoa(len(out))+"]", depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := d.Token()
	return out, err
}

// join is the name of a member within another, cut to a length that can be shown.
func join(path, name string) string {
	const most = 200
	if path != "" {
		name = path + "." + name
	}
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return name
}
