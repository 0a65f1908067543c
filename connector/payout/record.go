package payout

import (
	"encoding/binary"
	"errors"
	"time"

	"channelbridge/internal/money"
)

// record is something of a report as bytes: what it shows and what names it are the same bytes, so
// that a snapshot cannot leave anything out that is shown. Every field has its length in front or a
// form that ends itself.
type record struct{ b []byte }

func (r *record) text(all ...string) {
	for _, s := range all {
		r.b = append(binary.AppendUvarint(r.b, uint64(len(s))), s...)
	}
}

func (r *record) number(all ...int64) {
	for _, n := range all {
		r.b = binary.AppendVarint(r.b, n)
	}
}

func (r *record) yes(v bool) bool {
	if v {
		r.b = append(r.b, 1)
	} else {
		r.b = append(r.b, 0)
	}
	return v
}

func (r *record) instant(all ...time.Time) {
	for _, t := range all {
		if r.yes(!t.IsZero()) {
			r.number(t.Unix(), int64(t.Nanosecond()))
		}
	}
}

func (r *record) amount(m money.Money) {
	r.text(m.Currency)
	r.number(m.Minor)
}

// errTorn says that bytes are no record: a fault of this program.
var errTorn = errors.New("a row of the report cannot be read again")

// reader takes a record apart. After an error everything is zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) torn() { r.b, r.err = nil, errTorn }

func (r *reader) text(into ...*string) {
	for _, s := range into {
		n, size := binary.Uvarint(r.b)
		if size <= 0 || n > uint64(len(r.b)-size) {
			r.torn()
			return
		}
		*s = string(r.b[size : size+int(n)])
		r.b = r.b[size+int(n):]
	}
}

func (r *reader) number(into ...*int64) {
	for _, v := range into {
		n, size := binary.Varint(r.b)
		if size <= 0 {
			r.torn()
			return
		}
		*v, r.b = n, r.b[size:]
	}
}

// count reads how many there are of something that takes a byte at least.
func (r *reader) count() int {
	var n int64
	if r.number(&n); n < 0 || n > int64(len(r.b)) {
		r.torn()
		return 0
	}
	return int(n)
}

// whole reads a number that was an int.
func (r *reader) whole() int {
	var n int64
	r.number(&n)
	return int(n)
}

func (r *reader) yes() bool {
	if len(r.b) == 0 {
		r.torn()
		return false
	}
	v := r.b[0] == 1
	r.b = r.b[1:]
	return v
}

func (r *reader) instant(into ...*time.Time) {
	for _, t := range into {
		if r.yes() {
			var sec, nano int64
			r.number(&sec, &nano)
			*t = time.Unix(sec, nano).UTC()
		}
	}
}

func (r *reader) amount(m *money.Money) {
	r.text(&m.Currency)
	r.number(&m.Minor)
}

// end is the error of a record that was not read as it was written.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		return errTorn
	}
	return r.err
}
