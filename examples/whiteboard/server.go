package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

const (
	maxMessage = 8 << 10          // bytes of a browser's message
	maxRate    = 300              // messages of a browser in a second; more of them wait
	patience   = 10 * time.Second // for one write, one pong, and the first message
	pingEvery  = 20 * time.Second
)

//go:embed static
var files embed.FS

type server struct {
	hub    *Hub
	logger *log.Logger
}

// newHandler serves one board.
func newHandler(hub *Hub, logger *log.Logger) (http.Handler, error) {
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	s := &server{hub, logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", app.Healthy)
	mux.HandleFunc("GET /base.css", app.BaseCSS)
	mux.HandleFunc("GET /ws", s.socket)
	mux.Handle("GET /", http.FileServerFS(static))
	return app.Guard(mux), nil
}

// socket is one browser's connection. Accept refuses an Origin of another host than the request's.
func (s *server) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxMessage)
	seat, err := s.sit(r.Context(), conn)
	if err != nil {
		_ = conn.Close(websocket.StatusPolicyViolation, err.Error())
		return
	}
	defer s.hub.Leave(seat)
	ctx, cancel := context.WithCancelCause(r.Context())
	var work sync.WaitGroup
	work.Go(func() { cancel(write(ctx, conn, seat)) })
	work.Go(func() {
		select {
		case <-seat.slow:
			cancel(errSlow) // which also ends a write that hangs
		case <-ctx.Done():
		}
	})
	err = s.read(ctx, conn, seat)
	cancel(err)
	work.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, errSlow) || errors.Is(cause, errProtocol) {
		s.logger.Printf("dropped a browser: %v", cause)
	}
}

// sit waits for the browser's hello and gives it a seat.
func (s *server) sit(ctx context.Context, conn *websocket.Conn) (*seat, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, data, err := conn.Read(ctx)
	if err != nil {
		return nil, errNoHello
	}
	name, key, err := hello(data)
	if err != nil {
		return nil, err
	}
	return s.hub.Join(name, key)
}

var (
	errSlow     = errors.New("it did not keep up")
	errProtocol = errors.New("it does not keep to the protocol")
)

// read takes messages until the browser goes or sends what it must not.
func (s *server) read(ctx context.Context, conn *websocket.Conn, seat *seat) error {
	var pace pace
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if err := pace.wait(ctx); err != nil {
			return err
		}
		in, err := decode(data)
		if err == nil {
			err = s.hub.Take(seat, in)
		}
		if err != nil {
			_ = conn.Close(websocket.StatusPolicyViolation, err.Error())
			return fmt.Errorf("%w: %w", errProtocol, err)
		}
	}
}

// pace keeps one browser from drowning the others.
type pace struct {
	second time.Time
	count  int
}

// wait returns at once, or when the second is over in which there were too many messages.
func (p *pace) wait(ctx context.Context) error {
	now := time.Now()
	if now.Sub(p.second) >= time.Second {
		p.second, p.count = now, 0
	}
	if p.count++; p.count <= maxRate {
		return nil
	}
	select {
	case <-time.After(time.Second - now.Sub(p.second)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// write sends what is queued, and pings, so that a connection that is dead without saying so ends.
func write(ctx context.Context, conn *websocket.Conn, seat *seat) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			err = within(ctx, conn.Ping)
		case data := <-seat.out:
			err = within(ctx, func(ctx context.Context) error {
				return conn.Write(ctx, websocket.MessageText, data)
			})
		}
		if err != nil {
			return err
		}
	}
}

func within(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return do(ctx)
}
