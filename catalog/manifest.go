package catalog

import (
	"reflect"
	"time"
)

// MaxManifest is the size of an iap.yaml in bytes that is taken at most.
const MaxManifest = 1 << 20

// The defaults of fields that a manifest leaves out.
const (
	DefaultPort           = 8080
	DefaultHealthPath     = "/"
	DefaultHealthDeadline = Duration(60 * time.Second)
	DefaultMemory         = Memory(256 << 20)
	DefaultCPUs           = 1.0
	DefaultPIDs           = 128
	DefaultTimeLimit      = Duration(8 * time.Hour)
)

// ParseManifest reads an iap.yaml, fills in defaults and checks every field.
// The error joins one Invalid error for each field that is wrong; each names
// the field as a path ("parameters[1].default") and its line.
func ParseManifest(src []byte) (Manifest, error) {
	d := &decoder{newProblems("catalog.ParseManifest")}
	var m Manifest
	if len(src) > MaxManifest {
		d.add("", "the file has %d bytes; want at most %d", len(src), MaxManifest)
		return m, d.err()
	}
	root := d.parse(src)
	if root == nil {
		return m, d.err()
	}
	d.value(root, reflect.ValueOf(&m).Elem(), "")
	if root.Line == 0 || d.has("") {
		return m, d.err()
	}
	d.lines[""] = 0 // a missing field has no line
	m.setDefaults(func(field string) bool { _, there := d.lines[field]; return there })
	m.check(d.problems)
	if err := d.err(); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// setDefaults fills in the fields that are not there.
func (m *Manifest) setDefaults(there func(field string) bool) {
	yes := true
	defaults := []struct {
		field string
		set   func()
	}{
		{"port", func() { m.Port = DefaultPort }},
		{"health.path", func() { m.Health.Path = DefaultHealthPath }},
		{"health.deadline", func() { m.Health.Deadline = DefaultHealthDeadline }},
		{"limits.memory", func() { m.Limits.Memory = DefaultMemory }},
		{"limits.cpus", func() { m.Limits.CPUs = DefaultCPUs }},
		{"limits.pids", func() { m.Limits.PIDs = DefaultPIDs }},
		{"time_limit", func() { m.TimeLimit = DefaultTimeLimit }},
		{"read_only_root", func() { m.ReadOnlyRoot = &yes }},
	}
	for _, d := range defaults {
		if !there(d.field) {
			d.set()
		}
	}
	if !there("time_limit_most") {
		m.TimeLimitMost = m.TimeLimit
	} else if !there("time_limit") && m.TimeLimitMost > 0 {
		m.TimeLimit = min(m.TimeLimit, m.TimeLimitMost)
	}
	for i := range m.Parameters {
		if m.Parameters[i].Type == "" {
			m.Parameters[i].Type = TypeString
		}
	}
}

// LongestTime is the longest time limit that may be asked for.
func (m Manifest) LongestTime() Duration { return max(m.TimeLimit, m.TimeLimitMost) }
