package amazonfake

import "net/http"

// Mishap is something that happens to a single call.
type Mishap string

const (
	LostAnswer  Mishap = "lost"      // carried out, the answer never arrives
	BrokenReply Mishap = "broken"    // carried out, answered with 500
	Throttled   Mishap = "throttled" // 429 without any header
	Unavailable Mishap = "unavailable"
)

// Once lets a mishap befall the next call of an operation, by Amazon's name for it.
func (s *Server) Once(op string, m Mishap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mishaps[op] = append(s.mishaps[op], m)
}

// mishap takes the next one of an operation.
func (s *Server) mishap(op string) Mishap {
	all := s.mishaps[op]
	if len(all) == 0 {
		return ""
	}
	s.mishaps[op] = all[1:]
	return all[0]
}

// befall refuses a call before it does anything.
func (m Mishap) befall() (result, bool) {
	switch m {
	case Throttled:
		return refuse(http.StatusTooManyRequests, "QuotaExceeded", "You exceeded your quota for the requested resource."), true
	case Unavailable:
		return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is temporarily unavailable."), true
	}
	return result{}, false
}

// spoil changes the answer of a call that was carried out.
func (m Mishap) spoil(res result, w http.ResponseWriter) result {
	switch m {
	case LostAnswer:
		w.(*reply).lost = true
	case BrokenReply:
		return refuse(http.StatusInternalServerError, "InternalFailure", "We encountered an internal error.")
	}
	return res
}
