package task_test

import (
	"strings"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/task"
)

func TestRead(t *testing.T) {
	d := task.Doc{Arguments: []task.Field{
		{Name: "To", Type: task.Text, Required: true, Text: "who"},
		{Name: "N", Type: task.Number},
		{Name: "Body", Type: task.Any},
		{Name: "Tls", Type: task.Object, Fields: []task.Field{{Name: "Ca", Type: task.Text}}},
	}}
	for name, c := range map[string]struct{ in, field, text string }{
		"good":           {`{"To":"a","N":1,"Body":null,"Tls":{"Ca":"x"}}`, "", ""},
		"absent by null": {`{"To":"a","N":null}`, "", ""},
		"missing":        {`{}`, "To", "missing"},
		"nothing":        {``, "To", "missing"},
		"null":           {`{"To":null}`, "To", "missing"},
		"unknown":        {`{"To":"a","to":"b"}`, "to", "no such argument"},
		"wrong type":     {`{"To":["a"]}`, "To", "of type string"},
		"inner unknown":  {`{"To":"a","Tls":{"Cert":1}}`, "Tls.Cert", "no such argument"},
		"inner type":     {`{"To":"a","Tls":{"Ca":1}}`, "Tls.Ca", "of type string"},
		"not an object":  {`"a"`, "arguments", "JSON object"},
		"a fraction":     {`{"To":"a","N":1.5}`, "N", "must not be"},
	} {
		t.Run(name, func(t *testing.T) {
			var a struct {
				To   string
				N    int
				Body any
				Tls  struct{ Ca string }
			}
			err := d.Read([]byte(c.in), &a)
			if c.field == "" {
				if err != nil || a.To != "a" {
					t.Errorf("%v, %+v", err, a)
				}
				return
			}
			fields := iap.Fields(err)
			if len(fields) != 1 || fields[0].Field != c.field || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v; want the field %s and %q", err, c.field, c.text)
			}
		})
	}
}
