// Package vault seals what the bridge must keep but nobody may read in the database: the
// credentials of connections that were added at run time.
//
// A sealed text is bound to the name it was sealed under, so that one row cannot be put in the
// place of another. There is one key; whoever has it and the database has everything.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// form is the first byte of everything sealed; another one is a later invention.
const form = 1

// fingerprintSize is how much of the key's hash travels with what it sealed.
const fingerprintSize = 4

// Why something cannot be opened.
var (
	ErrNoKey    = errors.New("no key is given")
	ErrOtherKey = errors.New("it was sealed with another key")
	ErrDamaged  = errors.New("it is damaged, or was sealed under another name")
)

// Vault seals and opens with one key. It is safe for concurrent use.
type Vault struct {
	aead  cipher.AEAD
	print [fingerprintSize]byte
}

// New makes a vault from a key of KeySize bytes.
func New(key []byte) (*Vault, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("a key has %d bytes, this one has %d", KeySize, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	v := &Vault{aead: aead}
	sum := sha256.Sum256(append([]byte("channelbridge key\x00"), key...))
	copy(v.print[:], sum[:])
	return v, nil
}

// Parse reads a key as it is written down: base64 of 32 bytes.
func Parse(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if key, err := e.DecodeString(text); err == nil && len(key) == KeySize {
			return key, nil
		}
	}
	return nil, errors.New("the key is not base64 of 32 bytes: make one with `openssl rand -base64 32`")
}

// Seal hides plain under a name. The same text sealed twice looks different.
func (v *Vault) Seal(name string, plain []byte) ([]byte, error) {
	if v == nil {
		return nil, ErrNoKey
	}
	head := append([]byte{form}, v.print[:]...)
	nonce := make([]byte, v.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("sealing %s: %w", name, err)
	}
	return v.aead.Seal(append(head, nonce...), nonce, plain, bound(head, name)), nil
}

// Open gives back what was sealed under the name.
func (v *Vault) Open(name string, sealed []byte) ([]byte, error) {
	if v == nil {
		return nil, fmt.Errorf("opening %s: %w", name, ErrNoKey)
	}
	const at = 1 + fingerprintSize
	n := v.aead.NonceSize()
	if len(sealed) < at+n || sealed[0] != form {
		return nil, fmt.Errorf("opening %s: %w", name, ErrDamaged)
	}
	if [fingerprintSize]byte(sealed[1:at]) != v.print {
		return nil, fmt.Errorf("opening %s: %w", name, ErrOtherKey)
	}
	plain, err := v.aead.Open(nil, sealed[at:at+n], sealed[at+n:], bound(sealed[:at], name))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, ErrDamaged)
	}
	return plain, nil
}

// bound is what a sealed text is tied to besides the key.
func bound(head []byte, name string) []byte {
	return append(append([]byte(nil), head...), name...)
}
