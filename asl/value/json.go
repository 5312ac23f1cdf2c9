package value

import (
	"encoding/json"
	"errors"
	"fmt"
)

// JSON is a JSON text together with, once asked for, its Value. The zero JSON
// is absent, which is not the same as null. The text is kept as it came,
// blanks included. It is immutable to its users.
type JSON struct {
	text string
	val  Value
	// parsed tells that val is the value of the text.
	parsed bool
}

// Of makes the JSON of a value.
func Of(v Value) JSON { return JSON{text: Text(v), val: v, parsed: true} }

// FromText makes a JSON of a text, which must be one valid JSON document.
func FromText(text string) (JSON, error) {
	v, err := Parse([]byte(text))
	if err != nil {
		return JSON{}, err
	}
	return JSON{text: text, val: v, parsed: true}, nil
}

// Trusted makes a JSON of a text that is known to be valid; it is parsed when
// its Value is first asked for.
func Trusted(text string) JSON { return JSON{text: text} }

// MustText is FromText for constants: it panics on a text that is not JSON.
func MustText(text string) JSON {
	j, err := FromText(text)
	if err != nil {
		panic(fmt.Sprintf("value: %v in %s", err, text))
	}
	return j
}

// IsZero tells whether the JSON is absent.
func (j JSON) IsZero() bool { return j.text == "" }

// String is the text; "" when absent.
func (j JSON) String() string { return j.text }

// Len is the length of the text in bytes.
func (j JSON) Len() int { return len(j.text) }

// Value is the parsed value; nil when absent. It is parsed once, so two
// goroutines must not ask the same JSON at once for the first time.
func (j *JSON) Value() Value {
	if !j.parsed && j.text != "" {
		j.val, _ = Parse([]byte(j.text))
		j.parsed = true
	}
	return j.val
}

// Check parses a trusted text and tells what is wrong with it.
func (j *JSON) Check() error {
	if j.text == "" {
		return errors.New("value: no JSON text")
	}
	if j.parsed {
		return nil
	}
	v, err := Parse([]byte(j.text))
	if err != nil {
		return err
	}
	j.val, j.parsed = v, true
	return nil
}

// MarshalJSON writes the text as a JSON string, so that it comes back as it
// was, byte for byte: encoding/json would reformat embedded JSON.
func (j JSON) MarshalJSON() ([]byte, error) { return AppendString(nil, j.text), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (j *JSON) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("value: a JSON text must be stored as a string: %w", err)
	}
	*j = JSON{text: s}
	return nil
}

// None is the absent JSON.
func (JSON) None() JSON { return JSON{} }
