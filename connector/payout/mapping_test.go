package payout

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// german is a form with decimal commas, days first, and amounts in euros.
var german = Mapping{Title: "german", Delimiter: ';', Decimal: ",", Currency: "EUR", Zone: "Europe/Berlin", Dates: []string{"DD.MM.YYYY", "YYYY-MM-DD hh:mm:ss"},
	Columns: map[string]string{"payout": "Auszahlung", "total": "Summe", "paid_at": "Bezahlt", "line": "Nr", "type": "Art", "text": "Text", "amount": "Betrag", "order": "Bestellung", "quantity": "Menge", "posted_at": "Datum"},
	Rows:    []MappedCategory{{Type: "Verkauf", Category: marketplace.Principal}, {Type: "Gebühr", Text: "Provision", Category: marketplace.Commission}, {Type: "Gebühr", Category: marketplace.ServiceFee}}}

const germanHead = "Auszahlung;Summe;Bezahlt;Nr;Art;Text;Betrag;Bestellung;Menge;Datum\n"

// statementIn reads a text with a mapping.
func statementIn(m Mapping, text string) (st marketplace.Statement, lines []marketplace.Movement, err error) {
	err = m.ReadStatement(strings.NewReader(text), func(s marketplace.Statement) error { st = s; return nil },
		func(l marketplace.Movement) error { lines = append(lines, l); return nil })
	return st, lines, err
}

func TestAMappedFileIsReadInItsOwnMarks(t *testing.T) {
	require.NoError(t, german.Check())
	text := "\ufeff" + germanHead + "A1;1.234,50;31.10.2026;1;verkauf;;1.300,00;B-1;2;30.10.2026\nA1;1.234,50;31.10.2026;2;Gebühr;Provision;-60,50;B-1;;30.10.2026\nA1;1.234,50;31.10.2026;3;Gebühr;Versand;-5,00;B-1;;2026-10-25 02:30:00\nA1;1.234,50;31.10.2026;4;Neu;;0,00;;;\n"
	require.True(t, german.Detects([]byte(text)))
	require.False(t, german.Detects([]byte("settlement-id\ttotal-amount\n")))
	st, lines, err := statementIn(german, text)
	require.NoError(t, err)
	require.Equal(t, money.New(123450, "EUR"), st.Paid)
	require.Equal(t, "2026-10-30T23:00:00Z", st.PaidAt.Format("2006-01-02T15:04:05Z07:00"), "the day of the form's zone")
	var categories []marketplace.Category
	for _, l := range lines {
		categories = append(categories, l.Category)
	}
	require.Equal(t, []marketplace.Category{marketplace.Principal, marketplace.Commission, marketplace.ServiceFee, marketplace.Unclassified}, categories)
	require.Equal(t, money.New(130000, "EUR"), lines[0].Amount)
	require.Equal(t, 2, lines[0].Quantity)
}

func TestAMappedFileThatCannotBeUnderstoodSaysWhere(t *testing.T) {
	row := func(cells string) string {
		return germanHead + "A1;1,00;31.10.2026;1;Verkauf;;1,00;B-1;1;30.10.2026\n" + cells
	}
	for name, c := range map[string]struct {
		text   string
		row    int
		column string
	}{
		"a heading is missing":            {"Auszahlung;Summe\n", 1, "Betrag"},
		"nothing but headings":            {germanHead, 2, ""},
		"no bytes":                        {"", 1, ""},
		"a truncated row":                 {row("A1;1,00;31.10"), 3, ""},
		"another payout in the same file": {row("A2;1,00;;2;Verkauf;;1,00;B-1;1;\n"), 3, "Auszahlung"},
		"decimals of another country":     {row("A1;1,00;;2;Verkauf;;1.00;B-1;1;\n"), 3, "Betrag"},
		"more decimals than the currency": {row("A1;1,00;;2;Verkauf;;1,005;B-1;1;\n"), 3, "Betrag"},
		"more than fits":                  {row("A1;1,00;;2;Verkauf;;99999999999999999999,00;B-1;1;\n"), 3, "Betrag"},
		"no amount":                       {row("A1;1,00;;2;Verkauf;;;B-1;1;\n"), 3, "Betrag"},
		"a month that does not exist":     {row("A1;1,00;;2;Verkauf;;1,00;B-1;1;01.13.2026\n"), 3, "Datum"},
		"a quantity in words":             {row("A1;1,00;;2;Verkauf;;1,00;B-1;two;\n"), 3, "Menge"},
		"wrong encoding":                  {row("A1;1,00;;2;Geb\xfchr;;1,00;B-1;1;\n"), 3, "Art"},
		"a number of two lines":           {germanHead + "\"A1\nA2\";1,00;;1;Verkauf;;1,00;B-1;1;\n", 2, "Auszahlung"},
		"a quote that never ends":         {row("A1;1,00;;2;\"Verkauf;;1,00;B-1;1;\n"), 3, ""},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			_, _, err := statementIn(german, c.text)
			var bad *marketplace.RowError
			require.True(t, errors.As(err, &bad), "%v", err)
			require.Equal(t, c.row, bad.Row, "%v", err)
			if c.column != "" {
				require.Equal(t, c.column, bad.Column)
			}
		})
	}
}

func TestAMappingSaysAllThatIsWrongWithIt(t *testing.T) {
	err := Mapping{Decimal: "'", Columns: map[string]string{"amount": "A", "colour": "B", "posted_at": "C"}, Rows: []MappedCategory{{Category: "gift"}}, Zone: "Moon/Base"}.Check()
	for _, part := range []string{"name", "decimal", "payout is missing", "total is missing", "colour", "currency", "dates", "gift", "Moon/Base"} {
		require.ErrorContains(t, err, part)
	}
}

func FuzzMapping(f *testing.F) {
	f.Add(germanHead + "A1;1,00;31.10.2026;1;Verkauf;;1,00;B-1;1;30.10.2026\n")
	f.Add(germanHead + "A1;-1.000,00;;1;\"Ver;kauf\";;1,00;B-1;;\n")
	f.Fuzz(func(t *testing.T, text string) {
		german.Detects([]byte(text))
		st, lines, err := statementIn(german, text)
		if err == nil && (st.ID == "" || len(lines) == 0) {
			t.Errorf("%q was understood as nothing", text)
		}
	})
}
