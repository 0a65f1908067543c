package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// pageOf cuts a page out of a list that is made anew for each. A cursor names the row that the page
// before ended with, so that rows which came or went do not move it; where that row is gone, the page
// begins where it stood.
func pageOf[T, V any](p page, all []T, name func(T) string, view func(T) V) (reply, error) {
	from := 0
	if row, at, found := strings.Cut(p.after, ":"); found {
		if from = slices.IndexFunc(all, func(r T) bool { return mark(name(r)) == row }) + 1; from == 0 {
			passed, _ := strconv.Atoi(at) // the code vouches for it
			from = max(passed-1, 0)
		}
	}
	from = min(from, len(all))
	rows := all[from:min(from+p.limit, len(all))]
	last := ""
	if n := len(rows); n > 0 {
		last = mark(name(rows[n-1])) + ":" + strconv.Itoa(from+n)
	}
	return p.reply(views(rows, view), len(rows), last)
}

// mark is a name in a cursor, which has to be short.
func mark(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:12])
}
