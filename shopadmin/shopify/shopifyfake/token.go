package shopifyfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// serveToken is the client credentials grant, as a form or as JSON.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	in := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.NewDecoder(r.Body).Decode(&in) // what is missing is refused below
	} else if r.ParseForm() == nil {
		for k := range r.PostForm {
			in[k] = r.PostForm.Get(k)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls["Token"]++
	if f := s.draw("Token"); f == FaultUnavailable {
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"errors": "unavailable"})
		return
	}
	switch {
	case in["grant_type"] != "client_credentials":
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
	case in["client_id"] != s.cfg.ClientID || in["client_secret"] != s.cfg.ClientSecret:
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_client", "error_description": "client authentication failed"})
	default:
		s.seq++
		token := fmt.Sprintf("granted-%d", s.seq)
		s.tokens[token] = s.cfg.Clock().Add(s.cfg.TokenLife)
		writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "scope": strings.Join(s.cfg.Scopes, ","),
			"expires_in": int64(s.cfg.TokenLife/time.Second) - 1})
	}
}

// knows reports whether a token is good. The lock is held.
func (s *Server) knows(token string) bool {
	if token == "" {
		return false
	}
	until, ok := s.tokens[token]
	return token == s.cfg.Token || ok && s.cfg.Clock().Before(until)
}

// RevokeTokens ends all granted tokens at once.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}
