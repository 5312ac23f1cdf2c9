package local

import (
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"

	"github.com/internal-app-portal/iap/job"
)

// doorUser is the user's name at a stateDoor.
const doorUser = "iap"

// stateDoor is an address on the loopback interface that leads to a job's state
// as soon as the job is known: the environment of a tool is fixed when it
// starts. It has a password of its own.
type stateDoor struct {
	address, password string
	server            *http.Server
	to                atomic.Pointer[target]
}

// target is where a door leads.
type target struct {
	url                *url.URL
	username, password string
}

// openStateDoor opens a door that leads nowhere yet.
func openStateDoor() (*stateDoor, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &stateDoor{address: "http://" + l.Addr().String() + "/", password: rand.Text()}
	proxy := &httputil.ReverseProxy{Rewrite: d.rewrite, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
		w.WriteHeader(http.StatusBadGateway) // the tool asks again
	}}
	d.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user != doorUser || subtle.ConstantTimeCompare([]byte(password), []byte(d.password)) != 1:
			w.WriteHeader(http.StatusUnauthorized)
		case d.to.Load() == nil:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			proxy.ServeHTTP(w, r)
		}
	})}
	go func() { _ = d.server.Serve(l) }()
	return d, nil
}

// lead has the door lead to a state. An address that is none is found out by
// the tool, which gets no answer.
func (d *stateDoor) lead(s job.StateAccess) {
	u, err := url.Parse(s.Address)
	if err != nil {
		return
	}
	d.to.Store(&target{u, s.Username, s.Password})
}

// rewrite keeps the query, which is the ID of the lock.
func (d *stateDoor) rewrite(r *httputil.ProxyRequest) {
	to := d.to.Load()
	out := *to.url
	out.RawQuery = r.In.URL.RawQuery
	r.Out.URL, r.Out.Host = &out, to.url.Host
	r.Out.SetBasicAuth(to.username, to.password)
}

func (d *stateDoor) close() { _ = d.server.Close() }
