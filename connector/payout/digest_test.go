package payout

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector/memstore"
)

// Whatever a row shows makes another snapshot. What a row does not show is named here.
func TestASnapshotNamesEverythingItsRowsShow(t *testing.T) {
	store := memstore.New()
	example(t, store)
	made := func() *Report {
		r, err := Make(t.Context(), store, []Account{shopee}, Query{}, day.Add(20*24*time.Hour))
		require.NoError(t, err)
		return r
	}
	first := made().Snapshot
	require.Equal(t, first, made().digest())
	differs := func(name string, change func(r *Report)) {
		t.Helper()
		r := made()
		change(r)
		require.NotEqual(t, first, r.digest(), name)
	}
	skipped := map[string]bool{"Account": true, "Facts": true, "Payout": true, "Payouts": true, "Bridge": true, "Lines": true, "Shares": true, "books": true, "columns": true, "Rank": true, "alias": true, "hand": true, "Line": true}
	each := func(v reflect.Value, path string, set func(r *Report) reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if skipped[f.Name] || f.Anonymous || f.PkgPath != "" {
				continue
			}
			differs(path+f.Name, func(r *Report) { other(set(r).Field(i)) })
		}
	}
	r := made()
	each(reflect.ValueOf(r.Orders[0]), "order row ", func(r *Report) reflect.Value { return reflect.ValueOf(&r.Orders[0]).Elem() })
	each(reflect.ValueOf(r.Orders[0].Order), "order ", func(r *Report) reflect.Value { return reflect.ValueOf(&r.Orders[0].Order).Elem() })
	each(reflect.ValueOf(r.Orders[0].Causes[0]), "cause ", func(r *Report) reflect.Value { return reflect.ValueOf(&r.Orders[0].Causes[0]).Elem() })
	each(reflect.ValueOf(r.Payouts[0].Seen), "seen ", func(r *Report) reflect.Value { return reflect.ValueOf(&r.Payouts[0].Seen).Elem() })
	each(reflect.ValueOf(*r.Lines[0].Verdict), "line ", func(r *Report) reflect.Value { return reflect.ValueOf(r.Lines[0].Verdict).Elem() })
	each(reflect.ValueOf(r.Lines[0].Line), "line's own ", func(r *Report) reflect.Value { return reflect.ValueOf(&r.Lines[0].Verdict.Line).Elem() })
	for name, change := range map[string]func(r *Report){
		"a fact shown":   func(r *Report) { r.Orders[0].Facts.Name += "x" },
		"the zone":       func(r *Report) { r.Orders[0].Account.Zone = "UTC" },
		"a row less":     func(r *Report) { r.Orders = r.Orders[1:] },
		"another order":  func(r *Report) { r.Orders[0], r.Orders[1] = r.Orders[1], r.Orders[0] },
		"the payout":     func(r *Report) { r.Payouts[0].Digest += "x" },
		"the question":   func(r *Report) { r.Query.Text = "A" },
		"the summary":    func(r *Report) { r.Summary[0].Paid++ },
		"a line's order": func(r *Report) { r.Lines[0].Ref += "x" },
	} {
		differs(name, change)
	}
}

// other makes a value another one.
func other(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = x.Add(time.Hour)
		return
	case **Finding:
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
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Struct:
		other(v.Field(0))
	default:
		panic(v.Kind().String())
	}
}
