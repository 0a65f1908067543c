package sqlstore

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// column is one column of rows handed to the database as parameters: its name and PostgreSQL's type.
type column struct{ name, kind string }

// listed is the columns' names, as they stand in a statement.
func listed(cols []column) string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// source is a list of rows on its way into a statement, as text that stands where "values …" could
// and its arguments. PostgreSQL takes each column as one array, so the text is the same for any
// number of rows and can stay prepared; the arrays are equally long, or what one lacks would be
// null. They lie in the room given, which is the caller's again when the statement has been carried
// out. SQLite takes a placeholder for each value.
func (d dialect) source(cols []column, rows [][]any, room *[]byte) (text string, args []any, err error) {
	if !d.arrays {
		for _, r := range rows {
			args = append(args, r...)
		}
		return `values ` + values(len(rows), len(cols)), args, nil
	}
	picked := make([]string, len(cols))
	at := (*room)[:0]
	for i, c := range cols {
		kind := "text"
		if c.kind == "bytea" {
			kind = c.kind
		}
		picked[i] = "unnest(?::" + kind + "[])::" + c.kind + " as " + c.name
		a, err := array(at, kind, len(rows), func(n int) any { return rows[n][i] })
		if err != nil {
			return "", nil, fmt.Errorf("column %s: %w", c.name, err)
		}
		args, at = append(args, a[len(at):]), a
	}
	*room = at
	return `select ` + strings.Join(picked, ", "), args, nil
}

// The numbers PostgreSQL knows the types of array elements by.
var elementType = map[string]uint32{"bytea": 17, "text": 25}

// array appends a column in PostgreSQL's binary form, which the driver sends as it is.
func array(b []byte, kind string, n int, value func(int) any) ([]byte, error) {
	size := 20
	for i := range n {
		size += 4 + width(value(i))
	}
	b = slices.Grow(b, size)
	for _, head := range []uint32{1, 1, elementType[kind], uint32(n), 1} { // dimensions, nulls, type, length, first index
		b = binary.BigEndian.AppendUint32(b, head)
	}
	for i := range n {
		at := len(b)
		b = append(b, 0, 0, 0, 0)
		switch v := value(i).(type) {
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		case int:
			b = strconv.AppendInt(b, int64(v), 10)
		case nil:
			binary.BigEndian.PutUint32(b[at:], ^uint32(0))
			continue
		default:
			return nil, fmt.Errorf("%w: a %T in a list", errBadRow, v)
		}
		binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	}
	return b, nil
}

// width is how many bytes a value takes, or a few more.
func width(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 20
}
