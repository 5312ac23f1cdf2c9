package asl

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/internal-app-portal/iap/asl/value"
)

// A State is stored at every transition, so it is written and read by hand:
// short keys, nothing that is zero, frames in the order of their numbers.

// MarshalJSON writes the state.
func (s State) MarshalJSON() ([]byte, error) {
	w := writer{b: make([]byte, 0, 512)}
	w.open()
	s.writeHead(&w)
	if len(s.Frames) > 0 {
		w.key("frames")
		w.open()
		ids := make([]FrameID, 0, len(s.Frames))
		for id := range s.Frames {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			w.key(strconv.Itoa(int(id)))
			s.Frames[id].write(&w)
		}
		w.close()
	}
	w.close()
	return w.b, nil
}

// writeHead writes all but the frames.
func (s *State) writeHead(w *writer) {
	w.text("status", string(s.Status))
	w.number("events", s.LastEventID)
	w.number("last_frame", int64(s.LastFrame))
	w.number("last_timer", int64(s.LastTimer))
	w.number("timeout", int64(s.Timeout))
	w.text("output", s.Output.String())
	w.maybe("error", s.Error)
	w.maybe("cause", s.Cause)
}

func (f *Frame) write(w *writer) {
	w.open()
	w.number("parent", int64(f.Parent))
	w.number("index", int64(f.Index))
	w.number("graph", int64(f.Graph))
	w.text("state", f.State)
	w.text("phase", string(f.Phase))
	w.data("data", f.Data)
	w.data("vars", f.Vars)
	w.number("prev", f.Prev)
	w.number("attempt", int64(f.Attempt))
	if len(f.Retried) > 0 {
		w.key("retried")
		w.b = append(w.b, '[')
		for i, n := range f.Retried {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.b = strconv.AppendInt(w.b, int64(n), 10)
		}
		w.b = append(w.b, ']')
	}
	w.number("entered", f.Entered)
	w.number("entered_event", f.EnteredEvent)
	w.flag("started", f.Started)
	w.flag("submitted", f.Submitted)
	w.number("timer", int64(f.Timer))
	w.number("heartbeat", int64(f.Heartbeat))
	w.number("heartbeat_seconds", f.HeartbeatSeconds)
	w.text("map_run", f.MapRun)
	w.number("map_redrives", f.MapRedrives)
	if c := f.Children; c != nil {
		w.key("children")
		w.open()
		w.number("total", int64(c.Total))
		w.number("next", int64(c.Next))
		w.number("done", int64(c.Done))
		w.number("limit", int64(c.Limit))
		w.data("items", c.Items)
		w.data("input", c.Input)
		w.close()
	}
	w.close()
}

// writer appends members to objects, leaving out those that are zero.
type writer struct {
	b     []byte
	first bool
	// apart takes the long texts of a frame that is stored in parts; nil: they
	// are written like all others.
	apart func(key, text string)
}

func (w *writer) open()  { w.b, w.first = append(w.b, '{'), true }
func (w *writer) close() { w.b, w.first = append(w.b, '}'), false }

func (w *writer) key(k string) {
	if !w.first {
		w.b = append(w.b, ',')
	}
	w.first = false
	w.b = append(value.AppendString(w.b, k), ':')
}

func (w *writer) text(k, s string) {
	if s != "" {
		w.key(k)
		w.b = value.AppendString(w.b, s)
	}
}

// data writes a text, or tells that it is kept apart.
func (w *writer) data(k string, j value.JSON) {
	if w.apart != nil && j.Len() >= apartBytes {
		w.apart(k, j.String())
		w.flag(k+apartSuffix, true)
		return
	}
	w.text(k, j.String())
}

// apartSuffix is of the key that stands in place of a text that is kept apart.
const apartSuffix = "_apart"

func (w *writer) maybe(k string, s *string) {
	if s != nil {
		w.key(k)
		w.b = value.AppendString(w.b, *s)
	}
}

