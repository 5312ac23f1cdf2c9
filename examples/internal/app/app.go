// Package app is what the example apps have in common: they listen on PORT, answer /healthz,
// log to standard output, and stop at once when the container is told to stop.
package app

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// grace is how long open requests may take once the app was told to stop. An engine waits for the
// end of the process, so what is not done by then is cut off.
const grace = 80 * time.Millisecond

//go:embed base.css
var baseCSS []byte

// Port reads the port to listen on from the environment's PORT; without one it is 8080. Port 0
// asks the system for a free one.
func Port(getenv func(string) string) (int, error) {
	text := getenv("PORT")
	if text == "" {
		return 8080, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return 0, fmt.Errorf("PORT is %q; it must be a number from 0 to 65535", text)
	}
	return port, nil
}

// Logger writes lines that begin with the app's name.
func Logger(w io.Writer, name string) *log.Logger {
	return log.New(w, name+": ", log.LstdFlags|log.LUTC|log.Lmsgprefix)
}

// Signalled is a context that ends when the process is told to stop (SIGTERM, SIGINT).
func Signalled() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
}

// Run listens on PORT and serves until ctx ends.
func Run(ctx context.Context, getenv func(string) string, handler http.Handler, logger *log.Logger) error {
	port, err := Port(getenv)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", ":"+strconv.Itoa(port))
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", port, err)
	}
	return Serve(ctx, listener, handler, logger)
}

// Serve serves on listener until ctx ends, and returns when the last request has ended or was cut
// off. The context of every request ends with ctx, so that streams and WebSockets end by themselves.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *log.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ErrorLog:          logger,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	logger.Printf("listening on %s", listener.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		_ = server.Close() // the listener is closed already; this cuts what is still open
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	logger.Print("stopped")
	return nil
}

// Healthy answers 200 to a health check.
func Healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// BaseCSS serves the style sheet that the apps share.
func BaseCSS(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(baseCSS)
}

// Guard gives every answer the headers that keep a page to itself: only its own scripts and
// styles, no framing by others, no guessing of types, and no reuse of a page of an older version.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; base-uri 'none'; "+
			"form-action 'self'; frame-ancestors 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}
