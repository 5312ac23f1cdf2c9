package server

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"strings"
)

// sealer keeps secret parameters by AES-256-GCM (NIST SP 800-38D) with a key
// derived from the portal's.
type sealer struct{ gcm cipher.AEAD }

// sealedPrefix marks what was sealed, and how.
const sealedPrefix = "sealed:1:"

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{gcm}, err
}

// Seal implements instance.Sealer.
func (s sealer) Seal(text string) string {
	return sealedPrefix + base64.RawStdEncoding.EncodeToString(s.gcm.Seal(nil, nil, []byte(text), []byte(sealedPrefix)))
}

// Open implements instance.Sealer.
func (s sealer) Open(sealed string) (string, error) {
	text, ok := strings.CutPrefix(sealed, sealedPrefix)
	if !ok {
		return "", errors.New("it was not sealed by a portal")
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	plain, err := s.gcm.Open(nil, nil, raw, []byte(sealedPrefix))
	return string(plain), err
}
