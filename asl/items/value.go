package items

import (
	"io"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// SourceState is $$.Map.Item.Source of items that are the state's own data.
const SourceState = "STATE_DATA"

// Of goes through a value that is there already: an array, or an object's
// members.
func Of(v value.Value) asl.MapItems {
	switch v := v.(type) {
	case value.Array:
		return &ofArray{list: v}
	case *value.Object:
		return &ofObject{members: v.Members()}
	}
	return &ofArray{}
}

// Count is how many items Of gives of a value.
func Count(v value.Value) int64 {
	switch v := v.(type) {
	case value.Array:
		return int64(len(v))
	case *value.Object:
		return int64(len(v.Members()))
	}
	return 0
}

type ofArray struct {
	list value.Array
	at   int
}

func (a *ofArray) Next() (asl.MapItem, error) {
	if a.at == len(a.list) {
		return asl.MapItem{}, io.EOF
	}
	a.at++
	return asl.MapItem{Index: int64(a.at - 1), Source: SourceState, Value: a.list[a.at-1]}, nil
}

type ofObject struct {
	members []value.Member
	at      int
}

func (o *ofObject) Next() (asl.MapItem, error) {
	if o.at == len(o.members) {
		return asl.MapItem{}, io.EOF
	}
	m := o.members[o.at]
	o.at++
	return asl.MapItem{Index: int64(o.at - 1), Source: SourceState, Key: &m.Key, Value: m.Value}, nil
}
