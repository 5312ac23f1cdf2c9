package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// logView is the log of an instance: one section for each job.
type logView struct {
	ID       string // of the instance
	Sections []logSection
}

// logSection is the log of a job as far as it was written.
type logSection struct {
	Job     jobView
	Lines   []logLine
	Skipped int   // lines before the first one shown
	Offset  int64 // in bytes, of what follows the last line shown
	Next    int   // number of the next line
	Follow  bool  // more will come
}

// logLine is one line, split at the time that begins it.
type logLine struct {
	Number int
	At     time.Time
	Text   string
	Hue    string
}

// shownLines is how many lines of a job's log a page has at most; the rest is
// in the file.
const shownLines = 1000

func (s *Server) logPanel(ctx context.Context, instanceID string) (any, error) {
	jobs, err := s.cfg.Jobs.Of(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	v, next := logView{ID: instanceID}, 1
	for _, j := range lastJobs(jobs) {
		section, err := s.logSection(ctx, j, next)
		if err != nil {
			return nil, err
		}
		next = section.Next
		v.Sections = append(v.Sections, section)
	}
	return v, nil
}

// logSection reads the log of a job, numbering its lines from first.
func (s *Server) logSection(ctx context.Context, j job.Job, first int) (logSection, error) {
	v := logSection{Job: s.viewJob(j), Follow: !j.Status.Ended(), Next: first}
	r, err := s.cfg.Jobs.Log(ctx, j.ID, 0, false)
	if iap.IsKind(err, iap.NotFound) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return v, err
	}
	if end := bytes.LastIndexByte(data, '\n') + 1; v.Follow || end > 0 && end == len(data) {
		data = data[:end] // an unfinished line comes with the stream
	}
	v.Offset = int64(len(data))
	total := bytes.Count(data, []byte("\n"))
	if n := len(data); n > 0 && data[n-1] != '\n' {
		total++
	}
	v.Skipped = max(0, total-shownLines)
	for range v.Skipped {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	number := first + v.Skipped
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		v.Lines = append(v.Lines, parseLine(number, string(line)))
		number++
	}
	v.Next = first + total
	return v, nil
}

// parseLine splits a line at the time that begins it, where there is one.
func parseLine(number int, line string) logLine {
	l := logLine{Number: number, Text: strings.ToValidUTF8(strings.TrimSuffix(line, "\r"), "\uFFFD")}
	stamp, rest, ok := strings.Cut(l.Text, " ")
	if at, err := time.Parse(time.RFC3339Nano, stamp); ok && err == nil {
		l.At, l.Text = at, rest
	}
	switch lower := strings.ToLower(l.Text); {
	case strings.HasPrefix(lower, "error"):
		l.Hue = "failed"
	case strings.HasPrefix(lower, "warning"):
		l.Hue = "ending"
	}
	return l
}

// jobLog is the log as a file.
func (s *Server) jobLog(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	j, err := s.visibleJob(r, actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	log, err := s.cfg.Jobs.Log(r.Context(), j.ID, 0, false)
	if err != nil {
		return err
	}
	defer log.Close()
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+string(j.Kind)+"-"+j.App+"-"+j.ID+`.log"`)
	h.Set("Cache-Control", "private, no-store")
	if _, err := io.Copy(w, log); err != nil && r.Context().Err() == nil {
		s.cfg.Logger.Warn("a log was sent in part", "job", j.ID, "err", err)
	}
	return nil
}

// wantedLog is a job's log that a stream follows, from an offset in bytes.
type wantedLog struct {
	job    string
	offset int64
}

// maxLogs is how many logs one stream follows at most.
const maxLogs = 16

// parseWanted reads "JOB:offset".
func parseWanted(text string) (wantedLog, bool) {
	id, offset, ok := strings.Cut(text, ":")
	if !ok {
		offset = "0"
	}
	n, err := strconv.ParseInt(offset, 10, 64)
	return wantedLog{job: id, offset: n}, err == nil && n >= 0 && iap.ValidID(id)
}

// piece is what was added to a log: whole lines, each with the offset at which
// it begins.
type piece struct {
	Job   string    `json:"job"`
	To    int64     `json:"to"` // offset after the last line
	Lines []rawLine `json:"lines"`
	End   bool      `json:"end,omitempty"` // nothing more will come
}

// rawLine is [offset, text].
type rawLine struct {
	offset int64
	text   string
}

// MarshalJSON writes a line as an array, because there are many.
func (l rawLine) MarshalJSON() ([]byte, error) {
	b := append([]byte{'['}, strconv.FormatInt(l.offset, 10)...)
	text, err := marshalText(l.text)
	if err != nil {
		return nil, err
	}
	b = append(append(append(b, ','), text...), ']')
	return b, nil
}

// followLog sends what is added to a log until it ends or ctx does.
func (s *Server) followLog(ctx context.Context, want wantedLog, pieces chan<- piece) error {
	r, err := s.cfg.Jobs.Log(ctx, want.job, want.offset, true)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { r.Close() })()
	defer r.Close()
	send := func(p piece) error {
		select {
		case pieces <- p:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	split := splitter{job: want.job, at: want.offset}
	buf := make([]byte, 16<<10)
	for {
		n, err := r.Read(buf)
		if p, ok := split.add(buf[:n]); ok {
			if err := send(p); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return send(split.end())
		}
		if err != nil {
			return err
		}
	}
}

// splitter makes whole lines of what comes in any pieces. What is longer than
// maxLine without a line's end is sent as lines of that size.
type splitter struct {
	job  string
	at   int64 // offset of rest
	rest []byte
}

const maxLine = 64 << 10

func (s *splitter) add(data []byte) (piece, bool) {
	s.rest = append(s.rest, data...)
	p := piece{Job: s.job}
	for {
		n, skip := bytes.IndexByte(s.rest, '\n'), 1
		if n < 0 {
			if len(s.rest) < maxLine {
				break
			}
			n, skip = maxLine, 0
		}
		p.Lines = append(p.Lines, rawLine{s.at, string(s.rest[:n])})
		s.at += int64(n + skip)
		s.rest = s.rest[n+skip:]
	}
	s.rest = append([]byte(nil), s.rest...)
	p.To = s.at
	return p, len(p.Lines) > 0
}

func (s *splitter) end() piece {
	p := piece{Job: s.job, End: true}
	if len(s.rest) > 0 {
		p.Lines = append(p.Lines, rawLine{s.at, string(s.rest)})
		s.at += int64(len(s.rest))
	}
	p.To = s.at
	return p
}
