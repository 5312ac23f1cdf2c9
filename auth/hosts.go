package auth

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// DevHosts answers 421 (RFC 9110, 15.5.20) to requests for another host than
// localhost, a loopback address or a name under localhost. A portal in
// development mode takes everybody for an admin, so a foreign page must not
// reach it under a name of its own that resolves to this machine.
func DevHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !LocalHost(r.Host) {
			http.Error(w, "This portal is in development mode and answers to localhost, loopback addresses and *.localhost only.",
				http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// LocalHost reports whether the value of a Host header, with or without a
// port, names this machine by a name that nobody else can give out (RFC 6761,
// 6.3) or by a loopback address.
func LocalHost(host string) bool {
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" || len(port) > 5 {
			return false
		}
		name = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Zone() == "" && addr.Unmap().IsLoopback()
	}
	name = strings.ToLower(name)
	if name == "localhost" {
		return true
	}
	rest, ok := strings.CutSuffix(name, ".localhost")
	return ok && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" &&
		!strings.HasPrefix(rest, ".") && !strings.HasSuffix(rest, ".") && !strings.Contains(rest, "..")
}
