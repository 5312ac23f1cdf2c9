package catalog_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"github.com/internal-app-portal/iap/catalog"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(catalog.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("iap.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("iap.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// document is YAML as a JSON Schema sees it.
func document(t *testing.T, src []byte) any {
	t.Helper()
	var v any
	if err := yaml.Load(src, &v); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSchemaTakesTheExamples(t *testing.T) {
	schema := compiled(t)
	for _, path := range exampleApps(t) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document(t, src)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := schema.Validate(document(t, []byte(full))); err != nil {
		t.Error(err)
	}
}

// TestSchemaRefusesWhatTheParserRefuses goes through the bad manifests whose
// fault a schema can see.
func TestSchemaRefusesWhatTheParserRefuses(t *testing.T) {
	schema := compiled(t)
	for _, bad := range badFields {
		if bad.notInSchema {
			continue
		}
		if err := schema.Validate(document(t, []byte(bad.yaml))); err == nil {
			t.Errorf("the schema takes %q", bad.yaml)
		}
	}
}

// TestSchemaHasTheKeys compares the schema's properties with the structs.
func TestSchemaHasTheKeys(t *testing.T) {
	var doc struct {
		Properties map[string]struct{ Properties map[string]any }
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(catalog.Schema, &doc); err != nil {
		t.Fatal(err)
	}
	compare := func(of reflect.Type, properties []string) {
		t.Helper()
		var want []string
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ",")
			want = append(want, name)
		}
		slices.Sort(want)
		slices.Sort(properties)
		if !slices.Equal(want, properties) {
			t.Errorf("%s: the schema has %v, the struct %v", of, properties, want)
		}
	}
	var top []string
	for name := range doc.Properties {
		top = append(top, name)
	}
	compare(reflect.TypeFor[catalog.Manifest](), top)
	compare(reflect.TypeFor[catalog.Health](), keys(doc.Properties["health"].Properties))
	compare(reflect.TypeFor[catalog.Limits](), keys(doc.Properties["limits"].Properties))
	compare(reflect.TypeFor[catalog.Parameter](), keys(doc.Defs["parameter"].Properties))
}

func keys(m map[string]any) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}
