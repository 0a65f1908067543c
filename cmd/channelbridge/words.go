package main

import "strings"

func lowerTrim(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func trimSlash(s string) string { return strings.TrimRight(s, "/") }

// listed is "what a, b, c"; empty without any.
func listed(what string, all []string) string {
	if len(all) == 0 {
		return ""
	}
	return what + strings.Join(all, ", ")
}

// words joins what is not empty.
func words(all ...string) string {
	return strings.Join(strings.Fields(strings.Join(all, " ")), " ")
}

// or is the first text that is not empty.
func or(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
