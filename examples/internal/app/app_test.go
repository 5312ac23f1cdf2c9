package app

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPortNamesTheVariable(t *testing.T) {
	for text, want := range map[string]int{"": 8080, "0": 0, "9000": 9000, "65535": 65535} {
		if got, err := Port(func(string) string { return text }); err != nil || got != want {
			t.Errorf("Port(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"web", "-1", "65536", "80 "} {
		_, err := Port(func(string) string { return text })
		if err == nil || !strings.Contains(err.Error(), "PORT is ") {
			t.Errorf("Port(%q) = %v, want an error that names PORT", text, err)
		}
	}
}

// An endless stream and a request that ignores its context must not delay the end.
func TestServeStopsWithOpenRequests(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	defer close(release)
	mux := http.NewServeMux()
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/stuck", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, listener, mux, log.New(io.Discard, "", 0)) }()
	for _, path := range []string{"/stream", "/stuck"} {
		answer, err := http.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if line, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil || line != "first\n" {
			t.Fatalf("%s: %q, %v", path, line, err)
		}
	}
	start := time.Now()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("stopping took %s", took)
	}
}

func TestRunSaysWhyItCannotListen(t *testing.T) {
	err := Run(t.Context(), func(string) string { return "nope" }, nil, Logger(io.Discard, "test"))
	if err == nil || !strings.Contains(err.Error(), `"nope"`) {
		t.Errorf("Run = %v, want an error with the bad value", err)
	}
}
