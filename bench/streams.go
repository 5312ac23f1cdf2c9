package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
)

// crowd is many open streams of the portal's pages that nobody looks at.
type crowd struct {
	stop  context.CancelFunc
	ended sync.WaitGroup
	bytes atomic.Int64
	lost  atomic.Int64
}

// openStreams opens n streams for topics, as the same page in other browsers
// does, and reads them.
func (p *portal) openStreams(ctx context.Context, n int, topics []string) (*crowd, error) {
	ctx, stop := context.WithCancel(ctx)
	c := &crowd{stop: stop}
	web := p.http()
	for range n {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/stream?"+url.Values{"want": topics}.Encode(), nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept", "text/event-stream")
		resp, err := web.Do(req)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s answers %s", req.URL, resp.Status)
		}
		if err != nil {
			c.close()
			return nil, err
		}
		c.ended.Go(func() { c.read(ctx, resp) })
	}
	return c, nil
}

func (c *crowd) read(ctx context.Context, resp *http.Response) {
	defer resp.Body.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := resp.Body.Read(buf)
		c.bytes.Add(int64(n))
		if err != nil {
			if ctx.Err() == nil {
				c.lost.Add(1)
			}
			return
		}
	}
}

func (c *crowd) close() {
	c.stop()
	c.ended.Wait()
}
