package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// probePause is between two attempts to get the first 200.
const probePause = 2 * time.Millisecond

// get reads a page to its end and returns its status.
func get(ctx context.Context, web *http.Client, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := web.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// first200 asks until the page is there.
func first200(ctx context.Context, web *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		status, err := get(ctx, web, url)
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-time.After(probePause):
		case <-ctx.Done():
			return fmt.Errorf("%s never answered 200: last status %d, %v", url, status, err)
		}
	}
}

// plainClient has no connection that was used before, like a person who just
// learned of the address.
func plainClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// clientTo is a client for which all host names lead to addr.
func clientTo(addr string) *http.Client {
	var d net.Dialer
	return &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return d.DialContext(ctx, network, addr)
			}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
