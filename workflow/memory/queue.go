package memory

// queue is first in, first out, and does not move what is in it.
type queue[T any] struct {
	items []T
	from  int
}

func (q *queue[T]) add(items ...T) { q.items = append(q.items, items...) }

func (q *queue[T]) take() (item T, ok bool) {
	if q.from == len(q.items) {
		q.items, q.from = q.items[:0], 0
		return item, false
	}
	item = q.items[q.from]
	q.from++
	return item, true
}
