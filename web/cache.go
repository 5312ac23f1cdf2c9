package web

import "sync"

// renderKey names what an event brings to an audience.
type renderKey struct {
	number   int64
	audience string
}

// renderCache keeps the newest renderings, so that many streams cost one. Who
// asks while they are made waits for them.
type renderCache struct {
	mu      sync.Mutex
	entries map[renderKey]*rendered
	order   []renderKey // oldest first
}

type rendered struct {
	once     sync.Once
	messages []*fragment
}

// keptRenderings is how many are kept; a stream that is further behind renders
// anew.
const keptRenderings = 256

func newRenderCache() *renderCache {
	return &renderCache{entries: make(map[renderKey]*rendered, keptRenderings)}
}

func (c *renderCache) get(key renderKey, render func() []*fragment) []*fragment {
	c.mu.Lock()
	r, ok := c.entries[key]
	if !ok {
		r = &rendered{}
		c.entries[key] = r
		c.order = append(c.order, key)
		if len(c.order) > keptRenderings {
			delete(c.entries, c.order[0])
			c.order = append(c.order[:0:0], c.order[1:]...)
		}
	}
	c.mu.Unlock()
	r.once.Do(func() { r.messages = render() })
	return r.messages
}
