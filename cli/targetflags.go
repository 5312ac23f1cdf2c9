package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event/delivery"
)

// targetFlags are the flags of the settings that some kinds of target have,
// made of the table of kinds.
type targetFlags struct{ kong.Plugins }

// newTargetFlags has one flag for each that the table names: kinds share some.
func newTargetFlags() targetFlags {
	var fields []reflect.StructField
	seen := map[string]bool{}
	for _, k := range delivery.Kinds() {
		for _, f := range k.Fields {
			if seen[f.Flag] {
				continue
			}
			seen[f.Flag] = true
			fields = append(fields, reflect.StructField{Name: goName(f.Flag), Type: flagType(f.Type), Tag: flagTag(f)})
		}
	}
	return targetFlags{kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}}
}

func flagType(t delivery.FieldType) reflect.Type {
	switch t {
	case delivery.List:
		return reflect.TypeFor[[]string]()
	case delivery.Switch:
		return reflect.TypeFor[bool]()
	}
	return reflect.TypeFor[string]()
}

func flagTag(f delivery.Field) reflect.StructTag {
	tag := fmt.Sprintf("name:%q help:%q", f.Flag, f.Help)
	if f.Holder != "" {
		tag += fmt.Sprintf(" placeholder:%q", f.Holder)
	}
	return reflect.StructTag(tag)
}

// goName is a flag as the name of an exported field: "allow-private" is
// "AllowPrivate".
func goName(flag string) (name string) {
	for part := range strings.SplitSeq(flag, "-") {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}

// value is what was given for a flag; nil: it was not.
func (t targetFlags) value(flag string) any {
	if len(t.Plugins) == 0 {
		return nil
	}
	v := reflect.ValueOf(t.Plugins[0]).Elem().FieldByName(goName(flag))
	if v.IsZero() {
		return nil
	}
	return v.Interface()
}

// kind returns the kind that the flags name, with its settings.
func (t targetFlags) kind() (kind string, s client.TargetSettings, err error) {
	var named, ways []string
	var of delivery.KindInfo
	for _, k := range delivery.Kinds() {
		for _, f := range k.Fields {
			if !f.Names {
				continue
			}
			ways = append(ways, "--"+f.Flag+" "+f.Holder)
			if t.value(f.Flag) != nil {
				named, of = append(named, "--"+f.Flag), k
			}
		}
	}
	if len(named) != 1 {
		return "", s, exitf(codeUsage, "say what the target is by one of: %s", strings.Join(ways, ", "))
	}
	settings, err := t.settings(of)
	if err != nil {
		return "", s, err
	}
	b, err := json.Marshal(settings)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return string(of.Kind), s, err
}

// changed are a target's settings with those flags that were given, and without
// those named in unset; nil: there are neither.
func (t targetFlags) changed(x client.Target, unset []string) (*client.TargetSettings, error) {
	of := delivery.KindInfo{Kind: delivery.Kind(x.Kind)}
	for _, k := range delivery.Kinds() {
		if k.Kind == of.Kind {
			of = k
		}
	}
	given, err := t.settings(of)
	if err != nil || len(given)+len(unset) == 0 {
		return nil, err
	}
	all := map[string]any{}
	b, err := json.Marshal(x.Settings)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil, err
	}
	for _, flag := range unset {
		n := slices.IndexFunc(of.Fields, func(f delivery.Field) bool { return f.Flag == strings.TrimPrefix(flag, "--") })
		if n < 0 {
			return nil, exitf(codeUsage, "--unset %s: a target of kind %s has no such flag", printable(flag), of.Kind)
		}
		delete(all, of.Fields[n].Name)
	}
	maps.Copy(all, given)
	var out client.TargetSettings
	if b, err = json.Marshal(all); err == nil {
		err = json.Unmarshal(b, &out)
	}
	return &out, err
}

// settings are those of a kind; a flag that belongs to other kinds alone is
// refused.
func (t targetFlags) settings(of delivery.KindInfo) (map[string]any, error) {
	out := map[string]any{}
	for _, k := range delivery.Kinds() {
		for _, f := range k.Fields {
			v := t.value(f.Flag)
			if v == nil {
				continue
			}
			if !slices.ContainsFunc(of.Fields, func(own delivery.Field) bool { return own.Flag == f.Flag }) {
				return nil, exitf(codeUsage, "--%s is not for a target of kind %s", f.Flag, of.Kind)
			}
			out[f.Name] = v
		}
	}
	return out, nil
}

// where says where a target is.
func targetWhere(t client.Target) string {
	return delivery.Target{Kind: delivery.Kind(t.Kind), Settings: delivery.Settings(t.Settings)}.Where()
}
