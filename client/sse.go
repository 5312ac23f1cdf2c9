package client

import (
	"bufio"
	"io"
	"strings"
)

// readerFunc is a function that is an io.Reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// message is one message of a stream of server-sent events.
type message struct{ id, event, data string }

// readStream calls fn with each message of r until r ends, which is an error
// too, or fn returns one. (HTML Standard, 9.2.6: interpreting an event stream.)
func readStream(r io.Reader, fn func(message) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4<<20)
	var m message
	var data []string
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			m.data = strings.Join(data, "\n")
			if err := fn(m); err != nil {
				return err
			}
			m, data = message{id: m.id}, nil
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			m.id = value
		case "event":
			m.event = value
		case "data":
			data = append(data, value)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}
