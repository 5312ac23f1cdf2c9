package local

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// stream makes harmless lines of what one source prints: through the
// sanitiser, then the redactor (which so sees what readers would see), then cut
// into lines of at most maxLine bytes.
type stream struct {
	log    *jobLog
	clean  *sanitiser
	redact *redactor
	line   []byte // not ended yet
	cut    int    // bytes of it that were left out
}

// Write never fails.
func (s *stream) Write(p []byte) (int, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	_, _ = s.clean.Write(p)
	s.log.save()
	return len(p), nil
}

// close ends the last line.
func (s *stream) close() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.end()
	s.log.save()
}

// end ends a line that has begun. The log's mu is held.
func (s *stream) end() {
	s.clean.flush()
	s.redact.flush()
	if len(s.line) > 0 || s.cut > 0 {
		s.finishLine()
	}
}

func (s *stream) cutLines(p []byte) {
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte{'\n'})
		s.extend(part)
		if !ended {
			return
		}
		s.finishLine()
		p = rest
	}
}

// extend adds to the line what there is room for.
func (s *stream) extend(part []byte) {
	room := maxLine - len(s.line)
	if s.cut > 0 {
		room = 0
	}
	if len(part) > room {
		for room > 0 && !utf8.RuneStart(part[room]) {
			room--
		}
		s.cut += len(part) - room
		part = part[:room]
	}
	s.line = append(s.line, part...)
}

func (s *stream) finishLine() {
	if s.cut > 0 {
		s.line = fmt.Appendf(s.line, " … (%d bytes more)", s.cut)
	}
	s.log.add(s.line)
	s.line, s.cut = s.line[:0], 0
}
