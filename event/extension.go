package event

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

// The bounds of the attributes of an event from outside that CloudEvents does not
// name.
const (
	maxExtensions    = 32
	maxExtensionName = 64 // bytes; the specification asks for at most 20
)

// core are the attributes that have a place of their own in Event.
var core = map[string]bool{"specversion": true, "id": true, "source": true, "type": true, "subject": true, "time": true,
	"datacontenttype": true, "data": true, "data_base64": true}

// further returns the attributes that have no place of their own, as a JSON object;
// nil: there are none. Those that begin with iap are a portal's own, which this one
// sets itself; null is as good as none.
func further(all map[string]json.RawMessage) json.RawMessage {
	more := map[string]json.RawMessage{}
	for name, v := range all {
		if !core[name] && !strings.HasPrefix(name, "iap") && string(v) != "null" {
			more[name] = v
		}
	}
	if len(more) == 0 {
		return nil
	}
	out, err := json.Marshal(more) // sorted by name
	if err != nil {
		return nil
	}
	return out
}

// checkExtensions says what is wrong with further attributes.
func checkExtensions(at string, extensions json.RawMessage) error {
	if len(extensions) == 0 {
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(extensions, &all); err != nil {
		return iap.FieldErrorf(opInbound, at+"body", "its attributes are no JSON object: %v", err)
	}
	if len(all) > maxExtensions {
		return iap.FieldErrorf(opInbound, at+"body", "it has %d attributes beside those of CloudEvents; at most %d are allowed", len(all), maxExtensions)
	}
	for name, v := range all {
		if !extensionName(name) {
			return iap.FieldErrorf(opInbound, at+clipName(name), "it is no name of an attribute: these are of small letters and digits, at most %d", maxExtensionName)
		}
		if !simple(v) || len(v) > maxAttr {
			return iap.FieldErrorf(opInbound, at+name, "it is no text, whole number, true or false, of at most %d bytes", maxAttr)
		}
	}
	return nil
}

func extensionName(s string) bool {
	return s != "" && len(s) <= maxExtensionName && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

func clipName(s string) string {
	if len(s) > maxExtensionName {
		s = s[:maxExtensionName]
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// simple reports whether a value is one that an attribute may have.
func simple(v json.RawMessage) bool {
	v = bytes.TrimSpace(v)
	if len(v) == 0 || v[0] == '{' || v[0] == '[' {
		return false
	}
	if v[0] == '"' || v[0] == 't' || v[0] == 'f' {
		return true
	}
	_, err := strconv.ParseInt(string(v), 10, 32)
	return err == nil
}
