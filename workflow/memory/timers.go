package memory

import (
	"container/heap"
	"time"

	"github.com/internal-app-portal/iap/asl"
)

// due is a signal that a time brings.
type due struct {
	at time.Time
	// order is the order in which signals of one time come.
	order  int64
	signal asl.Signal
}

// timers are the signals to come, the next one first. Cancelled ones stay until
// they are due: the execution then has no use for them.
type timers struct {
	queue     dueQueue
	cancelled map[asl.TimerID]bool
}

func (t *timers) push(d due) { heap.Push(&t.queue, d) }

func (t *timers) cancel(id asl.TimerID) {
	if t.cancelled == nil {
		t.cancelled = map[asl.TimerID]bool{}
	}
	t.cancelled[id] = true
}

// first gives the next signal that is not cancelled, without taking it.
func (t *timers) first() (due, bool) {
	for len(t.queue) > 0 {
		d := t.queue[0]
		fired, ok := d.signal.(asl.TimerFired)
		if !ok || !t.cancelled[fired.ID] {
			return d, true
		}
		delete(t.cancelled, fired.ID)
		heap.Pop(&t.queue)
	}
	return due{}, false
}

// pop takes what first gave.
func (t *timers) pop() { heap.Pop(&t.queue) }

// dueQueue is a heap (container/heap) by time and order.
type dueQueue []due

func (q dueQueue) Len() int { return len(q) }
func (q dueQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].order < q[j].order
	}
	return q[i].at.Before(q[j].at)
}
func (q dueQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is heap.Interface's.
func (q *dueQueue) Push(v any) { *q = append(*q, v.(due)) }

// Pop is heap.Interface's.
func (q *dueQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
