package httpcall

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

// encode writes a body as a form: objects as a[b]=x, lists in the format asked
// for.
func encode(body json.RawMessage, format string) (string, error) {
	switch format {
	case "":
		format = "INDICES"
	case "INDICES", "REPEAT", "COMMAS", "BRACKETS":
	default:
		return "", iap.FieldErrorf("", "Transform.RequestEncodingOptions.ArrayFormat",
			"%q is none of INDICES, REPEAT, COMMAS, BRACKETS", short(format))
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return "", iap.FieldErrorf("", "RequestBody", "a form is written of a JSON object")
	}
	f := form{url.Values{}, format}
	for name, v := range fields {
		f.add(name, v)
	}
	return f.Encode(), nil
}

type form struct {
	url.Values
	format string
}

func (f form) add(name string, v json.RawMessage) {
	var object map[string]json.RawMessage
	if json.Unmarshal(v, &object) == nil && object != nil {
		for key, inner := range object {
			f.add(name+"["+key+"]", inner)
		}
		return
	}
	var list []json.RawMessage
	if json.Unmarshal(v, &list) == nil && list != nil {
		f.addList(name, list)
		return
	}
	text, _ := plain(v) // null is an empty text
	f.Add(name, text)
}

func (f form) addList(name string, list []json.RawMessage) {
	if f.format == "COMMAS" {
		var texts []string
		for _, v := range list {
			text, _ := plain(v)
			texts = append(texts, text)
		}
		f.Add(name, strings.Join(texts, ","))
		return
	}
	for i, v := range list {
		switch f.format {
		case "INDICES":
			f.add(fmt.Sprintf("%s[%d]", name, i), v)
		case "BRACKETS":
			f.add(name+"[]", v)
		default:
			f.add(name, v)
		}
	}
}

// isJSON tells whether a Content-Type is one of JSON.
func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}
