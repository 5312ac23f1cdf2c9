package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

func logLine(number, job string, offset int, text string) string {
	return fmt.Sprintf("id: %s;%s=%d\nevent: log\ndata: {\"job\":%q,\"offset\":%d,\"text\":%q}\n\n", number, job, offset, job, offset, text)
}

func logEnd(job string, offset int) string {
	return fmt.Sprintf("id: 5;%s=%d\nevent: log-end\ndata: {\"job\":%q,\"offset\":%d,\"text\":\"\"}\n\n", job, offset, job, offset)
}

// TestFollowLogsLosesNothing cuts the stream after every number of bytes, in
// the middle of messages too.
func TestFollowLogsLosesNothing(t *testing.T) {
	var want []string
	for n := range 40 {
		want = append(want, fmt.Sprintf("line %d", n))
	}
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, at, _ := strings.Cut(r.URL.Query().Get("log"), ":")
		offset, err := strconv.Atoi(at)
		if err != nil {
			t.Errorf("asked for %q", r.URL.RawQuery)
		}
		var b strings.Builder
		b.WriteString(opened)
		for n := offset; n < len(want); n++ { // an offset of a byte for each line
			b.WriteString(logLine("5", "J", n+1, want[n]))
		}
		b.WriteString(logEnd("J", len(want)))
		text := b.String()
		cut := 300 + 17*int(calls.Add(1))
		_, _ = w.Write([]byte(text[:min(cut, len(text))]))
	}))
	defer s.Close()
	c, err := New(s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = c.Follow(t.Context(), Follow{
		Logs: map[string]int64{"J": 0},
		Line: func(l LogLine) error { got = append(got, l.Text); return nil },
		LogEnd: func(job string, offset int64) error {
			if job != "J" || offset != int64(len(want)) {
				t.Errorf("%s ended at %d", job, offset)
			}
			return errEnough
		},
	})
	if err != errEnough || !slices.Equal(got, want) {
		t.Errorf("%v\ngot  %q\nwant %q", err, got, want)
	}
	if calls.Load() < 3 {
		t.Error("the stream was hardly cut")
	}
}

// TestFollowOpensAgainWithMoreLogs has a new job's log added when an event
// tells of the job.
func TestFollowOpensAgainWithMoreLogs(t *testing.T) {
	type asked struct {
		logs []string
		last string
	}
	var got []asked
	ask := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			got = append(got, asked{r.URL.Query()["log"], r.Header.Get("Last-Event-ID")})
			say(text)(w, r)
		}
	}
	c := streams(t,
		ask(opened+logLine("4", "A", 7, "one")+event(5)+logLine("5", "A", 9, "dropped with the stream")),
		ask("id: 5;A=7;B=0\nevent: open\ndata: {\"last\":5}\n\n"+logLine("5", "A", 7, "one")+logLine("5", "B", 3, "b")+
			logLine("5", "C", 3, "not asked for")+logEnd("A", 7)+logLine("5", "A", 8, "after its end")))
	logs, lines := map[string]int64{"A": 0}, []string{}
	err := c.Follow(t.Context(), Follow{
		Logs:  logs,
		Event: func(Event) error { logs["B"] = 0; return ErrReopen },
		Line:  func(l LogLine) error { lines = append(lines, l.Job+l.Text); return nil },
		LogEnd: func(string, int64) error {
			logs["D"] = 2
			return errEnough
		},
		Lost: func(err error) { t.Errorf("lost: %v", err) },
	})
	if err != errEnough || !slices.Equal(lines, []string{"Aone", "Bb"}) {
		t.Errorf("%v, lines %q", err, lines)
	}
	if want := (asked{[]string{"A:7", "B:0"}, "5"}); len(got) != 2 || !slices.Equal(got[1].logs, want.logs) || got[1].last != want.last {
		t.Errorf("asked for %+v", got)
	}
	if want := map[string]int64{"B": 3, "D": 2}; !maps.Equal(logs, want) {
		t.Errorf("left to follow: %v", logs)
	}
}

// TestFollowOutlivesAnAnswerOfAPortalThatStops has a function of Follow fail
// as its own requests do while a portal stops.
func TestFollowOutlivesAnAnswerOfAPortalThatStops(t *testing.T) {
	for _, why := range []error{&NoPortalError{Err: errors.New("refused")}, &Error{Problem: Problem{Status: 503}}} {
		c := streams(t, say(opened+event(5)+event(6)), say(opened+event(7)))
		var numbers []int64
		var lost error
		err := c.Follow(t.Context(), Follow{
			Event: func(e Event) error {
				numbers = append(numbers, e.Number)
				if e.Number == 5 {
					return why
				}
				return errEnough
			},
			Lost: func(err error) { lost = err },
		})
		if err != errEnough || lost != why || !slices.Equal(numbers, []int64{5, 7}) {
			t.Errorf("%v, lost by %v, events %v", err, lost, numbers)
		}
	}
	c := streams(t, say(opened))
	var refusal *Error
	if err := c.Follow(t.Context(), Follow{Opened: func() error { return &Error{Problem: Problem{Status: 500}} }}); !errors.As(err, &refusal) {
		t.Errorf("an error of the portal: %v", err)
	}
}

func TestFollowRefusesALineThatCannotBeRead(t *testing.T) {
	c := streams(t, say(opened+"event: log\ndata: {\n\n"))
	var syntax *json.SyntaxError
	if err := c.Follow(t.Context(), Follow{Logs: map[string]int64{"J": 0}}); !errors.As(err, &syntax) {
		t.Errorf("got %v", err)
	}
}
