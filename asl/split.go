package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// Above these a State is stored in parts: a Map of ten thousand iterations
// would else be written as a whole, megabytes, for each of its transitions.
const (
	wholeFrames = 16
	wholeBytes  = 8 << 10
	apartBytes  = 1 << 10 // a text of this length is a part of its own
)

// Splitter writes the States of one execution, one after the other, as a head
// and, for a large one, parts, and tells which of the parts have changed. The
// zero Splitter has written nothing yet.
type Splitter struct {
	parts  map[string]string
	frames map[FrameID]*splitFrame
}

// splitFrame is what was written of a frame.
type splitFrame struct {
	names []string // its parts
	done  bool     // nothing of it is going to change
}

// Write returns the head of s, the parts to put since the last Write, and the
// names of those to drop. What it returns must be stored, or the Splitter
// thrown away.
func (p *Splitter) Write(s *State) (head []byte, put map[string]string, drop []string) {
	if fitsWhole(s) {
		for name := range p.parts {
			drop = append(drop, name)
		}
		p.parts, p.frames = nil, nil
		head, _ = s.MarshalJSON() // gives no errors
		return head, nil, drop
	}
	if p.parts == nil {
		p.parts, p.frames = map[string]string{}, map[FrameID]*splitFrame{}
	}
	put = map[string]string{}
	for id, f := range s.Frames {
		old := p.frames[id]
		if old != nil && old.done && f.Phase == PhaseDone {
			continue
		}
		drop = append(drop, p.writeFrame(id, f, old, put)...)
	}
	for id, old := range p.frames {
		if s.Frames[id] == nil {
			drop = append(drop, p.forget(id, old.names)...)
			delete(p.frames, id)
		}
	}
	w := writer{b: make([]byte, 0, 128)}
	w.open()
	w.flag("split", true)
	s.writeHead(&w)
	w.close()
	return w.b, put, drop
}

// Bytes is about what the Splitter keeps in memory.
func (p *Splitter) Bytes() int64 {
	n := int64(0)
	for name, text := range p.parts {
		n += int64(len(name)+len(text)) + 64
	}
	return n
}

// fitsWhole tells whether s is stored as a whole.
func fitsWhole(s *State) bool {
	if len(s.Frames) > wholeFrames {
		return false
	}
	n := 0
	for _, f := range s.Frames {
		n += f.Data.Len() + f.Vars.Len()
		if c := f.Children; c != nil {
			n += c.Items.Len() + c.Input.Len()
		}
	}
	return n <= wholeBytes
}

// writeFrame puts what has changed of one frame and returns what is no longer a
// part.
func (p *Splitter) writeFrame(id FrameID, f *Frame, old *splitFrame, put map[string]string) (drop []string) {
	now := &splitFrame{done: f.Phase == PhaseDone}
	name := strconv.Itoa(int(id))
	keep := func(name, text string) {
		now.names = append(now.names, name)
		if p.parts[name] != text {
			p.parts[name], put[name] = text, text
		}
	}
	w := writer{b: make([]byte, 0, 256), apart: func(key, text string) { keep(name+"."+key, text) }}
	f.write(&w)
	keep(name, string(w.b))
	if old != nil {
		for _, n := range old.names {
			if !contains(now.names, n) {
				drop = append(drop, p.forget(id, []string{n})...)
			}
		}
	}
	p.frames[id] = now
	return drop
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func (p *Splitter) forget(_ FrameID, names []string) []string {
	for _, n := range names {
		delete(p.parts, n)
	}
	return names
}

// IsSplit tells whether a head has parts.
func IsSplit(head []byte) bool {
	return strings.HasPrefix(string(head[:min(len(head), 16)]), `{"split":true`)
}

// Join reads a State that was written in parts, and returns it with a Splitter
// that goes on from there. parts is nil for a head that has none.
func Join(head []byte, parts map[string]string) (*State, *Splitter, error) {
	s, p := new(State), new(Splitter)
	if !IsSplit(head) {
		return s, p, json.Unmarshal(head, s)
	}
	if err := s.read(head); err != nil {
		return nil, nil, err
	}
	p.parts, p.frames = parts, make(map[FrameID]*splitFrame)
	s.Frames = make(map[FrameID]*Frame)
	for name, text := range parts {
		number, key, apart := strings.Cut(name, ".")
		id, err := strconv.Atoi(number)
		if err != nil {
			return nil, nil, fmt.Errorf("asl: the state of an execution: %q is no part of it", name)
		}
		if p.frames[FrameID(id)] == nil {
			p.frames[FrameID(id)] = &splitFrame{}
		}
		at := p.frames[FrameID(id)]
		at.names = append(at.names, name)
		if apart && key != "" {
			continue
		}
		f, err := joinFrame(number, text, parts)
		if err != nil {
			return nil, nil, err
		}
		s.Frames[FrameID(id)], at.done = f, f.Phase == PhaseDone
	}
	if len(s.Frames) != len(p.frames) || s.Frames[RootFrame] == nil {
		return nil, nil, errors.New("asl: the state of an execution lacks a part")
	}
	return s, p, nil
}

func joinFrame(number, text string, parts map[string]string) (*Frame, error) {
	v, err := value.Parse([]byte(text))
	o, ok := v.(*value.Object)
	if err != nil || !ok {
		return nil, fmt.Errorf("asl: the state of an execution: part %s is not a frame: %w", number, err)
	}
	missing := ""
	f := readFrame(reader{o: o, apart: func(key string) string {
		text, ok := parts[number+"."+key]
		if !ok {
			missing = key
		}
		return text
	}})
	if missing != "" {
		return nil, fmt.Errorf("asl: the state of an execution lacks part %s.%s", number, missing)
	}
	return f, nil
}
