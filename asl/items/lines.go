package items

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// Lines goes through JSON Lines: one JSON value a line; empty lines are none.
func Lines(r io.Reader, source string) asl.MapItems {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), maxItem)
	return &lines{scan: s, source: source}
}

type lines struct {
	scan   *bufio.Scanner
	source string
	line   int64
	number int64
}

func (l *lines) Next() (asl.MapItem, error) {
	for l.scan.Scan() {
		l.line++
		text := bytes.TrimSpace(l.scan.Bytes())
		if l.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) == 0 {
			continue
		}
		v, err := value.Parse(text)
		if err != nil {
			return asl.MapItem{}, failed("The line %d of the file %s is not valid JSON: %v", l.line, l.source, err)
		}
		l.number++
		return asl.MapItem{Index: l.number - 1, Source: l.source, Value: v}, nil
	}
	switch err := l.scan.Err(); {
	case err == nil:
		return asl.MapItem{}, io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return asl.MapItem{}, failed("The line %d of the file %s has more than %d bytes.", l.line+1, l.source, maxItem)
	default:
		return asl.MapItem{}, failed("The file %s could not be read: %v", l.source, err)
	}
}
