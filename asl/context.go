package asl

import (
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// mapItem is $$.Map.Item.
type mapItem struct {
	index int
	value value.Value
	// key is there when an object is gone through, source in a distributed Map.
	key    *string
	source string
}

// object is $$.Map.Item itself.
func (i *mapItem) object() *value.Object {
	o := value.NewObject(value.Member{Key: "Index", Value: value.Int(int64(i.index))})
	if i.key != nil {
		o.Set("Key", *i.key)
	}
	o.Set("Value", i.value)
	if i.source != "" {
		o.Set("Source", i.source)
	}
	return o
}

const contextTime = "2006-01-02T15:04:05.000Z"

// contextObject builds the Context Object ($$) of the state at hand.
func (x *exec) contextObject() value.Value {
	if x.context != nil {
		return x.context
	}
	o := x.baseContext()
	if x.token != "" {
		o.Set("Task", value.NewObject(value.Member{Key: "Token", Value: x.token}))
	}
	if item := x.mapItem(); item != nil {
		o.Set("Map", value.NewObject(value.Member{Key: "Item", Value: item.object()}))
	}
	x.context = o
	return o
}

// baseContext is what the Context Object has of every state; for a test of a
// single state it may have been given.
func (x *exec) baseContext() *value.Object {
	if x.trace != nil && x.trace.context != nil {
		return x.trace.context.Clone()
	}
	e := x.env.Execution
	execution := value.NewObject(
		value.Member{Key: "Id", Value: e.ID},
		value.Member{Key: "Input", Value: e.Input.Value()},
		value.Member{Key: "StartTime", Value: e.StartTime.UTC().Format(contextTime)},
		value.Member{Key: "Name", Value: e.Name},
		value.Member{Key: "RoleArn", Value: e.RoleARN},
	)
	if x.trace == nil {
		execution.Set("RedriveCount", value.Int(int64(e.RedriveCount)))
	}
	state := value.NewObject(
		value.Member{Key: "Name", Value: x.f.State},
		value.Member{Key: "EnteredTime", Value: x.f.EnteredAt().Format(contextTime)})
	if t := x.def.Type; t == TypeTask || t == TypeParallel || t == TypeMap {
		state.Set("RetryCount", value.Int(x.retries()))
	}
	return value.NewObject(
		value.Member{Key: "Execution", Value: execution},
		value.Member{Key: "StateMachine", Value: value.NewObject(
			value.Member{Key: "Id", Value: x.env.StateMachine.ID},
			value.Member{Key: "Name", Value: x.env.StateMachine.Name})},
		value.Member{Key: "State", Value: state},
	)
}

// retries counts the retries of the state at hand.
func (x *exec) retries() int64 {
	if x.trace != nil {
		return x.trace.retries
	}
	n := 0
	for _, r := range x.f.Retried {
		n += r
	}
	return int64(n)
}

// mapItem finds the innermost iteration that the frame at hand is part of.
func (x *exec) mapItem() *mapItem {
	if x.item != nil {
		return x.item
	}
	for id := x.id; id != RootFrame; {
		f := x.s.Frames[id]
		parent := x.s.Frames[f.Parent]
		if parent.Children != nil && !parent.Children.Items.IsZero() {
			if a, ok := parent.Children.Items.Value().(value.Array); ok && f.Index < len(a) {
				return &mapItem{index: f.Index, value: a[f.Index]}
			}
		}
		id = f.Parent
	}
	return nil
}

func millis(t time.Time) int64 { return t.UnixMilli() }
