package server

import (
	"net"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	iap "github.com/internal-app-portal/iap"
)

// checkApart refuses a portal whose host is among those of the apps: an app
// could answer in its place, and set cookies for it. It warns when both are of
// one registrable domain, for which browsers take them as one site. On the
// machine of a developer both are under localhost.
func (c *Config) checkApart() error {
	u, err := url.Parse(c.PortalURL)
	if err != nil || c.AppsDomain == "" || (c.Dev && c.AppsDomain == "localhost") {
		return nil // what is wrong is said by others
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == c.AppsDomain || strings.HasSuffix(host, "."+c.AppsDomain) {
		return iap.FieldErrorf("server.New", "portal-url",
			"%s is among the hosts of the apps, *.%s; give the portal a host outside of it, best of another domain, such as https://portal.example.com with the apps under apps.example.net",
			c.PortalURL, c.AppsDomain)
	}
	if site := registrable(host); site != "" && site == registrable(c.AppsDomain) {
		c.Logger.Warn("the portal and the apps share a registrable domain, so that browsers take them as one site: an app can set cookies that the portal gets; give the apps a domain of their own",
			"domain", site, "portal_url", c.PortalURL, "apps_domain", c.AppsDomain)
	}
	return nil
}

// registrable returns the domain that was registered for a host by the Public
// Suffix List, "" where there is none.
func registrable(host string) string {
	if net.ParseIP(host) != nil {
		return ""
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return site
}
