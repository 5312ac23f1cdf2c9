package asl

import (
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// mapItem is $$.Map.Item.
type mapItem struct {
	index int
	value value.Value
}

const contextTime = "2006-01-02T15:04:05.000Z"

// contextObject builds the Context Object ($$) of the state at hand.
func (x *exec) contextObject() value.Value {
	if x.context != nil {
		return x.context
	}
	e := x.env.Execution
	execution := value.NewObject(
		value.Member{Key: "Id", Value: e.ID},
		value.Member{Key: "Input", Value: e.Input.Value()},
		value.Member{Key: "StartTime", Value: e.StartTime.UTC().Format(contextTime)},
		value.Member{Key: "Name", Value: e.Name},
		value.Member{Key: "RoleArn", Value: e.RoleARN},
		value.Member{Key: "RedriveCount", Value: value.Int(int64(e.RedriveCount))},
	)
	state := value.NewObject(
		value.Member{Key: "Name", Value: x.f.State},
		value.Member{Key: "EnteredTime", Value: x.f.EnteredAt().Format(contextTime)})
	if t := x.def.Type; t == TypeTask || t == TypeParallel || t == TypeMap {
		state.Set("RetryCount", value.Int(x.retries()))
	}
	o := value.NewObject(
		value.Member{Key: "Execution", Value: execution},
		value.Member{Key: "StateMachine", Value: value.NewObject(
			value.Member{Key: "Id", Value: x.env.StateMachine.ID},
			value.Member{Key: "Name", Value: x.env.StateMachine.Name})},
		value.Member{Key: "State", Value: state},
	)
	if x.token != "" {
		o.Set("Task", value.NewObject(value.Member{Key: "Token", Value: x.token}))
	}
	if item := x.mapItem(); item != nil {
		o.Set("Map", value.NewObject(value.Member{Key: "Item", Value: value.NewObject(
			value.Member{Key: "Index", Value: value.Int(int64(item.index))},
			value.Member{Key: "Value", Value: item.value})}))
	}
	x.context = o
	return o
}

// retries counts the retries of the state at hand.
func (x *exec) retries() int64 {
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
				return &mapItem{f.Index, a[f.Index]}
			}
		}
		id = f.Parent
	}
	return nil
}

func millis(t time.Time) int64 { return t.UnixMilli() }
