package delivery

import (
	"encoding/json"
	"errors"
	"reflect"

	"cel.dev/cel-go/cel"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/internal-app-portal/iap/event"
)

// CompileValue checks an expression that makes a value of an event. The error
// is Invalid, names field and says where it is wrong.
func CompileValue(field, text string) (*Expression, error) {
	return compile(field, text, cel.DynType)
}

// Value returns what the expression makes of an event, as JSON.
func (x *Expression) Value(e event.Event) (json.RawMessage, error) {
	out, err := x.eval(NewVars(e))
	if err != nil {
		return nil, err
	}
	v, err := out.ConvertToNative(reflect.TypeFor[*structpb.Value]())
	if err != nil {
		return nil, err
	}
	value, ok := v.(*structpb.Value)
	if !ok {
		return nil, errors.New("it has no JSON form")
	}
	return protojson.Marshal(value)
}

// Text returns what the expression makes of an event, which must be a text.
func (x *Expression) Text(e event.Event) (string, error) {
	out, err := x.eval(NewVars(e))
	if err != nil {
		return "", err
	}
	s, ok := out.Value().(string)
	if !ok {
		return "", errors.New("it is a " + out.Type().TypeName() + ", not a text")
	}
	return s, nil
}
