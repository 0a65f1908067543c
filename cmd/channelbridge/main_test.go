package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be the program itself, for tests that need a real process.
func TestMain(m *testing.M) {
	if os.Getenv("CHANNELBRIDGE_TEST_AS_PROGRAM") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// environment is a fixed environment.
type environment map[string]string

func (e environment) lookup(name string) (string, bool) {
	v, ok := e[name]
	return v, ok
}

// result is what one command did.
type result struct {
	code     int
	out, err string
}

// command runs one command as a person would.
func command(t *testing.T, env environment, args ...string) result {
	t.Helper()
	return commandWith(t, env, "", args...)
}

func commandWith(t *testing.T, env environment, stdin string, args ...string) result {
	t.Helper()
	var out, errs safeBuffer
	code := run(t.Context(), args, env.lookup, strings.NewReader(stdin), &out, &errs)
	return result{code, out.String(), errs.String()}
}

// file writes a file of a test and returns its path.
func file(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// safeBuffer is a buffer for many goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
