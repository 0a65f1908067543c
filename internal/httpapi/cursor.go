package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
)

// A cursor is where a list goes on: a position and a code over it. The code is made with what is
// kept of the token, so a cursor serves only the token, the list and the filters it was made for.
const (
	macSize   = 16
	maxCursor = 600
)

func seal(key []byte, list, position string) string {
	return base64.RawURLEncoding.EncodeToString(append(mac(key, list, position), position...))
}

// unseal reads a cursor; ok is false for one that was not made by seal with the same key and list.
func unseal(key []byte, list, cursor string) (position string, ok bool) {
	if len(cursor) > maxCursor {
		return "", false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < macSize {
		return "", false
	}
	position = string(raw[macSize:])
	return position, hmac.Equal(raw[:macSize], mac(key, list, position))
}

func mac(key []byte, list, position string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(strconv.Itoa(len(list)) + ":" + list + position))
	return h.Sum(nil)[:macSize]
}

// page is one page of a list.
type page struct {
	limit int
	after string // position; "" at the start

	key  []byte
	list string
}

// paged is the body of a list.
type paged struct {
	Data       any    `json:"data"`
	NextCursor string `json:"next_cursor,omitempty"` // not there on the last page
}

// query reads the parameters a read may have. Those that are not known are refused: a filter that
// is misspelt would show too much.
func (c *call) query(known ...string) (url.Values, error) {
	q, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, member("invalid_parameter", "", "The query cannot be read.", "")
	}
	may := map[string]bool{}
	for _, k := range known {
		may[k] = true
	}
	for name, v := range q {
		switch {
		case !may[name]:
			return nil, member("invalid_parameter", join("", name), "This parameter is not known here.", "See /v1/openapi.json for those that are.")
		case len(v) != 1 || len(v[0]) > maxCursor || !clean(v[0]):
			return nil, member("invalid_parameter", name, "It has to be given once, as a short text.", "")
		}
	}
	return q, nil
}

// pages reads the parameters of a list: its filters, limit and cursor.
func (c *call) pages(filters ...string) (url.Values, page, error) {
	q, err := c.query(append(filters, "limit", "cursor")...)
	if err != nil {
		return nil, page{}, err
	}
	p := page{limit: defaultPage, key: c.token.Hash}
	if l := q.Get("limit"); l != "" {
		if p.limit, err = strconv.Atoi(l); err != nil || p.limit < 1 || p.limit > maxPage {
			return nil, page{}, member("invalid_parameter", "limit", "It is a number from 1 to 200.", "")
		}
	}
	cursor := q.Get("cursor")
	q.Del("limit")
	q.Del("cursor")
	p.list = c.Request().URL.EscapedPath() + "?" + q.Encode()
	if cursor == "" {
		return q, p, nil
	}
	after, ok := unseal(p.key, p.list, cursor)
	if !ok || after == "" {
		return nil, page{}, member("invalid_cursor", "cursor", "It was changed, or made for another list, filter or token.", "Begin again without a cursor.")
	}
	p.after = after
	return q, p, nil
}

// number is the position of a list that goes by numbers.
func (p page) number() int64 {
	n, _ := strconv.ParseInt(p.after, 10, 64) // the code vouches for it
	return n
}

// reply makes the answer: read says how many rows were read, last where the next page begins. A
// full page may be the last one; then an empty one follows.
func (p page) reply(data any, read int, last string) (reply, error) {
	return shown(paged{Data: data, NextCursor: p.next(read, last)})
}

func (p page) next(read int, last string) string {
	if read < p.limit || last == "" {
		return ""
	}
	return seal(p.key, p.list, last)
}
