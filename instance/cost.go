package instance

import (
	"math"

	"github.com/internal-app-portal/iap/catalog"
)

// Price is what an instance costs and needs while it runs.
type Price struct {
	Hour  float64 // money for an hour, in the portal's currency, in millionths
	Watts float64 // in thousandths
}

// Rates are the prices of an app that names none, by its limits.
type Rates struct {
	Currency    string  // "EUR"
	Memory, CPU float64 // money for an hour of 1 GiB, and of one CPU
	MemoryWatts float64 // of 1 GiB
	CPUWatts    float64 // of one CPU
}

// DefaultRates are those of a portal whose operator says nothing: about what a
// small server in a cloud costs and needs.
func DefaultRates() Rates {
	return Rates{Currency: "EUR", Memory: 0.005, CPU: 0.03, MemoryWatts: 0.4, CPUWatts: 5}
}

// Of returns the price of an app: its own, else by its limits.
func (r Rates) Of(m catalog.Manifest) Price {
	gib := float64(m.Limits.Memory) / (1 << 30)
	p := Price{Hour: gib*r.Memory + m.Limits.CPUs*r.CPU, Watts: gib*r.MemoryWatts + m.Limits.CPUs*r.CPUWatts}
	if m.PricePerHour != nil {
		p.Hour = *m.PricePerHour
	}
	if m.Watts != nil {
		p.Watts = *m.Watts
	}
	return Price{Hour: math.Round(p.Hour*1e6) / 1e6, Watts: math.Round(p.Watts*1e3) / 1e3}
}

// Sum is time that instances ran, or did not run, with what that costs.
type Sum struct {
	Hours float64 `json:"hours"`
	Cost  float64 `json:"cost"`
	KWh   float64 `json:"kwh"`
}

// add adds some hours at a price.
func (s *Sum) add(hours float64, p Price) {
	s.Hours += hours
	s.Cost += hours * p.Hour
	s.KWh += hours * p.Watts / 1000
}

func (s *Sum) plus(o Sum) {
	s.Hours, s.Cost, s.KWh = s.Hours+o.Hours, s.Cost+o.Cost, s.KWh+o.KWh
}

// Of returns what some hours at a price come to.
func (p Price) Of(hours float64) Sum {
	var s Sum
	s.add(hours, p)
	return s
}
