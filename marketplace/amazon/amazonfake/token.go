package amazonfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

type token struct {
	who  access
	ends time.Time
}

// Revoke withdraws the seller's authorisation: refresh tokens stop working, access tokens too.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh = ""
	clear(s.tokens)
}

// Authorize gives the seller's consent again, with a new refresh token.
func (s *Server) Authorize(refresh string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh = refresh
}

// RotateSecret makes another client secret the only valid one.
func (s *Server) RotateSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}

// ExpireTokens ends all access tokens before their time.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// token serves Login with Amazon.
func (s *Server) token(w http.ResponseWriter, req *http.Request) {
	_ = req.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls["token"]++
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	deny := func(status int, code, text string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": text})
	}
	if s.faults.Down || s.chance(s.faults.Unavailable) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if req.PostForm.Get("client_id") != s.opt.ClientID || req.PostForm.Get("client_secret") != s.secret {
		deny(http.StatusUnauthorized, "invalid_client", "Client authentication failed")
		return
	}
	t, answer := token{ends: s.now().Add(s.opt.TokenLife)}, map[string]any{}
	switch grant := req.PostForm.Get("grant_type"); {
	case grant == "client_credentials" && req.PostForm.Get("scope") == "sellingpartnerapi::notifications":
		t.who = asApplication
	case grant == "client_credentials":
		deny(http.StatusBadRequest, "invalid_scope", "The requested scope is invalid")
		return
	case grant != "refresh_token":
		deny(http.StatusBadRequest, "unsupported_grant_type", "The grant type is not supported")
		return
	case s.refresh == "" || req.PostForm.Get("refresh_token") != s.refresh:
		deny(http.StatusBadRequest, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
		return
	default:
		answer["refresh_token"] = s.refresh
	}
	s.serial++
	value := fmt.Sprintf("Atza|fake-%06d", s.serial)
	s.tokens[value] = t
	answer["access_token"], answer["token_type"], answer["expires_in"] = value, "bearer", int(s.opt.TokenLife.Seconds())
	_ = json.NewEncoder(w).Encode(answer)
	if s.chance(s.faults.Lost) {
		w.(*reply).lost = true
	}
}

// authorize checks the token of an API call.
func (s *Server) authorize(who access, value string) (result, bool) {
	denied := func(details string) (result, bool) {
		return result{http.StatusForbidden, map[string]any{"errors": []any{map[string]string{
			"code": "Unauthorized", "message": "Access to requested resource is denied.", "details": details}}}}, true
	}
	t, known := s.tokens[value]
	switch {
	case value == "":
		return denied("Access token is missing in the request header.")
	case !known:
		return denied("The access token you provided is revoked, malformed or invalid.")
	case !s.now().Before(t.ends):
		return denied("The access token you provided has expired.")
	case t.who != who:
		return denied("The access token is not of the kind this operation needs.")
	}
	return result{}, false
}
