package main

import "context"

// wantEvent bounds the 99th percentile of an event's way to a webhook while
// nothing else happens, in milliseconds.
const wantEvent = 20

// eventFigures are what is shown of the Go benchmarks of deliveries, in order.
var eventFigures = []engineFigure{
	{"Delay/unloaded/sqlite", "p50-ms", "Commit → webhook, unloaded, SQLite, p50", "ms", 0, 0},
	{"Delay/unloaded/sqlite", "p99-ms", "Commit → webhook, unloaded, SQLite, p99", "ms", 0, wantEvent},
	{"Delay/unloaded/postgres", "p50-ms", "Commit → webhook, unloaded, PostgreSQL, p50", "ms", 0, 0},
	{"Delay/unloaded/postgres", "p99-ms", "Commit → webhook, unloaded, PostgreSQL, p99", "ms", 0, wantEvent},
	{"Delay/waiting/sqlite", "p50-ms", "Commit → webhook, 10,000 events wait for a target that is down, SQLite, p50", "ms", 0, 0},
	{"Delay/waiting/sqlite", "p99-ms", "Commit → webhook, 10,000 events wait for a target that is down, SQLite, p99", "ms", 0, 0},
	{"Delay/waiting/postgres", "p50-ms", "Commit → webhook, 10,000 events wait for a target that is down, PostgreSQL, p50", "ms", 0, 0},
	{"Delay/waiting/postgres", "p99-ms", "Commit → webhook, 10,000 events wait for a target that is down, PostgreSQL, p99", "ms", 0, 0},
	{"Delivered/sqlite", "events/s", "Events committed, matched against 100 rules and delivered, SQLite", "1/s", 0, 0},
	{"Delivered/postgres", "events/s", "Events committed, matched against 100 rules and delivered, PostgreSQL", "1/s", 0, 0},
	{"Redrive/sqlite", "seconds", "10,000 dead letters redriven, each taken once, SQLite", "s", 0, 0},
	{"Redrive/postgres", "seconds", "10,000 dead letters redriven, each taken once, PostgreSQL", "s", 0, 0},
}

// measureEvents runs the benchmarks of deliveries.
func measureEvents(ctx context.Context, b *bench, out *Part) error {
	text, err := b.goTests(ctx, []string{"-bench", "^Benchmark(Delay|Delivered|Redrive)$", "-benchtime", "1x", "./event/delivery"})
	if err != nil {
		return err
	}
	return out.addAll(eventFigures, text)
}
