package docker

import (
	"context"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/internal-app-portal/iap"
)

// CheckUpstream returns an Invalid error with Field "upstream" unless upstream
// is http://127.0.0.1:PORT and PORT is published on that address, and on no
// other, by a running container with the instance's label.
func (p *Platform) CheckUpstream(ctx context.Context, id, upstream string) error {
	port, err := upstreamPort(upstream)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	containers, err := p.containers(ctx, id)
	if err != nil {
		return p.failure("docker.CheckUpstream", err)
	}
	found, open := false, false
	for _, c := range containers {
		if c.NetworkSettings == nil {
			continue
		}
		for inner, bindings := range c.NetworkSettings.Ports {
			for _, b := range bindings {
				if b.HostPort != port || inner.Proto() != "tcp" {
					continue
				}
				loopback := b.HostIP == netip.AddrFrom4([4]byte{127, 0, 0, 1})
				found, open = found || loopback, open || !loopback
			}
		}
	}
	switch {
	case open:
		return invalid("port %s is published beyond this machine; want it on 127.0.0.1 alone", port)
	case !found:
		return invalid("port %s is not published by a running container of this instance", port)
	}
	return nil
}

// upstreamPort checks the form of an upstream and returns its port.
func upstreamPort(upstream string) (string, error) {
	const want = "want http://127.0.0.1:PORT"
	if len(upstream) > 100 {
		return "", invalid("the address has %d characters; %s", len(upstream), want)
	}
	u, err := url.Parse(upstream)
	switch {
	case err != nil:
		return "", invalid("%q is not an address; %s", upstream, want)
	case u.Scheme != "http":
		return "", invalid("%q does not begin with http://; %s", upstream, want)
	case u.User != nil:
		return "", invalid("the address holds a user name; %s", want)
	case u.Hostname() != "127.0.0.1":
		return "", invalid("%q is not on this machine's own address; %s", upstream, want)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", invalid("%q has more than a host and a port; %s", upstream, want)
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != u.Port() {
		return "", invalid("%q has no port from 1 to 65535; %s", upstream, want)
	}
	return u.Port(), nil
}

func invalid(format string, args ...any) error {
	return iap.FieldErrorf("docker.CheckUpstream", "upstream", format, args...)
}
