// Package server puts the parts of the portal together, starts them in order
// and stops them in the reverse of it.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/task"
)

// Config is what an operator decides.
type Config struct {
	Dev          bool             // everything embedded, one local admin, loopback alone
	Data         string           // folder for everything that is kept
	Listen       string           // address:port
	Database     string           // sqlite:PATH or postgres://…; empty: SQLite in Data
	AppsDomain   string           // domain under which instances have their host names
	PortalURL    string           // address of the portal for browsers; empty: from Listen
	ParallelJobs int              // jobs that run at once; 0: 4
	People       []auth.Person    // who may sign in
	DockerHost   string           // empty: DOCKER_HOST, or the engine's usual socket
	Tasks        task.Settings    // what the tasks of state machines may reach
	Limits       instance.Limits  // how many instances may live at once
	Rates        instance.Rates   // prices of apps that name none; zero: instance.DefaultRates
	KeepMost     time.Duration    // how far ahead an instance may be kept; 0: 12 hours
	NoCertify    bool             // new versions are for people at once
	BookingMost  time.Duration    // how long the window of a booking may be; 0: 12 hours
	BookingLead  time.Duration    // how long before its window an instance is deployed; 0: by the app's usual time
	LeakGrace    time.Duration    // between finding a leak that the portal made and removing it; 0: an hour
	Zone         string           // IANA time zone of clock times; empty: the machine's
	Events       event.Settings   // who may send events, signed
	PayloadLimit int              // bytes of an input, output or result of a state; 0: 262,144
	HistoryLimit int              // events of an execution's history; 0: 25,000
	JobTimeout   time.Duration    // of one apply or destroy; 0: 15 minutes
	Version      string           // of the program
	Logger       *slog.Logger     // nil: slog.Default()
	Now          func() time.Time // nil: time.Now
	// Failpoint is called at every commit and side effect; nil: nothing.
	Failpoint func(name string)
}

// complete fills in what follows from the rest and checks all of it.
func (c *Config) complete() error {
	const op = "server.New"
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.LeakGrace <= 0 {
		c.LeakGrace = time.Hour
	}
	if c.Failpoint == nil {
		c.Failpoint = func(string) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rates == (instance.Rates{}) {
		c.Rates = instance.DefaultRates()
	}
	if c.JobTimeout == 0 {
		c.JobTimeout = 15 * time.Minute
	}
	if err := auth.CheckServe(c.Dev, c.People); err != nil {
		return err
	}
	if c.Data == "" {
		return iap.FieldErrorf(op, "data", "it is missing; name a folder for what the portal keeps")
	}
	abs, err := filepath.Abs(c.Data)
	if err != nil {
		return iap.FieldErrorf(op, "data", "%v", err)
	}
	c.Data = abs
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return iap.FieldErrorf(op, "data", "the folder cannot be made: %v", err)
	}
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Data, "iap.db")
	}
	return errors.Join(c.checkListen(), c.checkDomain(), c.checkURL(), c.checkApart(), c.checkTasks(), c.checkZone(), c.checkEvents())
}

func (c *Config) checkListen() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return iap.FieldErrorf("server.New", "listen", "%q is not an address with a port, such as 127.0.0.1:8080", c.Listen)
	}
	if c.Dev && !loopback(host) {
		return iap.FieldErrorf("server.New", "listen",
			"%q is not a loopback address: with --dev everybody who reaches the portal is its admin; listen on 127.0.0.1:%s", c.Listen, port)
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (c *Config) checkDomain() error {
	if c.AppsDomain == "" && c.Dev {
		c.AppsDomain = "localhost"
	}
	c.AppsDomain = strings.ToLower(strings.Trim(c.AppsDomain, "."))
	switch {
	case c.AppsDomain == "":
		return iap.FieldErrorf("server.New", "apps-domain",
			"it is missing; name a domain of which all subdomains lead here, such as apps.example.com")
	case strings.ContainsAny(c.AppsDomain, "/:@ *_"):
		return iap.FieldErrorf("server.New", "apps-domain", "%q is not a domain, such as apps.example.com", c.AppsDomain)
	}
	return nil
}

func (c *Config) checkURL() error {
	if c.PortalURL == "" {
		host, port, _ := net.SplitHostPort(c.Listen)
		if host == "" || loopback(host) || net.ParseIP(host).IsUnspecified() {
			host = "localhost"
		}
		c.PortalURL = "http://" + net.JoinHostPort(host, port)
		return nil
	}
	u, err := url.Parse(c.PortalURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return iap.FieldErrorf("server.New", "portal-url", "%q is not the address of a site, such as https://portal.example.com", c.PortalURL)
	}
	c.PortalURL = u.Scheme + "://" + u.Host
	return nil
}

// appURL is the address of a host name: the portal's scheme and port under the
// domain of the apps.
func (c *Config) appURL(hostName string) string {
	u, _ := url.Parse(c.PortalURL)
	host := hostName + "." + c.AppsDomain
	if p := u.Port(); p != "" {
		host += ":" + p
	}
	return fmt.Sprintf("%s://%s", u.Scheme, host)
}

// withPort puts the port that the system chose into the addresses, for a
// Listen that ends in ":0".
func (c *Config) withPort(port string) {
	host, asked, _ := net.SplitHostPort(c.Listen)
	if asked != "0" {
		return
	}
	c.Listen = net.JoinHostPort(host, port)
	c.PortalURL = strings.TrimSuffix(c.PortalURL, ":0")
	if !strings.Contains(strings.TrimPrefix(c.PortalURL, "http://"), ":") {
		c.PortalURL += ":" + port
	}
}
