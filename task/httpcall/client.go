package httpcall

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"code.dny.dev/ssrf"

	iap "github.com/internal-app-portal/iap"
)

// Guard decides what may be connected to. The address is judged when it is
// dialled, so that neither the spelling of a host, nor a redirect, nor a second
// look-up of its name leads inside.
type Guard struct {
	prefixes []netip.Prefix
	hosts    map[string]bool // "ci.internal" or "ci.internal:8080"
	safe     *ssrf.Guardian
}

// NewGuard returns a guard that lets through public addresses and what allow
// lists: networks ("10.1.0.0/16"), addresses, or hosts with or without a port
// ("ci.internal:8080"). The error names the entry that is none of these.
func NewGuard(allow []string) (*Guard, error) {
	g := &Guard{hosts: map[string]bool{}}
	for _, a := range allow {
		if p, err := netip.ParsePrefix(a); err == nil {
			g.prefixes = append(g.prefixes, p.Masked())
			continue
		}
		if ip, err := netip.ParseAddr(a); err == nil {
			g.prefixes = append(g.prefixes, netip.PrefixFrom(ip, ip.BitLen()))
			continue
		}
		if a == "" || strings.ContainsAny(a, "/@?#* ") {
			return nil, iap.FieldErrorf("", "tasks.http.allow",
				"%q is neither a network (10.1.0.0/16), nor an address, nor a host (ci.internal or ci.internal:8080)", a)
		}
		g.hosts[strings.ToLower(a)] = true
	}
	options := []ssrf.Option{ssrf.WithAnyPort()}
	var v4, v6 []netip.Prefix
	for _, p := range g.prefixes {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	options = append(options, ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	g.safe = ssrf.New(options...)
	return g, nil
}

// connectTimeout bounds one attempt to connect.
const connectTimeout = 10 * time.Second

// Dial connects as net.Dialer does, if the guard lets it.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{Timeout: connectTimeout}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !g.hosts[strings.ToLower(host)] && !g.hosts[strings.ToLower(address)] {
		d.Control = g.safe.Safe
	}
	return d.DialContext(ctx, network, address)
}

// Refused tells whether an error is the guard's.
func Refused(err error) bool {
	return errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedNetwork) || errors.Is(err, ssrf.ErrProhibitedPort)
}

// maxRedirects is how many redirects are followed.
const maxRedirects = 5

var (
	errRedirects = errors.New("it redirects too often")
	errDowngrade = errors.New("it redirects from https to http")
)

// NewClient returns a client whose connections the guard watches over; no proxy
// of the environment is used. authorities, in PEM, are trusted instead of the
// system's; empty: those. The error is Invalid.
func (g *Guard) NewClient(authorities string) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if authorities != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(authorities)) {
			return nil, iap.FieldErrorf("", "Tls.CertificateAuthorities", "it holds no certificate in PEM")
		}
	}
	return &http.Client{
		Transport: &http.Transport{DialContext: g.Dial, TLSClientConfig: config, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: connectTimeout, IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: 4,
			MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case len(via) > maxRedirects:
				return errRedirects
			case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
				return errDowngrade
			case !strings.EqualFold(r.URL.Host, via[0].URL.Host):
				keepHarmless(r.Header)
			}
			return nil
		},
	}, nil
}

// keepHarmless removes what may be a secret, whatever its name: a redirect may
// lead to anybody.
func keepHarmless(h http.Header) {
	for name := range h {
		switch name {
		case "Accept", "Accept-Language", "Content-Type", "User-Agent", "Idempotency-Key":
		default:
			h.Del(name)
		}
	}
}
