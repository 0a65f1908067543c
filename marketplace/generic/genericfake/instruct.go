package genericfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Instruction is one request to give money back or to take units back.
type Instruction struct {
	Op       string       `json:"op"`
	Reason   string       `json:"reason"`
	Currency string       `json:"currency"`
	Amount   string       `json:"amount"`
	Lines    []Instructed `json:"lines"`
}

// Instructed is what an instruction does to one line.
type Instructed struct {
	Line     string `json:"line"`
	Quantity int    `json:"quantity"`
	Parts    []Part `json:"parts"`
}

// Part is money of one kind: before tax, and the tax.
type Part struct {
	Kind   string `json:"kind"`
	Amount string `json:"amount"`
	Tax    string `json:"tax"`
}

func (c *Channel) instructed(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var in Instruction
	if err != nil || json.Unmarshal(body, &in) != nil {
		fail(w, http.StatusBadRequest, "unreadable")
		return
	}
	a, then := c.instruct(r.PathValue("id"), r.Header.Get("Idempotency-Key"), in, string(body))
	switch {
	case then == hangUp:
		panic(http.ErrAbortHandler)
	case then == breakDown:
		fail(w, http.StatusBadGateway, "bad_gateway")
	case a.code != "":
		fail(w, a.status, a.code)
	default:
		reply(w, a.status, map[string]string{"id": a.id})
	}
}

// answer is what an instruction comes to.
type answer struct {
	status   int
	code, id string
}

// fate is what becomes of an answer.
type fate int

const (
	arrives   fate = iota
	hangUp         // the connection is dropped
	breakDown      // something in between answers in its place
)

// instruct carries an instruction out, once per key. What was refused is forgotten: the same key
// may come again.
func (c *Channel) instruct(order, key string, in Instruction, body string) (answer, fate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.byKey[key]; ok && key != "" {
		if old.order != order || old.body != body {
			c.counts.Conflicts++
			return answer{http.StatusConflict, "key_used_for_something_else", ""}, arrives
		}
		c.counts.Replayed++
		status := http.StatusCreated
		if c.cfg.Conflict {
			status = http.StatusConflict
		}
		return answer{status, "", old.id}, c.fate()
	}
	rec := c.orders[order]
	if rec == nil {
		return answer{http.StatusNotFound, "no_such_order", ""}, arrives
	}
	gift, code := rec.judge(in, c.cfg)
	if code != "" {
		return answer{http.StatusUnprocessableEntity, code, ""}, arrives
	}
	if key == "" {
		c.counts.Keyless++
	}
	c.counts.Instructed++
	id := fmt.Sprintf("I%d", c.counts.Instructed)
	at := c.tick()
	rec.carry(in, at)
	rec.give(gift, Refund{ID: c.nextRefund(), PostedAt: at, Kind: in.Op, Key: key})
	if key != "" {
		c.byKey[key] = answered{order, body, id}
	}
	return answer{http.StatusCreated, "", id}, c.fate()
}

// fate says what becomes of the next answer to an instruction.
func (c *Channel) fate() fate {
	if len(c.fates) == 0 {
		return arrives
	}
	f := c.fates[0]
	c.fates = c.fates[1:]
	return f
}
