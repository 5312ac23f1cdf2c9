package intrinsic

import (
	"crypto/md5"  //nolint:gosec // States.Hash offers it
	"crypto/sha1" //nolint:gosec // States.Hash offers it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// maxBase64 is the longest text that AWS encodes, decodes or hashes.
const maxBase64 = 10_000

func format(f *frame) (value.Value, error) {
	template := f.call.args[0].raw
	if f.call.args[0].path != nil || f.call.args[0].call != nil {
		var err error
		if template, err = f.text(0); err != nil {
			return nil, err
		}
	}
	var b strings.Builder
	next := 1
	for i := 0; i < len(template); i++ {
		switch c := template[i]; {
		case c == '\\' && i+1 < len(template) && strings.IndexByte(`'{}\`, template[i+1]) >= 0:
			i++
			b.WriteByte(template[i])
		case c == '{' && i+1 < len(template) && template[i+1] == '}':
			if next >= len(f.args) {
				return nil, fmt.Errorf("the template has more {} than the %d arguments", len(f.args)-1)
			}
			if err := f.small(next); err != nil {
				return nil, err
			}
			b.WriteString(javaString(f.args[next]))
			if b.Len() > f.limit() {
				return nil, fmt.Errorf("the text is longer than %d bytes", f.limit())
			}
			next++
			i++
		case c == '{' || c == '}':
			return nil, fmt.Errorf("matching '}' or '{' not found for the one at position %d; write \\%c for the character itself", i, c)
		default:
			b.WriteByte(c)
		}
	}
	if next != len(f.args) {
		return nil, fmt.Errorf("the template has %d {} for %d arguments", next-1, len(f.args)-1)
	}
	return b.String(), nil
}

// javaString writes a value as Java prints lists and maps, which is what AWS
// puts into a formatted text: {Arg1=1, Arg2=[]}.
func javaString(v value.Value) string {
	var b strings.Builder
	switch v := v.(type) {
	case string:
		return v
	case value.Array:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(javaString(x))
		}
		b.WriteByte(']')
		return b.String()
	case *value.Object:
		b.WriteByte('{')
		for i, m := range v.Members() {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(m.Key + "=" + javaString(m.Value))
		}
		b.WriteByte('}')
		return b.String()
	}
	return value.Text(v)
}

func jsonToString(f *frame) (value.Value, error) {
	if err := f.small(0); err != nil {
		return nil, err
	}
	return value.Text(f.args[0]), nil
}

func stringToJSON(f *frame) (value.Value, error) {
	// An escaped literal keeps its escapes: they belong to the JSON.
	s := f.call.args[0].raw
	if s == "" {
		var err error
		if s, err = f.text(0); err != nil {
			return nil, err
		}
	}
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	v, err := value.Parse([]byte(s))
	if err != nil {
		if v, err = value.Parse([]byte(unescape(s))); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (f *frame) shortText(i int) (string, error) {
	s, err := f.text(i)
	if err == nil && len(s) > maxBase64 {
		return "", fmt.Errorf("argument %d must not be longer than %d characters", i+1, maxBase64)
	}
	return s, err
}

func base64Encode(f *frame) (value.Value, error) {
	s, err := f.shortText(0)
	return base64.StdEncoding.EncodeToString([]byte(s)), err
}

func base64Decode(f *frame) (value.Value, error) {
	s, err := f.shortText(0)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("the argument is not valid Base64")
	}
	return strings.ToValidUTF8(string(b), "\ufffd"), nil
}

func hash(f *frame) (value.Value, error) {
	if err := f.small(0); err != nil {
		return nil, err
	}
	data, isText := f.args[0].(string)
	if !isText {
		data = value.Text(f.args[0])
	}
	if len(data) > maxBase64 {
		return nil, fmt.Errorf("argument 1 must not be longer than %d characters", maxBase64)
	}
	name, err := f.text(1)
	if err != nil {
		return nil, err
	}
	var sum []byte
	switch name {
	case "MD5":
		s := md5.Sum([]byte(data)) //nolint:gosec // asked for
		sum = s[:]
	case "SHA-1":
		s := sha1.Sum([]byte(data)) //nolint:gosec // asked for
		sum = s[:]
	case "SHA-256":
		s := sha256.Sum256([]byte(data))
		sum = s[:]
	case "SHA-384":
		s := sha512.Sum384([]byte(data))
		sum = s[:]
	case "SHA-512":
		s := sha512.Sum512([]byte(data))
		sum = s[:]
	default:
		return nil, fmt.Errorf("unknown hashing algorithm %q: use MD5, SHA-1, SHA-256, SHA-384 or SHA-512", name)
	}
	return hex.EncodeToString(sum), nil
}

// stringSplit takes each character of the second argument as a separator and
// leaves empty parts out.
func stringSplit(f *frame) (value.Value, error) {
	s, err := f.text(0)
	if err != nil {
		return nil, err
	}
	separators, err := f.text(1)
	if err != nil {
		return nil, err
	}
	out := value.Array{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		out = append(out, part)
	}
	return out, nil
}
