package main

import (
	"math"
	"slices"
	"time"
)

// Stats describes a set of measurements in the unit of its figure.
type Stats struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// stats sorts values and describes them.
func stats(values []float64) Stats {
	if len(values) == 0 {
		return Stats{}
	}
	v := slices.Sorted(slices.Values(values))
	return Stats{N: len(v), Min: round(v[0]), Median: round(quantile(v, 0.5)), P95: round(quantile(v, 0.95)),
		P99: round(quantile(v, 0.99)), Max: round(v[len(v)-1])}
}

// quantile reads a quantile of sorted values, between two of them where it
// falls between (type 7 of Hyndman and Fan, as spreadsheets do).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// round keeps four digits: more is noise.
func round(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(x))))
	if scale > 1e9 {
		return 0
	}
	return math.Round(x*scale) / scale
}

func seconds(d time.Duration) float64 { return d.Seconds() }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
