package sfn

import (
	"slices"
	"strconv"
	"strings"
)

// rules are the constraints of one member.
type rules struct {
	required bool
	secret   bool
	payload  bool
	min, max *float64
	enum     []string
	pattern  string
}

func parseRules(tag string) (r rules) {
	for part := range strings.SplitSeq(tag, ",") {
		key, v, _ := strings.Cut(part, "=")
		switch key {
		case "required":
			r.required = true
		case "secret":
			r.secret = true
		case "payload":
			r.payload = true
		case "min":
			r.min = bound(v)
		case "max":
			r.max = bound(v)
		case "enum":
			r.enum = strings.Split(v, "|")
		case "pattern":
			r.pattern = v
		}
	}
	return r
}

func bound(s string) *float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	return &f
}

// element are the rules of the elements of a list of texts: tag keys are the only
// such list.
func (r rules) element() rules {
	if r.pattern != "key" {
		return rules{}
	}
	return parseRules("min=1,max=128")
}

// pattern is a pattern of AWS's model and what it matches, which spares the
// engine of regular expressions what it cannot do (look-ahead).
type pattern struct {
	text  string
	match func(string) bool
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

var patterns = map[string]pattern{
	"alias": {`^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`, func(s string) bool {
		return strings.Trim(s, letters+"0123456789_-.") == "" && strings.ContainsAny(s, letters+"_-.")
	}},
	"ascii": {`\p{ASCII}*`, func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
	}},
	"visible": {`[!-~]+`, func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' })
	}},
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }
