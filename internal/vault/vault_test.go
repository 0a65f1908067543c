package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/secret"
)

func fresh(t *testing.T) *Vault {
	t.Helper()
	key := make([]byte, KeySize)
	_, err := rand.Read(key)
	require.NoError(t, err)
	v, err := New(key)
	require.NoError(t, err)
	return v
}

func TestSealedTextIsHiddenAndBoundToItsName(t *testing.T) {
	v := fresh(t)
	plain := []byte("refresh_token: hush")
	one, err := v.Seal("amazon-us", plain)
	require.NoError(t, err)
	two, err := v.Seal("amazon-us", plain)
	require.NoError(t, err)
	require.NotEqual(t, one, two)
	require.False(t, bytes.Contains(one, []byte("hush")))

	got, err := v.Open("amazon-us", one)
	require.NoError(t, err)
	require.Equal(t, plain, got)

	_, err = v.Open("amazon-de", one)
	require.ErrorIs(t, err, ErrDamaged)
	_, err = fresh(t).Open("amazon-us", one)
	require.ErrorIs(t, err, ErrOtherKey)
	for i := range one {
		bad := bytes.Clone(one)
		bad[i] ^= 1
		_, err := v.Open("amazon-us", bad)
		require.Error(t, err, "byte %d", i)
		_, err = v.Open("amazon-us", one[:i])
		require.Error(t, err, "cut at %d", i)
	}
}

func TestAVaultWithoutKeyRefuses(t *testing.T) {
	var v *Vault
	_, err := v.Seal("x", nil)
	require.ErrorIs(t, err, ErrNoKey)
	_, err = v.Open("x", nil)
	require.ErrorIs(t, err, ErrNoKey)
	_, err = New(make([]byte, 16))
	require.Error(t, err)
}

func TestKeysAreReadAsTheyAreUsuallyWritten(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb}, KeySize)
	for _, text := range []string{
		base64.StdEncoding.EncodeToString(key) + "\n", base64.RawStdEncoding.EncodeToString(key),
		base64.URLEncoding.EncodeToString(key), " " + base64.RawURLEncoding.EncodeToString(key),
	} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, key, got)
	}
	for _, text := range []string{"", "secret", base64.StdEncoding.EncodeToString(key[:31])} {
		_, err := Parse(text)
		require.ErrorContains(t, err, "openssl rand -base64 32")
	}
}

func TestAKeyFileIsMadeOnceAndOnlyForUs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "bridge.key")
	_, err := Open(Source{File: path})
	require.ErrorIs(t, err, ErrNoKey)

	vaults := make([]*Vault, 8)
	var wg sync.WaitGroup
	for i := range vaults {
		wg.Go(func() { vaults[i], _ = Open(Source{File: path, Create: true}) })
	}
	wg.Wait()
	sealed, err := vaults[0].Seal("x", []byte("y"))
	require.NoError(t, err)
	for _, v := range vaults {
		_, err := v.Open("x", sealed)
		require.NoError(t, err, "all must have the same key")
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*"))
	require.NoError(t, err)
	require.Empty(t, left)

	for _, mode := range []os.FileMode{0o640, 0o604, 0o622} {
		require.NoError(t, os.Chmod(path, mode))
		_, err = Open(Source{File: path, Create: true})
		require.ErrorContains(t, err, "chmod 600")
	}
	other := base64.StdEncoding.EncodeToString(make([]byte, KeySize))
	_, err = Open(Source{Key: secret.New(other), File: path})
	require.NoError(t, err, "the key itself goes before the file")
}
