package proxy

import (
	"mime"
	"net/http"
	"slices"
	"strings"
)

// The bar is a script that an app's pages get at their end, where the app allows
// it: it tells before the instance ends. Only whole HTML documents that a person
// looks at get it, and only where adding to them is safe; all else passes as the
// app sent it.
const (
	barScript = ownPath + "bar.js"
	endPath   = ownPath + "end"
)

// wantsBar reports whether a request asks for a document that can have the bar.
// Browsers that say what a request is for are believed; of others, on hosts
// without TLS, the script finds out whether it is in a frame.
func wantsBar(r *http.Request) bool {
	h := r.Header
	if r.Method != http.MethodGet && r.Method != http.MethodPost || h.Get("Range") != "" || h.Get("Upgrade") != "" {
		return false
	}
	if dest := h.Get("Sec-Fetch-Dest"); dest != "" {
		return dest == "document" && h.Get("Sec-Fetch-Mode") == "navigate"
	}
	return strings.Contains(h.Get("Accept"), "text/html") && h.Get("X-Requested-With") == "" && h.Get("HX-Request") == ""
}

// limitEncodings has the app use an encoding that the bar can be added in.
func limitEncodings(h http.Header) {
	var known []string
	for part := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		name, _, _ := strings.Cut(part, ";")
		if name = strings.ToLower(strings.TrimSpace(name)); name == "gzip" || name == "br" || name == "identity" {
			known = append(known, strings.TrimSpace(part))
		}
	}
	if len(known) == 0 {
		known = []string{"identity"}
	}
	h.Set("Accept-Encoding", strings.Join(known, ", "))
}

// addBar adds the bar to an answer where that is possible.
func addBar(res *http.Response) {
	encoding := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding")))
	if !wantsBar(res.Request) || !takesBar(res) || !slices.Contains([]string{"", "identity", "gzip", "br"}, encoding) {
		return
	}
	nonce, ok := mayRun(res.Header)
	if !ok {
		return
	}
	tag := `<script defer src="` + barScript + `"`
	if nonce != "" {
		tag += ` nonce="` + nonce + `"`
	}
	res.Body = withTag(res.Body, encoding, tag+"></script>")
	res.ContentLength = -1
	h := res.Header
	h.Del("Content-Length")
	h.Del("Accept-Ranges")
	h.Add("Vary", "Sec-Fetch-Dest")
	if e := h.Get("Etag"); e != "" && !strings.HasPrefix(e, "W/") {
		h.Set("Etag", "W/"+e) // it is not the same by the byte any more
	}
}

// takesBar reports whether an answer is a whole HTML document that nobody has
// signed, or forbidden to change.
func takesBar(res *http.Response) bool {
	h := res.Header
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if res.StatusCode != http.StatusOK || err != nil || kind != "text/html" || len(res.Trailer) > 0 || !asciiLike(params["charset"]) {
		return false
	}
	for _, name := range []string{"Content-Range", "Content-Disposition", "Content-Digest", "Repr-Digest", "Digest", "Content-Md5", "Signature", "Refresh"} {
		if h.Get(name) != "" {
			return false
		}
	}
	return !strings.Contains(strings.ToLower(strings.Join(h["Cache-Control"], ",")), "no-transform")
}

// asciiLike reports whether a text in a charset can be added to in ASCII.
func asciiLike(charset string) bool {
	charset = strings.ToLower(charset)
	return charset == "" || charset == "utf-8" || charset == "utf8" || charset == "us-ascii" ||
		strings.HasPrefix(charset, "iso-8859-") || strings.HasPrefix(charset, "windows-125")
}

// mayRun reports whether the policies of a document let the bar's script run and
// ask for the end, and which nonce the script needs for that. A policy is never
// weakened; one that would only report counts too.
func mayRun(h http.Header) (nonce string, ok bool) {
	for _, name := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only"} {
		for policy := range strings.SplitSeq(strings.Join(h[name], ","), ",") {
			d := directives(policy)
			if _, sandboxed := d["sandbox"]; sandboxed {
				return "", false
			}
			if connect, there := first(d, "connect-src", "default-src"); there && !allowsSelf(connect) {
				return "", false
			}
			script, there := first(d, "script-src-elem", "script-src", "default-src")
			if !there {
				continue
			}
			n := nonceOf(script)
			switch {
			case n != "" && (nonce == "" || nonce == n):
				nonce = n
			case n == "" && allowsSelf(script) && !slices.Contains(script, "'strict-dynamic'"):
			default:
				return "", false
			}
		}
	}
	return nonce, true
}

// directives takes a policy apart: its sources by directive.
func directives(policy string) map[string][]string {
	out := map[string][]string{}
	for part := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		if _, twice := out[name]; !twice { // browsers go by the first
			out[name] = words[1:]
		}
	}
	return out
}

func first(d map[string][]string, names ...string) ([]string, bool) {
	for _, name := range names {
		if sources, there := d[name]; there {
			return sources, true
		}
	}
	return nil, false
}

func allowsSelf(sources []string) bool {
	return slices.ContainsFunc(sources, func(s string) bool { return s == "*" || strings.EqualFold(s, "'self'") })
}

// nonceOf returns the nonce among sources, when it can stand in an attribute.
func nonceOf(sources []string) string {
	for _, s := range sources {
		n, found := strings.CutPrefix(s, "'nonce-")
		n, closed := strings.CutSuffix(n, "'")
		if found && closed && n != "" && !strings.ContainsAny(n, `"<>&`) {
			return n
		}
	}
	return ""
}
