package shopifyfake

// Faults are probabilities between 0 and 1, drawn for each call or push.
type Faults struct {
	TooMany     float64 // HTTP 429, nothing done
	Throttled   float64 // THROTTLED although the bucket is full enough, nothing done
	Unavailable float64 // HTTP 503 before the effect
	LostBefore  float64 // connection cut before the effect
	Lost        float64 // connection cut after the effect
	Internal    float64 // INTERNAL_SERVER_ERROR after the effect
	BadGateway  float64 // HTTP 502 after the effect

	HookLost  float64 // a push is never sent
	HookTwice float64 // a push is sent a second time with the same webhook id
	HookLate  float64 // a push is held back by up to ten minutes, so that others overtake it
}

// Fault is one misbehaviour of one call.
type Fault string

// What Fail can ask for.
const (
	FaultTooMany        Fault = "429"
	FaultThrottled      Fault = "throttled"
	FaultUnavailable    Fault = "503"
	FaultLostBefore     Fault = "lost before"
	FaultLost           Fault = "lost after"
	FaultInternal       Fault = "internal after"
	FaultInternalBefore Fault = "internal before"
	FaultBadGateway     Fault = "502 after"
	FaultInactive       Fault = "shop inactive"
	FaultGarbage        Fault = "garbage after"
	FaultDormant        Fault = "dormant"    // orderCreate answers SHOP_DORMANT
	FaultNoDefinition   Fault = "definition" // metafieldDefinitionCreate answers that there are too many
	FaultCancelFails    Fault = "cancel"     // orderCancel is accepted and its job fails
)

// before reports whether the fault prevents the effect.
func (f Fault) before() bool {
	switch f {
	case FaultLost, FaultInternal, FaultBadGateway, FaultGarbage:
		return false
	}
	return f != ""
}

// Fail makes the next call of the operation (as named in its document) misbehave; several wait
// in line.
func (s *Server) Fail(operation string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forced[operation] = append(s.forced[operation], faults...)
}

// SetFaults changes the probabilities.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Faults = f
}

// SetStatus answers every call with an HTTP status, such as 402 or 423; 0 ends it.
func (s *Server) SetStatus(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// draw picks the misbehaviour of one call. The lock is held.
func (s *Server) draw(operation string) Fault {
	if line := s.forced[operation]; len(line) > 0 {
		s.forced[operation] = line[1:]
		return line[0]
	}
	f := s.cfg.Faults
	for _, c := range []struct {
		p     float64
		fault Fault
	}{{f.TooMany, FaultTooMany}, {f.Throttled, FaultThrottled}, {f.Unavailable, FaultUnavailable}, {f.LostBefore, FaultLostBefore},
		{f.Lost, FaultLost}, {f.Internal, FaultInternal}, {f.BadGateway, FaultBadGateway}} {
		if s.chance(c.p) {
			return c.fault
		}
	}
	return ""
}

// chance draws with probability p. The lock is held.
func (s *Server) chance(p float64) bool { return p > 0 && s.cfg.Rand.Float64() < p }
