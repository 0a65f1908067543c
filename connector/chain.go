package connector

// Chain checks sealed lines one after the other, by place. The zero value is before the first.
type Chain struct {
	Length int64  // lines that were right
	Hash   string // of the last one
}

// Next checks the next line and says what is wrong with it, or nil.
func (c *Chain) Next(a AuditEntry) *AuditFault {
	switch place := c.Length + 1; {
	case a.Place > place:
		return &AuditFault{Place: place, Reason: "the line is missing"}
	case a.Place < place:
		return &AuditFault{Place: a.Place, ID: a.ID, Reason: "the place is taken twice"}
	case a.Seal(c.Hash) != a.Hash:
		return &AuditFault{Place: place, ID: a.ID, Reason: "the hash does not fit the line and the one before it"}
	}
	c.Length, c.Hash = a.Place, a.Hash
	return nil
}

// End compares the chain with what was noted when its last line was sealed.
func (c *Chain) End(place int64, hash string) *AuditFault {
	switch {
	case c.Length < place:
		return &AuditFault{Place: c.Length + 1, Reason: "the line is missing at the end"}
	case c.Length > place:
		return &AuditFault{Place: place + 1, Reason: "the line was added by somebody else"}
	case c.Hash != hash:
		return &AuditFault{Place: place, Reason: "the end of the chain is not the one that was sealed"}
	}
	return nil
}
