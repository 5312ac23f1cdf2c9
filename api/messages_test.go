package api_test

import (
	"bufio"
	"io"
	"strings"
)

// readMessages sends the messages of a stream; a comment is one named ":".
func readMessages(r io.Reader, ch chan<- message) {
	lines := bufio.NewScanner(r)
	var m message
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			ch <- m
			m = message{}
		case field == "":
			m.event = ":"
		case field == "id":
			m.id = value
		case field == "event":
			m.event = value
		case field == "data":
			m.data += value
		}
	}
}
