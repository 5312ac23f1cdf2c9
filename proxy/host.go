package proxy

import (
	"net/http"
	"strings"
)

// Match takes the value of a Host header and returns the host name of an
// instance, when it is exactly one label before the domain of the apps. Upper
// case is accepted, as names of hosts have no case; a port is not looked at
// beyond being digits; one dot at the end, as in a fully qualified name, is not
// accepted, because browsers treat it as another host.
func (p *Proxy) Match(host string) (hostName string, ok bool) {
	name, port, found := strings.Cut(host, ":")
	if found && !digits(port) {
		return "", false
	}
	n := len(name) - len(p.suffix)
	if n <= 0 || n > 63 || !strings.EqualFold(name[n:], p.suffix) {
		return "", false
	}
	label := name[:n]
	for i := range len(label) {
		switch c := label[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' && i > 0 && i < n-1:
		case c >= 'A' && c <= 'Z':
			return p.Match(strings.ToLower(host))
		default:
			return "", false
		}
	}
	return label, true
}

// Belongs reports whether a Host is under the domain of the apps, be it a right
// one or not: the portal itself never answers there.
func (p *Proxy) Belongs(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	name = strings.TrimRight(name, ".")
	n := len(name) - len(p.suffix)
	return n >= 0 && strings.EqualFold(name[n:], p.suffix)
}

func digits(s string) bool {
	if s == "" || len(s) > 5 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// ambiguous says what is wrong with a request that two servers may read in two
// ways, or "" when nothing is.
//
// RFC 9112, section 3.2.2, has the address in absolute form override the Host;
// no browser sends one to a server that it does not know as a proxy, so it is
// refused. More than one Host, section 3.2, net/http refuses itself. Of
// Content-Length and Transfer-Encoding together, section 6.1, net/http has
// taken the first away before a handler runs: what goes to the app is framed
// anew, by one of them alone.
func ambiguous(r *http.Request) string {
	switch {
	case len(r.TransferEncoding) > 0 && r.Header["Content-Length"] != nil:
		return "Content-Length and Transfer-Encoding together"
	case r.URL.IsAbs() || r.URL.Host != "":
		return "the address must be a path; the host belongs into Host"
	case r.Method == http.MethodConnect:
		return "CONNECT is not for this host"
	}
	return ""
}
