package connector

import (
	"bytes"
	"strings"
)

// Mentions reports whether a kept body holds the number a store's order id ends in ("gid://…/42"
// is 42) as a number of its own, not as a part of a longer one.
func Mentions(body []byte, order string) bool {
	number := []byte(order[strings.LastIndexByte(order, '/')+1:])
	if len(number) == 0 {
		return false
	}
	for at := 0; ; {
		i := bytes.Index(body[at:], number)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(number)
		if (from == 0 || !digit(body[from-1])) && (to == len(body) || !digit(body[to])) {
			return true
		}
		at = from + 1
	}
}

func digit(b byte) bool { return b >= '0' && b <= '9' }
