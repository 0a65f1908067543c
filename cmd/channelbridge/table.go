package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"channelbridge/connector"
)

// table writes rows under a heading, columns aligned.
func table(w io.Writer, heading string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if heading != "" {
		fmt.Fprintln(t, heading)
	}
	for _, r := range rows {
		for i := range r {
			r[i] = oneLine(r[i])
		}
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	return t.Flush()
}

// oneLine keeps outside text from breaking a table or a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// when shows an instant; "-" when there is none.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func orDash(s string) string { return or(s, "-") }

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// holdKinds are the kinds of holds, each once.
func holdKinds(holds []connector.Hold) string {
	var out []string
	seen := map[string]bool{}
	for _, h := range holds {
		if !seen[h.Kind] {
			seen[h.Kind] = true
			out = append(out, h.Kind)
		}
	}
	return orDash(strings.Join(out, ","))
}
