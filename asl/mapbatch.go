package asl

import (
	"errors"
	"fmt"
	"io"

	"github.com/internal-app-portal/iap/asl/value"
)

// MapItem is one item of a distributed Map state.
type MapItem struct {
	Index int64
	// Key is there when the items are the members of an object; Value is then
	// the member's value.
	Key *string
	// Source is $$.Map.Item.Source: STATE_DATA, or the URI of the object read.
	Source string
	Value  value.Value
}

// pair is the item as a child gets it when there is no ItemSelector.
func (i *MapItem) pair() value.Value {
	if i.Key == nil {
		return i.Value
	}
	return value.NewObject(value.Member{Key: "Key", Value: *i.Key}, value.Member{Key: "Value", Value: i.Value})
}

// MapItems gives items one after the other, and io.EOF after the last.
type MapItems interface{ Next() (MapItem, error) }

// MapError is what a map run fails with.
type MapError struct{ Name, Cause string }

// Error returns the name and the cause.
func (e *MapError) Error() string { return e.Name + ": " + e.Cause }

func mapError(f *failure) *MapError {
	e := &MapError{Name: f.name()}
	if f.cause != nil {
		e.Cause = *f.cause
	}
	return e
}

// MapBatch is the input of one child of a map run.
type MapBatch struct {
	// Number counts the children from 0, First is the number of its first item.
	Number, First int64
	Items         int64
	Input         value.JSON
}

// MapBatches makes the inputs of the children out of the items: it applies
// ItemSelector to each and puts as many of them into a batch as ItemBatcher
// says. The same order and items give the same batches, unless ItemSelector
// uses random numbers. It is used by one goroutine at a time.
type MapBatches struct {
	order  MapRunOrder
	items  MapItems
	x      *exec
	scope  *Frame
	input  value.JSON
	number int64
	// left is an item that did not fit into the last batch.
	left     value.JSON
	leftFrom int64
}

// NewMapBatches begins with the first item. m is the machine of the execution
// that the Map state is part of, env what its steps get.
func NewMapBatches(m *Machine, o MapRunOrder, items MapItems, env Env) (*MapBatches, error) {
	if o.StateGraph < 0 || o.StateGraph >= len(m.Graphs) || m.Graphs[o.StateGraph].State(o.State) == nil {
		return nil, fmt.Errorf("%w: there is no Map state %q", ErrMismatch, o.State)
	}
	f := &Frame{Graph: o.StateGraph, State: o.State, Data: o.Scope.Data, Vars: o.Scope.Vars,
		Entered: o.Scope.Entered, EnteredEvent: o.Scope.EnteredEvent, Retried: o.Scope.Retried}
	b := &MapBatches{order: o, items: items, scope: f, input: o.Scope.Input}
	if b.input.IsZero() {
		b.input = o.Scope.Data
	}
	s := &State{Status: Running, Frames: map[FrameID]*Frame{RootFrame: f}}
	b.x = &exec{m: m, s: s, env: &env}
	b.x.use(RootFrame)
	return b, nil
}

// Next gives the next batch; io.EOF when there is none, a *MapError when the
// items cannot be used.
func (b *MapBatches) Next() (MapBatch, error) {
	if b.order.Batcher == nil {
		item, at, err := b.item()
		if err != nil {
			return MapBatch{}, err
		}
		return b.batch(at, 1, item), nil
	}
	return b.several()
}

func (b *MapBatches) batch(first, items int64, input value.JSON) MapBatch {
	b.number++
	return MapBatch{Number: b.number - 1, First: first, Items: items, Input: input}
}

// several puts items together until MaxItemsPerBatch or MaxInputBytesPerBatch
// is reached.
func (b *MapBatches) several() (MapBatch, error) {
	conf := b.order.Batcher
	text := []byte{'{'}
	if !conf.Input.IsZero() {
		text = append(append(append(text, `"BatchInput":`...), conf.Input.String()...), ',')
	}
	text = append(text, `"Items":[`...)
	limit := b.x.env.Limits.payload()
	if conf.MaxBytes > 0 {
		limit = min(limit, int(conf.MaxBytes))
	}
	var n, first int64
	for conf.MaxItems == 0 || n < conf.MaxItems {
		item, at, err := b.item()
		if errors.Is(err, io.EOF) && n > 0 {
			break
		}
		if err != nil {
			return MapBatch{}, err
		}
		if n == 0 {
			first = at
		} else {
			text = append(text, ',')
		}
		if len(text)+item.Len()+len("]}") > limit {
			if n == 0 {
				return MapBatch{}, &MapError{errDataLimit, fmt.Sprintf("The item %d of the map run does not fit into a batch of %d bytes.", at, limit)}
			}
			b.left, b.leftFrom = item, at
			text = text[:len(text)-1]
			break
		}
		text = append(text, item.String()...)
		n++
	}
	return b.batch(first, n, value.Trusted(string(append(text, "]}"...)))), nil
}

// item gives the next item as ItemSelector wants it, and its number.
func (b *MapBatches) item() (value.JSON, int64, error) {
	if !b.left.IsZero() {
		item := b.left
		b.left = value.JSON{}
		return item, b.leftFrom, nil
	}
	item, err := b.items.Next()
	if err != nil {
		return value.JSON{}, 0, err
	}
	v, f := b.selected(item)
	if f == nil {
		var j value.JSON
		if j, f = b.x.store(v); f == nil {
			return j, item.Index, nil
		}
	}
	return value.JSON{}, 0, mapError(f)
}

// selected applies ItemSelector.
func (b *MapBatches) selected(item MapItem) (value.Value, *failure) {
	m := b.x.def.spec.iterate
	if m.selector == nil && m.selectorQuery == nil {
		return item.pair(), nil
	}
	b.x.forget()
	b.x.at = b.input.Value()
	b.x.item = &mapItem{index: int(item.Index), key: item.Key, source: item.Source, value: item.Value}
	if m.selectorQuery != nil {
		return b.x.fillQuery(m.selectorQuery)
	}
	return b.x.fill(m.selector)
}
