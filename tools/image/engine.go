package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// engine speaks to a Docker Engine; the few calls here are the same since API 1.24.
type engine struct {
	client *http.Client
	base   string
}

// dial takes what DOCKER_HOST holds; nothing is connected yet. An empty host
// means the first local socket that there is.
func dial(host string) (*engine, error) {
	if host == "" {
		host = "unix://" + localSocket()
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("DOCKER_HOST %q: %w", host, err)
	}
	switch u.Scheme {
	case "unix":
		var d net.Dialer
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", u.Path)
		}}
		return &engine{client: &http.Client{Transport: transport}, base: "http://docker"}, nil
	case "tcp", "http":
		return &engine{client: &http.Client{}, base: "http://" + u.Host}, nil
	}
	return nil, fmt.Errorf("DOCKER_HOST %q: want unix:///path or tcp://host:port", host)
}

// localSocket is where the engine listens on Linux, else where Docker Desktop
// puts the socket of the user.
func localSocket() string {
	const system = "/var/run/docker.sock"
	if _, err := os.Stat(system); err == nil {
		return system
	}
	if home, err := os.UserHomeDir(); err == nil {
		own := filepath.Join(home, ".docker", "run", "docker.sock")
		if _, err := os.Stat(own); err == nil {
			return own
		}
	}
	return system
}

// arch is the engine's architecture in Go's words: amd64, arm64, …
func (e *engine) arch(ctx context.Context) (string, error) {
	var v struct{ Arch string }
	if _, err := e.get(ctx, "/version", &v); err != nil {
		return "", fmt.Errorf("no Docker Engine answers (try: make setup): %w", err)
	}
	return v.Arch, nil
}

// label is a label of an image, empty when there is no such image or label.
func (e *engine) label(ctx context.Context, image, label string) (string, error) {
	var v struct {
		Config struct{ Labels map[string]string }
	}
	status, err := e.get(ctx, "/images/"+image+"/json", &v)
	if status == http.StatusNotFound {
		return "", nil
	}
	return v.Config.Labels[label], err
}

// load stores the image of an archive in the form of `docker save`.
func (e *engine) load(ctx context.Context, archive []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"/images/load?quiet=1", bytes.NewReader(archive))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-tar")
	resp, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	return loadResult(resp.Body)
}

// loadResult reads the stream of messages that ends a load: the engine answers
// 200 before it knows whether the load works.
func loadResult(r io.Reader) error {
	dec := json.NewDecoder(r)
	for {
		var msg struct{ Error string }
		err := dec.Decode(&msg)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if msg.Error != "" {
			return fmt.Errorf("load: %s", msg.Error)
		}
	}
}

func (e *engine) get(ctx context.Context, path string, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, refusal(resp)
	}
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(into)
}

func refusal(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return fmt.Errorf("%s %s: %s: %s", resp.Request.Method, resp.Request.URL.Path, resp.Status, strings.TrimSpace(string(text)))
}
