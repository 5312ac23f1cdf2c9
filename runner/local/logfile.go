package local

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// The limits of a log, in bytes.
const (
	maxLog     = 10 << 20
	logReserve = 64 << 10 // of it, kept for the last words
	maxLine    = 8 << 10
)

// timeForm begins each line: RFC 3339 with milliseconds, UTC.
const timeForm = "2006-01-02T15:04:05.000Z"

// jobLog writes what people read, a time before each line. Errors of the disk
// are passed over: a job does not fail for its log.
type jobLog struct {
	secrets []string
	now     func() time.Time

	mu      sync.Mutex
	file    *os.File
	texts   *stream // what say writes to
	pending []byte  // whole lines to write
	size    int64
	full    bool // the note was written
	last    bool // the reserve may be used
}

func newJobLog(file *os.File, size int64, secrets []string, now func() time.Time) *jobLog {
	l := &jobLog{file: file, now: now, size: size, secrets: secrets}
	l.texts = l.stream()
	return l
}

// stream returns a writer for what one source prints, in whatever pieces.
// Several may be written to at once; their lines are never mixed.
func (l *jobLog) stream() *stream {
	s := &stream{log: l}
	s.redact = newRedactor(l.secrets, s.cutLines)
	s.clean = &sanitiser{next: func(p []byte) { _, _ = s.redact.Write(p) }}
	return s
}

// say adds whole lines of text.
func (l *jobLog) say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.texts.clean.Write([]byte(text))
	l.texts.end()
	l.save()
}

// sayLast adds whole lines that are written even when the log is full.
func (l *jobLog) sayLast(text string) {
	l.mu.Lock()
	l.last = true
	l.mu.Unlock()
	l.say(text)
}

// add takes a line that has ended. l.mu is held.
func (l *jobLog) add(line []byte) {
	limit := int64(maxLog - logReserve)
	if l.last {
		limit = maxLog
	}
	if l.size+int64(len(line))+64 > limit {
		if l.full {
			return
		}
		l.full = true
		line = fmt.Appendf(nil, "… the log is longer than %d MiB; the rest is left out", maxLog>>20)
	}
	before := len(l.pending)
	l.pending = l.now().UTC().AppendFormat(l.pending, timeForm)
	l.pending = append(l.pending, ' ')
	l.pending = append(l.pending, line...)
	l.pending = append(l.pending, '\n')
	l.size += int64(len(l.pending) - before)
	if len(l.pending) > 64<<10 {
		l.save()
	}
}

// save writes what is pending. l.mu is held.
func (l *jobLog) save() {
	if len(l.pending) > 0 {
		_, _ = l.file.Write(l.pending)
		l.pending = l.pending[:0]
	}
}

func (l *jobLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.save()
	_ = l.file.Close()
}
