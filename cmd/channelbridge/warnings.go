package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/internal/httpapi"
)

const (
	warnBefore = 30 * 24 * time.Hour // how early the end of a secret is told of
	watchEvery = 24 * time.Hour
	watchRetry = time.Hour
)

// ending is something of a connection that ends by itself.
type ending struct {
	code, what string
	at         time.Time
	hint       string
}

// endings are what the configuration knows to end.
func (c ConnectionConfig) endings() (out []ending) {
	add := func(code, what string, at Date, hint string) {
		if !at.IsZero() {
			out = append(out, ending{code, what, at.Time, hint})
		}
	}
	if a := c.Amazon; a != nil {
		add("secret_expires", "the client secret", a.SecretExpires, "Rotate it in the developer console and give the new one to the bridge.")
		add("authorization_expires", "the seller's authorisation", a.AuthorizationExpires, "Let the seller authorise the application again.")
	}
	if s := c.Shopify; s != nil {
		add("previous_secret_expires", "the former client secret", s.PreviousExpires, "Make sure that the store signs with the new one, then take it out of the configuration.")
	}
	return out
}

// warning says that something ends soon, or has ended; ok is false while there is time.
func (e ending) warning(now time.Time) (w httpapi.Warning, ok bool) {
	verb := "ends"
	switch left := e.at.Sub(now); {
	case left > warnBefore:
		return w, false
	case left <= 0:
		verb = "ended"
	}
	return httpapi.Warning{Code: e.code, Text: fmt.Sprintf("%s %s on %s", e.what, verb, e.at.UTC().Format(time.DateOnly)), Hint: e.hint, At: e.at}, true
}

// watched remembers what the last check of each connection warned of. The zero value is empty.
type watched struct {
	mu    sync.Mutex
	found map[connector.ConnectionID][]string
}

func (w *watched) put(id connector.ConnectionID, found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.found == nil {
		w.found = map[connector.ConnectionID][]string{}
	}
	w.found[id] = found
}

func (w *watched) get(id connector.ConnectionID) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found[id]
}

// warnings are what will go wrong with a connection, or does: what ends soon, and what its last
// check found.
func (b *bridge) warnings(c connector.Connection) []httpapi.Warning {
	out := []httpapi.Warning{}
	l, ok := b.link(c.ID)
	if !ok {
		return out
	}
	if c.State == connector.Removed {
		if !l.stored {
			out = append(out, httpapi.Warning{Code: "credentials_in_file", Text: "The channel's credentials still stand in the configuration file; they are not used.",
				Hint: "Take them out by hand."})
		}
		return out
	}
	for _, e := range l.cfg.endings() {
		if w, soon := e.warning(b.clock()); soon {
			out = append(out, w)
		}
	}
	for _, text := range b.watched.get(c.ID) {
		if !slices.ContainsFunc(out, func(w httpapi.Warning) bool { return w.Text == text }) {
			out = append(out, httpapi.Warning{Code: "check", Text: text})
		}
	}
	return out
}

// withEndings adds what the configuration knows to end to what a check found.
func (b *bridge) withEndings(l *link, found []string) []string {
	out := slices.Clone(found)
	for _, e := range l.cfg.endings() {
		if w, soon := e.warning(b.clock()); soon && !slices.Contains(out, w.Text) {
			out = append(out, w.Text)
		}
	}
	return out
}

// watch asks a connection now and daily how it stands, and tells what will go wrong.
func (b *bridge) watch(ctx context.Context, l *link) {
	for {
		wait := watchEvery
		if c, ok := b.states.get(l.id); ok && c.State != connector.Disconnected && c.State != connector.Removed {
			if !b.watchOnce(ctx, l, c) {
				wait = watchRetry
			}
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

func (b *bridge) watchOnce(ctx context.Context, l *link, c connector.Connection) bool {
	call, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	h, err := l.check(call)
	if ctx.Err() != nil {
		return true
	}
	found := h.Warnings
	if fault.After(err) > 0 {
		found = append(slices.Clone(found), "the other side asks us to slow down")
	}
	b.watched.put(l.id, found)
	if err != nil {
		b.failed("check", l.id)
		b.log.Warn("connection not checked", "connection", string(l.id), "error", err, "hint", fault.Hint(err))
	}
	for _, w := range b.warnings(c) {
		b.log.Warn("connection will need attention", "connection", string(l.id), "code", w.Code, "warning", w.Text, "hint", w.Hint)
	}
	if b.metrics != nil {
		for _, e := range l.cfg.endings() {
			b.metrics.Ends(l.id, e.code, e.at.Sub(b.clock()))
		}
	}
	return err == nil
}