func (w *writer) number(k string, n int64) {
	if n != 0 {
		w.key(k)
		w.b = strconv.AppendInt(w.b, n, 10)
	}
}

func (w *writer) flag(k string, v bool) {
	if v {
		w.key(k)
		w.b = append(w.b, "true"...)
	}
}

// UnmarshalJSON reads what MarshalJSON wrote; for what may be in parts see Join.
func (s *State) UnmarshalJSON(b []byte) error {
	if IsSplit(b) {
		return errors.New("asl: the state of an execution is in parts")
	}
	return s.read(b)
}

func (s *State) read(b []byte) error {
	v, err := value.Parse(b)
	if err != nil {
		return fmt.Errorf("asl: the state of an execution: %w", err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return errors.New("asl: the state of an execution must be a JSON object")
	}
	r := reader{o: o}
	*s = State{Status: Status(r.text("status")), LastEventID: r.number("events"), LastFrame: FrameID(r.number("last_frame")),
		LastTimer: TimerID(r.number("last_timer")), Timeout: TimerID(r.number("timeout")),
		Output: r.data("output"), Error: r.maybe("error"), Cause: r.maybe("cause")}
	frames := r.object("frames")
	if frames.Len() > 0 {
		s.Frames = make(map[FrameID]*Frame, frames.Len())
	}
	for _, m := range frames.Members() {
		id, err := strconv.Atoi(m.Key)
		f, ok := m.Value.(*value.Object)
		if err != nil || !ok {
			return fmt.Errorf("asl: the state of an execution: %q is not a frame", m.Key)
		}
		s.Frames[FrameID(id)] = readFrame(reader{o: f})
	}
	return nil
}

func readFrame(r reader) *Frame {
	f := &Frame{Parent: FrameID(r.number("parent")), Index: int(r.number("index")), Graph: int(r.number("graph")),
		State: r.text("state"), Phase: Phase(r.text("phase")), Data: r.data("data"), Vars: r.data("vars"),
		Prev: r.number("prev"), Attempt: int(r.number("attempt")), Entered: r.number("entered"), EnteredEvent: r.number("entered_event"),
		Started: r.flag("started"), Submitted: r.flag("submitted"), Timer: TimerID(r.number("timer")),
		Heartbeat: TimerID(r.number("heartbeat")), HeartbeatSeconds: r.number("heartbeat_seconds"), MapRun: r.text("map_run"),
		MapRedrives: r.number("map_redrives")}
	list, _ := get(r.o, "retried").(value.Array)
	for _, x := range list {
		n, _ := x.(value.Number)
		i, _ := n.Int64()
		f.Retried = append(f.Retried, int(i))
	}
	if o := r.object("children"); o != nil {
		c := reader{o: o, apart: r.apart}
		f.Children = &Children{Total: int(c.number("total")), Next: int(c.number("next")), Done: int(c.number("done")),
			Limit: int(c.number("limit")), Items: c.data("items"), Input: c.data("input")}
	}
	return f
}

// reader reads members of an object; one that is missing is zero.
type reader struct {
	o     *value.Object
	apart func(key string) string // finds what is kept apart; nil: nothing is
}

func (r reader) text(k string) string {
	s, _ := get(r.o, k).(string)
	return s
}

func (r reader) maybe(k string) *string {
	if s, ok := get(r.o, k).(string); ok {
		return &s
	}
	return nil
}

func (r reader) data(k string) value.JSON {
	if r.apart != nil && r.flag(k+apartSuffix) {
		return value.Trusted(r.apart(k))
	}
	return value.Trusted(r.text(k))
}

func (r reader) number(k string) int64 {
	n, _ := get(r.o, k).(value.Number)
	i, _ := n.Int64()
	return i
}

func (r reader) flag(k string) bool { return get(r.o, k) == true }

func (r reader) object(k string) *value.Object {
	o, _ := get(r.o, k).(*value.Object)
	return o
}
