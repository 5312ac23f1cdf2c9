package api

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap/client"
)

// tidySpec makes the document say what is true of the answers: errors are
// client.Problem, whatever the framework declared; the content of a 200 beside
// a 201 is the same; fields may be added to answers in time.
func tidySpec(api *huma.OpenAPI) {
	schemas := api.Components.Schemas
	problem := schemas.Schema(reflect.TypeFor[client.Problem](), true, "Problem")
	for _, item := range api.Paths {
		for _, op := range operations(item) {
			for _, r := range op.Responses {
				if c := r.Content["application/problem+json"]; c != nil {
					c.Schema = problem
				}
			}
			ok, created := op.Responses["200"], op.Responses["201"]
			if ok != nil && created != nil && ok.Content == nil {
				ok.Content = created.Content
			}
		}
	}
	for name, schema := range schemas.Map() {
		switch name {
		case "ErrorModel", "ErrorDetail":
			delete(schemas.Map(), name)
		case "DeployRequest": // read from requests, where unknown fields are errors
		default:
			schema.AdditionalProperties = nil
		}
	}
}

func operations(item *huma.PathItem) []*huma.Operation {
	return slices.DeleteFunc([]*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete},
		func(op *huma.Operation) bool { return op == nil })
}

// What the page shows, made from the OpenAPI document.
type (
	docsData struct {
		Title, Version, About string
		Groups                []docsGroup
		Schemas               []docsSchema
	}
	docsGroup struct {
		Name       string
		Operations []docsOperation
	}
	docsOperation struct {
		ID, Method, Path, Summary, About string
		Public                           bool
		Params                           []docsField
		Body                             []docsBody
		Answers                          []docsAnswer
	}
	docsBody   struct{ MediaType, Type, Ref string }
	docsAnswer struct {
		Status, About string
		Error         bool
		Bodies        []docsBody
	}
	docsSchema struct {
		Name   string
		Fields []docsField
	}
	docsField struct {
		Name, In, Type, Ref, About string
		Required                   bool
	}
)

func docsPage(api *huma.OpenAPI) ([]byte, error) {
	t, err := template.ParseFS(docsFiles, "docs/docs.html")
	if err != nil {
		return nil, err
	}
	data := docsData{Title: api.Info.Title, Version: api.Info.Version, About: api.Info.Description}
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		for _, op := range operations(api.Paths[path]) {
			data.add(op)
		}
	}
	slices.SortStableFunc(data.Groups, func(a, b docsGroup) int { return cmp.Compare(groupRank(a.Name), groupRank(b.Name)) })
	schemas := api.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		data.Schemas = append(data.Schemas, docsSchema{Name: name, Fields: schemaFields(schemas[name])})
	}
	var page bytes.Buffer
	err = t.Execute(&page, data)
	return page.Bytes(), err
}

// groupRank puts what most people look for first.
func groupRank(name string) int {
	return slices.Index([]string{"Portal", "Jobs", "Apps", "Instances"}, name) * -1
}

func (d *docsData) add(op *huma.Operation) {
	i := slices.IndexFunc(d.Groups, func(g docsGroup) bool { return g.Name == op.Tags[0] })
	if i < 0 {
		i = len(d.Groups)
		d.Groups = append(d.Groups, docsGroup{Name: op.Tags[0]})
	}
	out := docsOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, About: op.Description,
		Public: op.Security != nil && len(op.Security) == 0}
	for _, p := range op.Parameters {
		f := schemaField(p.Name, p.Schema)
		f.In, f.Required = p.In, p.Required
		if p.Description != "" {
			f.About = p.Description
		}
		out.Params = append(out.Params, f)
	}
	if op.RequestBody != nil {
		out.Body = bodies(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		code, _ := strconv.Atoi(status)
		a := docsAnswer{Status: status, About: cmp.Or(r.Description, http.StatusText(code)), Error: code >= 400, Bodies: bodies(r.Content)}
		out.Answers = append(out.Answers, a)
	}
	d.Groups[i].Operations = append(d.Groups[i].Operations, out)
}

func bodies(content map[string]*huma.MediaType) (out []docsBody) {
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		b := docsBody{MediaType: mediaType}
		b.Type, b.Ref = typeOf(content[mediaType].Schema)
		if s := content[mediaType].Schema; s != nil && s.Ref == "" && len(s.Properties) > 0 {
			b.Type = "parts: " + strings.Join(slices.Sorted(maps.Keys(s.Properties)), ", ")
		}
		out = append(out, b)
	}
	return out
}

// schemaFields returns the fields of an object, required ones first.
func schemaFields(s *huma.Schema) (out []docsField) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		f := schemaField(name, s.Properties[name])
		f.Required = slices.Contains(s.Required, name)
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b docsField) int {
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		}
		return 1
	})
	return out
}

func schemaField(name string, s *huma.Schema) docsField {
	f := docsField{Name: name, About: s.Description}
	f.Type, f.Ref = typeOf(s)
	var limits []string
	if len(s.Enum) > 0 {
		var words []string
		for _, v := range s.Enum {
			words = append(words, fmt.Sprint(v))
		}
		limits = append(limits, "one of "+strings.Join(words, ", "))
	}
	if s.Minimum != nil && s.Maximum != nil {
		limits = append(limits, fmt.Sprintf("%.0f to %.0f", *s.Minimum, *s.Maximum))
	}
	if s.Default != nil {
		limits = append(limits, fmt.Sprintf("default %v", s.Default))
	}
	if len(limits) > 0 {
		f.About = strings.TrimSpace(strings.TrimSuffix(f.About, ".") + " (" + strings.Join(limits, "; ") + ")")
	}
	return f
}

// typeOf names a schema's type, and the schema that it refers to.
func typeOf(s *huma.Schema) (name, ref string) {
	switch {
	case s == nil:
		return "", ""
	case s.Ref != "":
		ref = s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		return ref, ref
	case s.Type == huma.TypeArray:
		item, ref := typeOf(s.Items)
		return "list of " + item, ref
	case s.Format == "date-time":
		return "time (RFC 3339)", ""
	case s.Type == "":
		return "any", ""
	}
	return s.Type, ""
}
