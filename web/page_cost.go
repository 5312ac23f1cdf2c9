package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// costPage is a ledger with its chart.
type costPage struct {
	layout
	instance.Ledger
	Name          string // "November 2026"
	Before, After string // months; After is empty for the present one
	Chart         chartView
}

// chartView is the bars of a month's days, in the units of an SVG of chartWide by
// chartHigh.
type chartView struct {
	Wide, High, Base, Roof int
	Top                    string // what the highest bar stands for
	Bars                   []barView
	Days                   []labelView
}

type barView struct {
	X, Y, W, H float64
	Class, Say string
}

type labelView struct {
	X    float64
	Text string
}

const (
	chartWide, chartHigh = 720, 216
	chartBase            = 184 // of the bars
	chartTop             = 28
)

func (s *Server) costPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	l := s.layout(r, actor, "Cost")
	ledger, err := s.cfg.Instances.Ledger(r.Context(), actor, r.URL.Query().Get("month"))
	if err != nil {
		return err
	}
	month, err := time.Parse("2006-01", ledger.Month)
	if err != nil {
		return err
	}
	p := costPage{layout: l, Ledger: ledger, Name: month.Format("January 2006"), Before: month.AddDate(0, -1, 0).Format("2006-01"), Chart: chartOf(ledger)}
	if next := month.AddDate(0, 1, 0); !next.After(s.cfg.Now().In(s.cfg.Location)) {
		p.After = next.Format("2006-01")
	}
	return s.render(w, http.StatusOK, "cost", p)
}

// costCSV is the ledger as a file for spreadsheets.
func (s *Server) costCSV(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	ledger, err := s.cfg.Instances.Ledger(r.Context(), actor, r.URL.Query().Get("month"))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := ledger.WriteCSV(&b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="cost-`+ledger.Month+`.csv"`)
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(b.Bytes())
	return err
}

// chartOf draws two bars for each day: what ran, and what was saved.
func chartOf(l instance.Ledger) chartView {
	c := chartView{Wide: chartWide, High: chartHigh, Base: chartBase, Roof: chartTop}
	most := 0.0
	for _, d := range l.Days {
		most = max(most, d.Ran.Cost, d.Saved.Cost)
	}
	if most == 0 {
		return c
	}
	c.Top = money(most)
	slot := float64(chartWide) / float64(len(l.Days))
	for n, d := range l.Days {
		x := float64(n) * slot
		c.add(x+slot*0.1, slot*0.38, d.Ran.Cost/most, "ran", fmt.Sprintf("%s: %s %s", d.Day, l.Currency, money(d.Ran.Cost)))
		c.add(x+slot*0.52, slot*0.38, d.Saved.Cost/most, "saved", fmt.Sprintf("%s: %s %s saved", d.Day, l.Currency, money(d.Saved.Cost)))
		if n%7 == 0 {
			c.Days = append(c.Days, labelView{X: x + slot/2, Text: strconv.Itoa(n + 1)})
		}
	}
	return c
}

// add adds a bar whose height is a part of the highest one's.
func (c *chartView) add(x, wide, part float64, class, say string) {
	if part <= 0 {
		return
	}
	h := max(1, part*(chartBase-chartTop))
	c.Bars = append(c.Bars, barView{X: x, Y: chartBase - h, W: wide, H: h, Class: class, Say: say})
}

// money writes an amount in whole cents.
func money(f float64) string {
	if f > 0 && f < 0.005 {
		return "<0.01"
	}
	return strconv.FormatFloat(f, 'f', 2, 64)
}
