package catalog

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a length of time as people write it: a number and a unit
// among ms, s, m, h and d (24 hours), or several in a row as in "1h30m".
func ParseDuration(text string) (Duration, error) {
	const want = `want a number and a unit, like "90s", "30m", "8h" or "7d"`
	rest, days := text, time.Duration(0)
	if before, after, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(before, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is no length of time; %s", shorten(text), want)
		}
		days, rest = time.Duration(n)*24*time.Hour, after
	}
	if rest == "" && days > 0 {
		return Duration(days), nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no length of time; %s", shorten(text), want)
	}
	if d += days; d < 0 {
		return 0, fmt.Errorf("%q is too long", shorten(text))
	}
	return Duration(d), nil
}

// String writes the shortest form that ParseDuration reads: "8h", "1h30m".
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Std returns d as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// MarshalText writes String; JSON and YAML use it too.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// The units of memory, largest first; those of powers of ten are read too.
var (
	binaryUnits = []struct {
		name string
		size int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
	memoryUnits = map[string]int64{
		"tib": 1 << 40, "gib": 1 << 30, "mib": 1 << 20, "kib": 1 << 10, "b": 1,
		"tb": 1e12, "gb": 1e9, "mb": 1e6, "kb": 1e3,
	}
)

// ParseMemory reads a number and a unit among B, KiB, MiB, GiB and TiB (powers of
// 1024) or KB, MB, GB and TB (powers of 1000), in any case.
func ParseMemory(text string) (Memory, error) {
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	size, known := memoryUnits[strings.ToLower(text[len(number):])]
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	plain := strings.Trim(number, "0123456789. ") == ""
	if err != nil || !known || !plain || n < 0 {
		return 0, fmt.Errorf(`%q is no amount of memory; want a number and a unit, like "64MiB" or "1GiB"`, shorten(text))
	}
	bytes := n * float64(size)
	if bytes >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is too much", shorten(text))
	}
	return Memory(bytes), nil
}

// String writes the shortest form that ParseMemory reads without loss: "64MiB".
func (m Memory) String() string {
	for _, u := range binaryUnits {
		if m != 0 && int64(m)%u.size == 0 {
			return strconv.FormatInt(int64(m)/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(m), 10) + "B"
}

// MiB returns m in mebibytes, rounded up.
func (m Memory) MiB() int { return int((int64(m) + 1<<20 - 1) >> 20) }

// MarshalText writes String; JSON and YAML use it too.
func (m Memory) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what ParseMemory reads.
func (m *Memory) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMemory(string(text))
	return err
}

// shorten keeps an error short whatever was given.
func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
