package tfstate

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Password returns the password with which a job reaches the state of its
// instance: an HMAC-SHA256 in hex. The user name is the job's ID.
func Password(key []byte, instance, jobID string) string {
	mac := hmac.New(sha256.New, derive(key, "iap tfstate password"))
	mac.Write([]byte(instance + "\x00" + jobID))
	return hex.EncodeToString(mac.Sum(nil))
}

func checkPassword(key []byte, instance, jobID, password string) bool {
	return hmac.Equal([]byte(Password(key, instance, jobID)), []byte(password))
}

// derive returns 32 bytes for one purpose (HKDF-SHA256, RFC 5869).
func derive(key []byte, purpose string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, purpose, 32)
	if err != nil {
		panic(err) // only for lengths above 8,160 bytes
	}
	return out
}

// sealed is the first byte of an encrypted state: AES-256-GCM, nonce in front,
// the instance as additional data.
const sealed = 1

// aead returns the cipher for one instance's states. A key for each keeps
// random nonces from ever coming near their limit.
func aead(key []byte, instance string) (cipher.AEAD, error) {
	block, err := aes.NewCipher(derive(key, "iap tfstate state "+instance))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func seal(key []byte, instance string, state []byte) ([]byte, error) {
	c, err := aead(key, instance)
	if err != nil {
		return nil, err
	}
	return c.Seal([]byte{sealed}, nil, state, []byte(instance)), nil
}

func open(key []byte, instance string, data []byte) ([]byte, error) {
	if len(data) == 0 || data[0] != sealed {
		return nil, errors.New("the stored state has an unknown form")
	}
	c, err := aead(key, instance)
	if err != nil {
		return nil, err
	}
	state, err := c.Open(nil, nil, data[1:], []byte(instance))
	if err != nil {
		return nil, errors.New("the stored state cannot be decrypted; was the portal's key changed?")
	}
	return state, nil
}
