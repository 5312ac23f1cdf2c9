package maprun

import (
	"container/heap"
	"time"
)

// places are the times at which places for children become free on the virtual
// clock, the first one first.
type places []time.Time

// take gives when there is room for another child.
func (p *places) take(now time.Time, limit int64) time.Time {
	if limit == 0 || int64(len(*p)) < limit {
		return now
	}
	at, _ := heap.Pop(p).(time.Time)
	return at
}

// give tells when a child has ended.
func (p *places) give(at time.Time) { heap.Push(p, at) }

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i].Before(p[j]) }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }

// Push implements heap.Interface.
func (p *places) Push(x any) {
	if at, ok := x.(time.Time); ok {
		*p = append(*p, at)
	}
}

// Pop implements heap.Interface.
func (p *places) Pop() any {
	last := len(*p) - 1
	at := (*p)[last]
	*p = (*p)[:last]
	return at
}
