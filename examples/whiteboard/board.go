package main

import (
	"errors"
	"slices"
)

// What one board may hold. With these a full board is about 3 MB in memory.
const (
	maxStrokes      = 4000
	maxStrokePoints = 4000    // points in a stroke; a longer one ends there
	maxPoints       = 200_000 // points in all strokes; the oldest strokes give way
	maxCoordinate   = 1 << 20 // in tenths of a unit
	maxWidth        = 64      // units
)

var (
	errBadStroke = errors.New("a stroke needs an id of its own, a known colour, a width from 1 to 64 and its first point")
	errBadPoints = errors.New("points are pairs of whole numbers within the board")
)

// colours are names, so that every browser shows the tone that fits its light or dark board.
var colours = []string{"ink", "grey", "red", "orange", "green", "teal", "blue", "violet"}

// Stroke is a line that somebody drew, or erased along.
type Stroke struct {
	ID     string `json:"id"`
	Colour string `json:"colour"`
	Width  int    `json:"width"` // units
	Erase  bool   `json:"erase,omitempty"`
	Points []int  `json:"points"` // x, y, x, y, … in tenths of a unit

	owner string // the secret key of who drew it
}

// valid says whether a browser may begin this stroke.
func (s Stroke) valid() error {
	if s.ID == "" || len(s.ID) > 40 || !slices.Contains(colours, s.Colour) || s.Width < 1 || s.Width > maxWidth {
		return errBadStroke
	}
	if len(s.Points) == 0 {
		return errBadStroke
	}
	return validPoints(s.Points)
}

func validPoints(points []int) error {
	if len(points)%2 != 0 {
		return errBadPoints
	}
	for _, v := range points {
		if v < -maxCoordinate || v > maxCoordinate {
			return errBadPoints
		}
	}
	return nil
}

// Board is the drawing: its strokes in the order in which they were begun. It is not safe for
// concurrent use.
type Board struct {
	strokes []*Stroke
	points  int
}

// Begin adds a stroke and returns the IDs of old strokes that had to give way.
func (b *Board) Begin(s Stroke) (dropped []string, err error) {
	if err := s.valid(); err != nil {
		return nil, err
	}
	if b.find(s.ID) >= 0 {
		return nil, errBadStroke
	}
	s.Points = slices.Clone(s.Points[:min(len(s.Points), 2*maxStrokePoints)])
	b.strokes = append(b.strokes, &s)
	b.points += len(s.Points) / 2
	return b.makeRoom(), nil
}

// Extend adds points to a stroke of owner. It returns those that were taken: none when the stroke
// is gone (somebody cleared the board meanwhile), fewer when the stroke is at its longest.
func (b *Board) Extend(id, owner string, points []int) (taken []int, dropped []string, err error) {
	if err := validPoints(points); err != nil {
		return nil, nil, err
	}
	at := b.find(id)
	if at < 0 || b.strokes[at].owner != owner {
		return nil, nil, nil
	}
	s := b.strokes[at]
	taken = points[:min(len(points), 2*maxStrokePoints-len(s.Points))]
	s.Points = append(s.Points, taken...)
	b.points += len(taken) / 2
	return taken, b.makeRoom(), nil
}

// Undo takes the newest stroke of owner away, and returns its ID or nothing.
func (b *Board) Undo(owner string) string {
	for i := len(b.strokes) - 1; i >= 0; i-- {
		if s := b.strokes[i]; s.owner == owner {
			b.remove(i)
			return s.ID
		}
	}
	return ""
}

// Clear takes everything away.
func (b *Board) Clear() { *b = Board{} }

func (b *Board) makeRoom() (dropped []string) {
	for len(b.strokes) > maxStrokes || b.points > maxPoints {
		dropped = append(dropped, b.strokes[0].ID)
		b.remove(0)
	}
	return dropped
}

func (b *Board) remove(i int) {
	b.points -= len(b.strokes[i].Points) / 2
	b.strokes = slices.Delete(b.strokes, i, i+1)
}

// find looks from the newest, which is nearly always the one that is meant.
func (b *Board) find(id string) int {
	for i := len(b.strokes) - 1; i >= 0; i-- {
		if b.strokes[i].ID == id {
			return i
		}
	}
	return -1
}
