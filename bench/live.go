package main

import (
	"context"
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/client"
)

const (
	// others is how many streams are open besides the browser's.
	others = 200
	// wantLive bounds the 99th percentile, in milliseconds.
	wantLive = 50
)

// measureLive times how long a change of status takes from its event to the
// page of a browser, while others hold the same stream open.
func measureLive(ctx context.Context, b *bench, out *Part) error {
	data, err := b.folder("live")
	if err != nil {
		return err
	}
	p, err := b.startPortal(ctx, data)
	if err != nil {
		return err
	}
	defer p.remove()
	w, err := p.watch(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	page, err := b.openPage(ctx, p.url+"/")
	if err != nil {
		return err
	}
	defer page.close()
	topics, err := page.topics()
	if err != nil {
		return err
	}
	crowd, err := p.openStreams(ctx, others, topics)
	if err != nil {
		return err
	}
	defer crowd.close()
	const app = "whiteboard"
	if _, _, err := p.liveCycle(ctx, w, page, app); err != nil { // does not count
		return err
	}
	before := crowd.bytes.Load()
	var shown, heard []float64
	for range b.times(20, 3) {
		dom, stream, err := p.liveCycle(ctx, w, page, app)
		if err != nil {
			return err
		}
		shown, heard = append(shown, dom...), append(heard, stream...)
	}
	if crowd.lost.Load() > 0 || crowd.bytes.Load() == before {
		return fmt.Errorf("of the %d other streams %d broke; they read %d bytes", others, crowd.lost.Load(), crowd.bytes.Load()-before)
	}
	dom := compare("Status change → browser's DOM, 200 other streams", "ms", shown, "", nil, 0)
	dom.Checks = []Check{atMost("p99", dom.Portal.P99, wantLive)}
	out.Figures = append(out.Figures, dom,
		compare("Status change → a client of the REST stream", "ms", heard, "", nil, 0))
	return nil
}

// liveCycle deploys and destroys once, and returns the milliseconds from each
// change's event to the page, and to the watcher.
func (p *portal) liveCycle(ctx context.Context, w *watcher, page *page, app string) (dom, stream []float64, err error) {
	i, _, err := p.Deploy(ctx, client.DeployRequest{App: app})
	if err != nil {
		return nil, nil, err
	}
	if i, err = w.until(ctx, i.ID, client.StatusRunning); err != nil {
		return nil, nil, err
	}
	if _, err := p.destroyOne(ctx, w, i); err != nil {
		return nil, nil, err
	}
	seen, err := page.until(app, client.StatusDestroyed)
	if err != nil {
		return nil, nil, err
	}
	status := ""
	for _, c := range w.of(i.ID) {
		if c.instance.Status == status { // something else of it changed
			continue
		}
		status = c.instance.Status
		at, ok := shownAt(seen, app, status)
		if !ok {
			return nil, nil, fmt.Errorf("the page never showed that %s is %s", i.HostName, status)
		}
		dom = append(dom, millis(at.Sub(c.at)))
		stream = append(stream, millis(c.heard.Sub(c.at)))
	}
	return dom, stream, nil
}

// rank is the order in which a life that goes well has its statuses.
func rank(status string) int {
	for n, s := range []string{client.StatusQueued, client.StatusDeploying, client.StatusChecking, client.StatusRunning,
		client.StatusDestroying, client.StatusDestroyed} {
		if s == status {
			return n
		}
	}
	return -1
}

// shownAt finds when an app's card first showed the status or one that comes
// after it: a page is brought up to date, not through every change.
func shownAt(seen []sighting, app, status string) (time.Time, bool) {
	for _, s := range seen {
		if s.App == app && rank(s.Status) >= rank(status) {
			return time.UnixMicro(int64(s.At * 1000)), true
		}
	}
	return time.Time{}, false
}
