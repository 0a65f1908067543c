package payout

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector/memstore"
)

// Whatever a row shows makes another snapshot: its record is what is hashed, and what it is shown
// from. What a row does not show is named here.
func TestARecordHoldsEverythingItsRowShows(t *testing.T) {
	store := memstore.New()
	example(t, store)
	r, err := Make(t.Context(), Keep{Payouts: store}, []Account{shopee}, Query{}, day.Add(20*24*time.Hour))
	require.NoError(t, err)
	skipped := map[string]bool{"Account": true, "Facts": true, "Payout": true, "Payouts": true, "Bridge": true, "Lines": true, "Shares": true, "Rank": true, "Line": true, "Verdict": true}
	each := func(path string, v func() reflect.Value, differs func(name string)) {
		for i := range v().NumField() {
			f := v().Type().Field(i)
			if skipped[f.Name] || f.Anonymous || f.PkgPath != "" {
				continue
			}
			was := reflect.New(f.Type).Elem()
			was.Set(v().Field(i))
			other(v().Field(i))
			differs(path + f.Name)
			v().Field(i).Set(was)
		}
	}
	order := func() OrderRow { return all(t, r.Orders)[0] }
	o, line := order(), all(t, r.Lines)[0]
	ofOrder := func(o OrderRow) []byte {
		var c record
		require.NoError(t, c.order(0, o))
		return c.b
	}
	ofLine := func(l LineRow) []byte {
		var c record
		c.line(0, 0, l)
		return c.b
	}
	first := ofOrder(o)
	changed := func(name string) { require.NotEqual(t, first, ofOrder(o), name) }
	each("order row ", func() reflect.Value { return reflect.ValueOf(&o).Elem() }, changed)
	each("order ", func() reflect.Value { return reflect.ValueOf(&o.Order).Elem() }, changed)
	each("cause ", func() reflect.Value { return reflect.ValueOf(&o.Causes[0]).Elem() }, changed)
	o.Facts.Name += "x"
	changed("a fact shown")
	firstLine := ofLine(line)
	changed = func(name string) { require.NotEqual(t, firstLine, ofLine(line), name) }
	each("line ", func() reflect.Value { return reflect.ValueOf(&line.Verdict).Elem() }, changed)
	each("line's own ", func() reflect.Value { return reflect.ValueOf(&line.Line).Elem() }, changed)
	each("line row ", func() reflect.Value { return reflect.ValueOf(&line).Elem() }, changed)
	ofPayout := func(p PayoutRow) []byte {
		var c record
		c.payout(p)
		return c.b
	}
	p := r.Payouts[0]
	firstPayout := ofPayout(p)
	changed = func(name string) { require.NotEqual(t, firstPayout, ofPayout(p), name) }
	each("seen ", func() reflect.Value { return reflect.ValueOf(&p.Seen).Elem() }, changed)
	p.Digest += "x"
	changed("the payout")
}

// A record that is read and written again is the same, whichever row it is of, and one that was cut
// off is an error.
func TestARecordIsReadAsItWasWritten(t *testing.T) {
	o := newOffice(t)
	o.does("B", claimOf(2000))
	r := made(t, o.store, Query{})
	for _, row := range all(t, r.Orders) {
		var c record
		require.NoError(t, c.order(0, row))
		for n := range len(c.b) {
			d := &reader{b: slices.Clone(c.b[:n])}
			d.order(r.accounts)
			require.Error(t, d.end(), "cut off after %d bytes", n)
		}
		d := &reader{b: c.b}
		again := d.order(r.accounts)
		require.NoError(t, d.end())
		require.Equal(t, row, again)
	}
	for _, row := range all(t, r.Lines) {
		var c record
		c.line(0, 0, row)
		for n := range len(c.b) {
			d := &reader{b: slices.Clone(c.b[:n])}
			d.line(r.accounts, r.Payouts)
			require.Error(t, d.end())
		}
		d := &reader{b: c.b}
		require.Equal(t, row, d.line(r.accounts, r.Payouts))
		require.NoError(t, d.end())
	}
}

func TestASnapshotNamesItsQuestion(t *testing.T) {
	store := memstore.New()
	example(t, store)
	names := map[string]bool{}
	for _, q := range []Query{{}, {Text: "A"}, {Sort: "order"}, {Payouts: []string{"none"}}} {
		names[made(t, store, q).Snapshot] = true
	}
	zone := shopee
	zone.Zone = "UTC"
	r, err := Make(t.Context(), Keep{Payouts: store}, []Account{zone}, Query{}, day.Add(20*24*time.Hour))
	require.NoError(t, err)
	names[r.Snapshot] = true
	require.Len(t, names, 5)
}

// other makes a value another one.
func other(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = x.Add(time.Hour)
		return
	case **Work:
		*x = nil
		return
	case **Held:
		*x = &Held{Reason: "x"}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Slice:
		v.Set(reflect.Append(slicesClip(v), reflect.Zero(v.Type().Elem())))
	case reflect.Struct:
		other(v.Field(0))
	default:
		panic(v.Kind().String())
	}
}

// slicesClip lets an append not write into what was there.
func slicesClip(v reflect.Value) reflect.Value { return v.Slice3(0, v.Len(), v.Len()) }
