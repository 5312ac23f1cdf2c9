package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// past is how many ended instances the database holds.
	past = 10_000
	// settle is how long the portal is left alone before its memory is read.
	settle = 15 * time.Second

	wantMemory = 60  // MB
	wantStart  = 300 // ms
)

// measureIdle reads the portal's memory and times its start, with past
// instances in the database and, in turn, without.
func measureIdle(ctx context.Context, b *bench, out *Part) error {
	full, err := b.seededFolder(ctx, "idle")
	if err != nil {
		return err
	}
	defer os.RemoveAll(full)
	empty, err := b.seededFolder(ctx, "empty")
	if err != nil {
		return err
	}
	defer os.RemoveAll(empty)
	b.say("  filling the database with %d past instances", past)
	if err := fill(ctx, full, past); err != nil {
		return err
	}
	var with, without []float64
	for range b.times(20, 3) {
		for _, way := range []struct {
			data string
			into *[]float64
		}{{full, &with}, {empty, &without}} {
			p, err := b.startPortal(ctx, way.data)
			if err != nil {
				return err
			}
			*way.into = append(*way.into, millis(p.took))
			if err := p.stop(); err != nil {
				return err
			}
		}
	}
	start := compare("Start → /readyz answers 200, 10,000 past instances", "ms", with, "an empty database", without, 0)
	start.Checks = []Check{atMost("median", start.Portal.Median, wantStart), atMost("p95", start.Portal.P95, wantStart)}
	if info, err := os.Stat(full + "/iap.db"); err == nil {
		start.Note = fmt.Sprintf("the database with the past instances has %.0f MB.", float64(info.Size())/1e6)
	}
	out.Figures = append(out.Figures, start)
	return b.idleMemory(ctx, full, out)
}

// seededFolder is a data folder as the first start leaves it, with the example
// apps in the catalogue.
func (b *bench) seededFolder(ctx context.Context, name string) (string, error) {
	data, err := b.folder(name)
	if err != nil {
		return "", err
	}
	p, err := b.startPortal(ctx, data)
	if err != nil {
		return "", err
	}
	return data, p.stop()
}

// idleMemory reads the memory right after the start, when nothing has happened
// for a while, and so again after some use.
func (b *bench) idleMemory(ctx context.Context, data string, out *Part) error {
	p, err := b.startPortal(ctx, data)
	if err != nil {
		return err
	}
	defer p.remove()
	m, err := memoryOf(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	out.Figures = append(out.Figures, m.figure("Memory (RSS) at ready", 0))
	if m, err = p.settled(ctx); err != nil {
		return err
	}
	out.Figures = append(out.Figures, m.figure("Memory (RSS) idle, 10,000 past instances", wantMemory))
	web := p.http()
	defer web.CloseIdleConnections()
	for range 100 {
		for _, page := range []string{"/", "/admin/instances", "/admin/jobs", "/api/v1/instances?all=true&limit=500"} {
			if status, err := get(ctx, web, p.url+page); err != nil || status != 200 {
				return fmt.Errorf("%s answers %d, %v", page, status, err)
			}
		}
	}
	web.CloseIdleConnections()
	if m, err = p.settled(ctx); err != nil {
		return err
	}
	used := m.figure("Memory (RSS) idle after 400 pages", 0)
	used.Note = fmt.Sprintf("%d other processes of the portal have %.0f MB.", m.others, m.othersMB)
	out.Figures = append(out.Figures, used)
	return nil
}

// settled leaves the portal alone and reads its memory then.
func (p *portal) settled(ctx context.Context) (memory, error) {
	length := settle
	if p.b.quick {
		length = 3 * time.Second
	}
	select {
	case <-time.After(length):
	case <-ctx.Done():
		return memory{}, context.Cause(ctx)
	}
	m, err := memoryOf(p.cmd.Process.Pid)
	for _, pid := range below(p.b.tmp) { // kept providers
		if other, err := memoryOf(pid); err == nil {
			m.others++
			m.othersMB += other.rss
		}
	}
	return m, err
}

// memory is a process's resident memory in MB (10⁶ bytes): its own, and pages
// of files, which are its program mostly and can be dropped.
type memory struct {
	rss, anon, file float64
	others          int // processes
	othersMB        float64
}

func memoryOf(pid int) (memory, error) {
	status := "/proc/" + strconv.Itoa(pid) + "/status"
	read := func(name string) float64 {
		kib, _ := strconv.ParseFloat(strings.TrimSuffix(field(status, name), " kB"), 64)
		return kib * 1024 / 1e6
	}
	m := memory{rss: read("VmRSS"), anon: read("RssAnon"), file: read("RssFile")}
	if m.rss == 0 {
		return m, fmt.Errorf("%s cannot be read", status)
	}
	return m, nil
}

// processorTime is what a process has used so far; 0 when it is not known.
// (proc(5): fields 14 and 15 of stat, in hundredths of a second.)
func processorTime(pid int) time.Duration {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name, which may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (m memory) figure(name string, want float64) Figure {
	f := Figure{Name: name, Unit: "MB", Portal: stats([]float64{m.rss}),
		Note: fmt.Sprintf("%.1f MB are its own, %.1f MB pages of its program and other files.", m.anon, m.file)}
	if want > 0 {
		f.Checks = []Check{atMost("RSS", m.rss, want)}
	}
	return f
}
