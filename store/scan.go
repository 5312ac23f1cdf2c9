package store

import (
	"encoding/json"
	"time"
)

// ms returns t as the databases keep it: milliseconds since 1970, 0 when t is
// zero.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at is the reverse of ms; times are in UTC.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// raw returns stored JSON, nil where there is none.
func raw(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

// text returns v as JSON text.
func text(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// read is the reverse of text; an empty s leaves v as it is.
func read(s string, v any) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), v)
}

// filled makes nil bytes empty ones, for columns that are never NULL.
func filled(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
