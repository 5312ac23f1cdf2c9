package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What one list may hold. With these a full list stays under a megabyte.
const (
	maxItems = 500
	maxText  = 500 // characters
)

var (
	errNotFound = errors.New("this item is gone; somebody deleted it")
	errFull     = fmt.Errorf("the list holds %d items, which is the most; delete some first", maxItems)
)

// Item is one line of the list.
type Item struct {
	ID   int64  `json:"id"`
	Text string `json:"text"`
	Done bool   `json:"done"`
}

// Change is one step from a list to the next, and one line of the journal.
type Change struct {
	Op     string `json:"op"` // add, text, done, move, delete, clear, next
	ID     int64  `json:"id,omitempty"`
	Text   string `json:"text,omitempty"`
	Done   bool   `json:"done,omitempty"`
	Before int64  `json:"before,omitempty"` // move: the item that comes after; 0 is the end
}

// List is a value: a change makes a new one and leaves the old one as it is.
type List struct {
	Items []Item
	Next  int64 // the ID that the next item gets; IDs are never used twice
}

// With returns the list after a change, or why the change is impossible.
func (l List) With(c Change) (List, error) {
	switch c.Op {
	case "add":
		return l.add(c)
	case "clear":
		items := slices.DeleteFunc(slices.Clone(l.Items), func(i Item) bool { return i.Done })
		return List{items, l.Next}, nil
	case "next":
		return List{l.Items, max(l.Next, c.ID)}, nil
	}
	at := l.index(c.ID)
	if at < 0 {
		return l, errNotFound
	}
	items := slices.Clone(l.Items)
	switch c.Op {
	case "text":
		items[at].Text = c.Text
	case "done":
		items[at].Done = c.Done
	case "delete":
		items = slices.Delete(items, at, at+1)
	case "move":
		item := items[at]
		items = slices.Delete(items, at, at+1)
		to := len(items)
		if c.Before != 0 {
			if to = (List{Items: items}).index(c.Before); to < 0 {
				return l, errNotFound
			}
		}
		items = slices.Insert(items, to, item)
	default:
		return l, fmt.Errorf("unknown change %q", c.Op)
	}
	return List{items, l.Next}, nil
}

func (l List) add(c Change) (List, error) {
	if len(l.Items) >= maxItems {
		return l, errFull
	}
	if l.index(c.ID) >= 0 {
		return l, fmt.Errorf("item %d is there twice", c.ID)
	}
	items := append(slices.Clone(l.Items), Item{c.ID, c.Text, c.Done})
	return List{items, max(l.Next, c.ID+1)}, nil
}

func (l List) index(id int64) int {
	return slices.IndexFunc(l.Items, func(i Item) bool { return i.ID == id })
}

// cleanText makes one tidy line of what somebody typed.
func cleanText(text string) (string, error) {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "", errors.New("text is empty; write what is to be done")
	case n > maxText:
		return "", fmt.Errorf("text has %d characters; at most %d fit", n, maxText)
	}
	return text, nil
}
