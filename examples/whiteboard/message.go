package main

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode"
)

// In is a message of a browser. Kind is hello, begin, move, cursor, undo or clear.
type In struct {
	Kind   string  `json:"kind"`
	Name   string  `json:"name"`   // hello
	Key    string  `json:"key"`    // hello: the browser's secret, by which its strokes are its own
	Stroke *Stroke `json:"stroke"` // begin
	ID     string  `json:"id"`     // move
	Points []int   `json:"points"` // move, and cursor: one point or, when it has left, none
}

// Out is a message to browsers. Kind is welcome, board, begin, move, remove, clear, cursor, join or
// leave.
type Out struct {
	Kind    string    `json:"kind"`
	By      int       `json:"by,omitempty"` // the person whose doing it is
	Stroke  *Stroke   `json:"stroke,omitempty"`
	ID      string    `json:"id,omitempty"`
	Points  []int     `json:"points,omitempty"`
	Person  *Person   `json:"person,omitempty"`  // join; welcome: you
	People  []Person  `json:"people,omitempty"`  // welcome: the others
	Strokes []*Stroke `json:"strokes,omitempty"` // board: all there is
}

// Person is somebody at the board.
type Person struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
}

var errNoHello = errors.New("the first message must be hello, with a key of 16 to 64 characters")

func decode(data []byte) (In, error) {
	var in In
	if err := json.Unmarshal(data, &in); err != nil {
		return in, err
	}
	return in, nil
}

// hello reads the first message of a browser.
func hello(data []byte) (name, key string, err error) {
	in, err := decode(data)
	if err != nil || in.Kind != "hello" || len(in.Key) < 16 || len(in.Key) > 64 {
		return "", "", errNoHello
	}
	return cleanName(in.Name), in.Key, nil
}

// cleanName makes a short line of what somebody calls themselves.
func cleanName(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if runes := []rune(name); len(runes) > 24 {
		name = string(runes[:24])
	}
	if name == "" {
		return "Guest"
	}
	return name
}
