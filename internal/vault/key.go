package vault

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"channelbridge/internal/secret"
)

// Source says where the key comes from.
type Source struct {
	Key    secret.Text // the key itself; goes before File
	File   string
	Create bool // make File when it does not exist
}

// Open finds the key and makes a vault. ErrNoKey when there is none.
func Open(s Source) (*Vault, error) {
	if s.Key.Set() {
		key, err := Parse(s.Key.Reveal())
		if err != nil {
			return nil, err
		}
		return New(key)
	}
	if s.File == "" {
		return nil, ErrNoKey
	}
	key, err := ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		if !s.Create {
			return nil, fmt.Errorf("key file %s does not exist: %w", s.File, ErrNoKey)
		}
		key, err = CreateFile(s.File)
	}
	if err != nil {
		return nil, err
	}
	return New(key)
}

// ReadFile reads a key file. One that others may read or change is refused: it would protect nothing.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key file %s is not a file", path)
	}
	if m := info.Mode().Perm(); m&0o077 != 0 {
		return nil, fmt.Errorf("key file %s may be used by others (mode %04o): run `chmod 600 %s`, and make a new key if others could read it", path, m, path)
	}
	text := make([]byte, 256)
	n, err := f.Read(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	key, err := Parse(string(text[:n]))
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return key, nil
}

// CreateFile makes a new key and its file, readable by us alone. When somebody else was faster,
// their key is read.
func CreateFile(path string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("folder of the key file: %w", err)
	}
	key := make([]byte, KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	// Written aside and linked into place: nobody ever sees half a key.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintln(tmp, base64.StdEncoding.EncodeToString(key))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return ReadFile(path)
	} else if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return key, nil
}
