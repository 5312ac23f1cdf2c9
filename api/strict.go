package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep the JSON of a request may be nested.
const maxDepth = 100

// unmarshal reads the JSON of a request as huma.Format has it. It is called
// twice, the first time with *any, when it also checks the form.
func unmarshal(data []byte, v any) error {
	if _, first := v.(*any); first {
		if err := checkJSON(data); err != nil {
			return err
		}
	}
	return json.Unmarshal(data, v)
}

// checkJSON returns an error unless data is one JSON value as RFC 8259 has it,
// in UTF-8, without duplicate keys, nested at most maxDepth deep, with numbers
// that a float64 can hold: what encoding/json lets pass in part.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("the JSON is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	c := jsonCheck{decoder: d}
	if err := c.value(0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("more follows after the JSON value, at byte %d", d.InputOffset())
	}
	return nil
}

type jsonCheck struct{ decoder *json.Decoder }

func (c jsonCheck) value(depth int) error {
	token, err := c.decoder.Token()
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("the JSON ends too early")
	}
	if err != nil {
		return fmt.Errorf("not JSON: %w (at byte %d)", err, c.decoder.InputOffset())
	}
	switch t := token.(type) {
	case json.Number:
		if _, err := strconv.ParseFloat(t.String(), 64); err != nil {
			return fmt.Errorf("the number %.40s is too large", t)
		}
	case json.Delim:
		if depth == maxDepth {
			return fmt.Errorf("nested deeper than %d levels", maxDepth)
		}
		if t == '{' {
			return c.object(depth + 1)
		}
		return c.array(depth + 1)
	}
	return nil
}

func (c jsonCheck) object(depth int) error {
	seen := map[string]bool{}
	for c.decoder.More() {
		token, err := c.decoder.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return fmt.Errorf("not JSON: a key is missing at byte %d", c.decoder.InputOffset())
		}
		if seen[key] {
			return fmt.Errorf("the key %q is there twice", key)
		}
		seen[key] = true
		if err := c.value(depth); err != nil {
			return err
		}
	}
	return c.end()
}

func (c jsonCheck) array(depth int) error {
	for c.decoder.More() {
		if err := c.value(depth); err != nil {
			return err
		}
	}
	return c.end()
}

// end reads the closing bracket.
func (c jsonCheck) end() error {
	if _, err := c.decoder.Token(); err != nil {
		return fmt.Errorf("not JSON: not closed at byte %d", c.decoder.InputOffset())
	}
	return nil
}
