package instance

import (
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// LedgerEntry is what the ledger needs of one instance.
type LedgerEntry struct {
	App, Owner string
	Status     Status
	ReadyAt    time.Time // it ran from then
	EndedAt    time.Time // to then; zero: it runs
	SavedBy    EndBy     // what ended it before it would have ended otherwise
	SavedUntil time.Time
	Price      Price
}

// LedgerStore reads what ran.
type LedgerStore interface {
	// LedgerEntries returns the instances that ran at some time from a moment to
	// another, of one owner or, when owner is empty, of all.
	LedgerEntries(ctx context.Context, owner string, from, to time.Time) ([]LedgerEntry, error)
}

// Ledger says what ran in a month, what it cost, and what was saved.
type Ledger struct {
	Month    string      `json:"month"` // "2026-11", on the portal's clock
	Currency string      `json:"currency"`
	Rows     []LedgerRow `json:"rows"` // by owner and app
	Total    LedgerRow   `json:"total"`
	Days     []LedgerDay `json:"days"`
}

// LedgerRow is what one person's instances of one app come to.
type LedgerRow struct {
	Owner     string `json:"owner,omitempty"`
	App       string `json:"app,omitempty"`
	Instances int    `json:"instances"`
	Ran       Sum    `json:"ran"`
	Sweep     Sum    `json:"saved_by_sweep"`
	Idle      Sum    `json:"saved_by_idle"`
	Limit     Sum    `json:"saved_by_limit"`
}

// Saved is what was saved in all.
func (r LedgerRow) Saved() (s Sum) {
	s.plus(r.Sweep)
	s.plus(r.Idle)
	s.plus(r.Limit)
	return s
}

// LedgerDay is one day of a ledger.
type LedgerDay struct {
	Day   string `json:"day"` // "2026-11-28"
	Ran   Sum    `json:"ran"`
	Saved Sum    `json:"saved"`
}

const monthForm = "2006-01"

// Ledger returns the ledger of a month, "2026-11", or when month is empty of the
// present one: of all for admins, of the actor's own instances for others. The
// error is Invalid and names the field "month".
func (s *Service) Ledger(ctx context.Context, actor iap.Actor, month string) (Ledger, error) {
	const op = "instance.Ledger"
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	if month == "" {
		month = s.Now().In(zone).Format(monthForm)
	}
	from, err := time.ParseInLocation(monthForm, month, zone)
	if err != nil || from.Year() < 2000 || from.Year() > 9000 {
		return Ledger{}, iap.FieldErrorf(op, "month", "%q is no month, such as 2026-11", clip(month))
	}
	owner := ""
	if !actor.Role.Includes(iap.Admin) {
		if owner = actor.ID; owner == "" {
			return Ledger{}, iap.Errorf(op, iap.Unauthenticated, "nobody has no ledger")
		}
	}
	entries, err := s.Store.LedgerEntries(ctx, owner, from, from.AddDate(0, 1, 0))
	l := Ledger{Month: month, Currency: s.Rates.Currency, Rows: []LedgerRow{}, Days: []LedgerDay{}}
	if err == nil {
		l.fill(entries, from, s.Now())
	}
	return l, err
}

// fill adds entries up for the month that begins at from.
func (l *Ledger) fill(entries []LedgerEntry, from, now time.Time) {
	to := from.AddDate(0, 1, 0)
	rows := map[[2]string]*LedgerRow{}
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		l.Days = append(l.Days, LedgerDay{Day: day.Format(time.DateOnly)})
	}
	for _, e := range entries {
		key := [2]string{e.Owner, e.App}
		if rows[key] == nil {
			rows[key] = &LedgerRow{Owner: e.Owner, App: e.App}
		}
		rows[key].take(e, from, to, now)
		for n := range l.Days {
			day := from.AddDate(0, 0, n)
			var r LedgerRow
			r.take(e, day, from.AddDate(0, 0, n+1), now)
			l.Days[n].Ran.plus(r.Ran)
			l.Days[n].Saved.plus(r.Saved())
		}
	}
	for _, r := range rows {
		l.Rows = append(l.Rows, *r)
	}
	slices.SortFunc(l.Rows, func(a, b LedgerRow) int {
		return cmp.Or(cmp.Compare(b.Ran.Cost, a.Ran.Cost), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.App, b.App))
	})
	for _, r := range l.Rows {
		l.Total.Instances += r.Instances
		l.Total.Ran.plus(r.Ran)
		l.Total.Sweep.plus(r.Sweep)
		l.Total.Idle.plus(r.Idle)
		l.Total.Limit.plus(r.Limit)
	}
}

// take adds what an entry comes to between two moments. What was saved counts when
// the instance ended.
func (r *LedgerRow) take(e LedgerEntry, from, to, now time.Time) {
	end := e.EndedAt
	if end.IsZero() {
		end = now
	}
	if ran := earlier(end, to).Sub(later(e.ReadyAt, from)); ran > 0 {
		r.Instances++
		r.Ran.add(ran.Hours(), e.Price)
	}
	saved := e.SavedUntil.Sub(e.EndedAt)
	if e.Status != Destroyed || saved <= 0 || e.EndedAt.Before(from) || !e.EndedAt.Before(to) {
		return
	}
	switch e.SavedBy {
	case EndBySweep:
		r.Sweep.add(saved.Hours(), e.Price)
	case EndByIdle:
		r.Idle.add(saved.Hours(), e.Price)
	case EndByTime, EndByKeep:
		r.Limit.add(saved.Hours(), e.Price)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Cost returns what an instance has come to so far.
func (i Instance) Cost(now time.Time) Sum {
	if i.ReadyAt.IsZero() {
		return Sum{}
	}
	if !i.EndedAt.IsZero() {
		now = i.EndedAt
	}
	return i.Price.Of(max(0, now.Sub(i.ReadyAt).Hours()))
}

// WriteCSV writes the rows of a ledger as CSV (RFC 4180), one for each person and
// app, without a total.
func (l Ledger) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	rows := [][]string{{"month", "person", "app", "instances", "hours", "cost", "currency", "kwh", "saved_by_sweep_hours", "saved_by_sweep_cost",
		"saved_by_sweep_kwh", "saved_by_idle_hours", "saved_by_idle_cost", "saved_by_idle_kwh", "saved_by_limit_hours", "saved_by_limit_cost", "saved_by_limit_kwh"}}
	for _, r := range l.Rows {
		row := []string{l.Month, plain(r.Owner), plain(r.App), strconv.Itoa(r.Instances), number(r.Ran.Hours), number(r.Ran.Cost), l.Currency, number(r.Ran.KWh)}
		for _, s := range []Sum{r.Sweep, r.Idle, r.Limit} {
			row = append(row, number(s.Hours), number(s.Cost), number(s.KWh))
		}
		rows = append(rows, row)
	}
	return c.WriteAll(rows)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 4, 64) }

// plain keeps spreadsheets from taking a text for a formula.
func plain(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
