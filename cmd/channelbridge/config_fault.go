package main

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with the configuration.
type Fault struct {
	Where  string `json:"where"` // file:line:column, or the environment
	Path   string `json:"path,omitempty"`
	Text   string `json:"text"`
	Source string `json:"source,omitempty"` // the line, secrets masked

	line, column int
}

// ConfigError is all that is wrong with the configuration.
type ConfigError struct{ Faults []Fault }

// Error lists every fault with its place and line.
func (e *ConfigError) Error() string {
	var b strings.Builder
	if n := len(e.Faults); n == 1 {
		b.WriteString("the configuration has a fault:")
	} else {
		fmt.Fprintf(&b, "the configuration has %d faults:", n)
	}
	for _, f := range e.Faults {
		b.WriteString("\n\n" + f.Where + ": ")
		if f.Path != "" {
			b.WriteString(f.Path + ": ")
		}
		b.WriteString(f.Text)
		if f.Source != "" {
			fmt.Fprintf(&b, "\n  %4d | %s\n       | %s^", f.line, f.Source, strings.Repeat(" ", max(f.column-1, 0)))
		}
	}
	return b.String()
}

// err is nil without faults.
func (d *decoder) err() error {
	if len(d.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(d.faults, func(a, b Fault) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return a.column - b.column
	})
	for i := range d.faults {
		d.faults[i].Source = d.hide(d.faults[i].Source)
		d.faults[i].Text = d.hide(d.faults[i].Text)
	}
	return &ConfigError{d.faults}
}

// hide masks all secrets that were read, wherever they turn up.
func (d *decoder) hide(text string) string {
	for _, s := range d.secrets {
		text = strings.ReplaceAll(text, s, stars)
	}
	return text
}

// fault notes what is wrong at a path. The place is that of the path or of what it stands in.
func (d *decoder) fault(path, format string, args ...any) {
	f := Fault{Path: path, Text: fmt.Sprintf(format, args...), Where: d.file}
	for at := path; ; at = parent(at) {
		if where, ok := d.fromEnv[at]; ok {
			f.Where = "environment variable " + where
			break
		}
		if p, ok := d.seen[at]; ok {
			f.line, f.column = p.line, p.column
			f.Where = fmt.Sprintf("%s:%d:%d", d.file, p.line, p.column)
			f.Source = d.source(p.line)
			break
		}
		if at == "" {
			break
		}
	}
	d.bad[path] = true
	f.Path = strings.TrimPrefix(f.Path, "-") // the key has no place in the file
	d.faults = append(d.faults, f)
}

// unknown notes a key nobody knows. What stands after it is not shown: it may be a misspelt secret.
func (d *decoder) unknown(path, key string, p place, known []string) {
	text := fmt.Sprintf("there is no key %q here", key)
	if near := nearest(key, known); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	} else {
		text += "; known are " + strings.Join(known, ", ")
	}
	line := d.source(p.line)
	if end := p.column - 1 + len(key); end < len(line) {
		line = line[:end] + ": …"
	}
	d.faults = append(d.faults, Fault{Path: path, Text: text, Where: fmt.Sprintf("%s:%d:%d", d.file, p.line, p.column),
		Source: line, line: p.line, column: p.column})
}

func (d *decoder) source(line int) string {
	if d.quiet || line < 1 || line > len(d.lines) {
		return ""
	}
	return strings.TrimRight(d.lines[line-1], "\r")
}

// faulty reports whether something at or below a path is wrong already.
func (d *decoder) faulty(path string) bool {
	for p := range d.bad {
		if p == path || strings.HasPrefix(p, path+".") || strings.HasPrefix(p, path+"[") {
			return true
		}
	}
	return false
}

// parent is the path that a path stands in.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// nearest is the known key that differs from a misspelt one in a third of its letters at most.
func nearest(key string, known []string) string {
	best, least := "", max(len(key)/3, 1)+1
	for _, k := range known {
		if n := edits(key, k); n < least {
			best, least = k, n
		}
	}
	return best
}

// edits counts the insertions, deletions and replacements between two words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			left, row[j+1] = row[j+1], min(left+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
