// Package delivery brings events to those outside who want them: a Rule chooses
// events, each of its Targets gets a Delivery of each of them, and a Delivery
// that is given up is a Dead letter until somebody redrives or deletes it.
//
// What must stay true:
//
//   - The matcher reads the numbered log from a position that is kept in the
//     database. It is moved on in the transaction that adds the deliveries, and
//     only from where it was, so that each event is matched once, whatever dies
//     and however many replicas match. Where nothing matched it may lag behind:
//     what is read again matches nothing again.
//   - A rule chooses among the events after those that were there when it was
//     added or resumed (Rule.After). Rules and targets are read again when the log tells
//     of a change of them, before any later event is matched.
//   - There is one delivery of an event for a target, however many rules lead
//     there.
//   - Each target has a lane of its own, with its own goroutine, and one replica
//     holds the lane at a time, by a lease. Nothing that a target does or fails
//     to do holds up another.
//   - An attempt is made first and written down then, only if nobody else has
//     written one down since. Who dies between the two makes it again: every
//     attempt at a delivery carries the same id, by which receivers know it.
//   - A redrive is written down before its first letter is touched and forgotten
//     in the transaction that tells of its end, so that this is told once. One of
//     all bears the number of the last event that takes part, so that it ends,
//     whatever dies meanwhile and whatever a clock shows.
//   - Of an ordered target, the deliveries of one subject are made one after
//     the other by number. One that must wait for another is parked: its
//     NextAt is far in the future, until the one before it has ended.
//   - A delivery of the event that tells of a dead letter raises none when it
//     dies, so that two broken targets do not feed each other.
package delivery
