package main

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"
)

const (
	maxPeople = 50
	// backlog is how many messages may wait for a browser. A fast pen makes 60 a second, so a browser
	// that is this far behind would not catch up; it is dropped, comes again, and gets the board.
	backlog = 512
)

var errCrowded = errors.New("the board is full of people; try again later")

// Hub holds the board and who is at it. Every change and its broadcast happen under one lock, so
// that all browsers see the same order, and a new one gets the board and then every later change.
type Hub struct {
	mu     sync.Mutex
	board  Board
	people []*seat
	next   int
	cached []byte // the board as a message; nil when it has changed since
}

// seat is one browser at the board.
type seat struct {
	Person
	key  string
	out  chan []byte   // encoded messages, closed never
	slow chan struct{} // closed when the backlog is full
}

// Join adds a browser. Its first messages are the welcome and the board.
func (h *Hub) Join(name, key string) (*seat, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.people) >= maxPeople {
		return nil, errCrowded
	}
	h.next++
	s := &seat{
		Person: Person{Number: h.next, Name: name}, key: key,
		out: make(chan []byte, backlog), slow: make(chan struct{}),
	}
	welcome := Out{Kind: "welcome", Person: &s.Person}
	for _, other := range h.people {
		welcome.People = append(welcome.People, other.Person)
	}
	if h.cached == nil { // encoded once for all who join before the next change
		h.cached = encode(Out{Kind: "board", Strokes: h.board.strokes})
	}
	s.out <- encode(welcome)
	s.out <- h.cached
	h.send(Out{Kind: "join", Person: &s.Person}, nil)
	h.people = append(h.people, s)
	return s, nil
}

// Leave takes a browser away.
func (h *Hub) Leave(s *seat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.people, s); i >= 0 {
		h.people = slices.Delete(h.people, i, i+1)
		h.send(Out{Kind: "leave", By: s.Number}, nil)
	}
}

// Take does what a browser asks for. An error means that the browser does not keep to the protocol.
func (h *Hub) Take(s *seat, in In) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch in.Kind {
	case "hello":
		s.Name = cleanName(in.Name)
		person := s.Person
		h.send(Out{Kind: "join", Person: &person}, nil)
		return nil
	case "begin":
		return h.begin(s, in.Stroke)
	case "move":
		return h.move(s, in)
	case "cursor":
		if err := validPoints(in.Points); err != nil || len(in.Points) > 2 {
			return errBadPoints
		}
		h.send(Out{Kind: "cursor", By: s.Number, Points: in.Points}, s)
		return nil
	case "undo":
		if id := h.board.Undo(s.key); id != "" {
			h.changed(Out{Kind: "remove", By: s.Number, ID: id}, nil)
		}
		return nil
	case "clear":
		h.board.Clear()
		h.changed(Out{Kind: "clear", By: s.Number}, nil)
		return nil
	}
	return errors.New("unknown kind of message: " + in.Kind)
}

// begin is told to everybody, the one who draws included, so that all have the same order.
func (h *Hub) begin(s *seat, stroke *Stroke) error {
	if stroke == nil {
		return errBadStroke
	}
	stroke.owner = s.key
	dropped, err := h.board.Begin(*stroke)
	if err != nil {
		return err
	}
	h.changed(Out{Kind: "begin", By: s.Number, Stroke: stroke}, nil)
	h.drop(dropped)
	return nil
}

func (h *Hub) move(s *seat, in In) error {
	taken, dropped, err := h.board.Extend(in.ID, s.key, in.Points)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		h.changed(Out{Kind: "move", By: s.Number, ID: in.ID, Points: taken}, s)
	}
	h.drop(dropped)
	return nil
}

func (h *Hub) drop(ids []string) {
	for _, id := range ids {
		h.changed(Out{Kind: "remove", ID: id}, nil)
	}
}

func (h *Hub) changed(out Out, but *seat) {
	h.cached = nil
	h.send(out, but)
}

// send queues a message for all, but for one. Who does not keep up is marked and gets no more.
func (h *Hub) send(out Out, but *seat) {
	data := encode(out)
	for _, s := range h.people {
		if s == but {
			continue
		}
		select {
		case <-s.slow:
		case s.out <- data:
		default:
			close(s.slow)
		}
	}
}

func encode(out Out) []byte {
	data, err := json.Marshal(out)
	if err != nil {
		panic(err) // no Out holds anything that JSON cannot
	}
	return data
}
