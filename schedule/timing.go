package schedule

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"

	iap "github.com/internal-app-portal/iap"
)

// searchYears is how far ahead a time is looked for: there are eight years
// between the leap days around 2100.
const searchYears = 12

// localForm is how a local date and time is written.
const localForm = "2006-01-02 15:04"

// again is behind the local time of the second pass through an hour that the
// clocks repeat.
const again = " again"

// Timing is when a schedule is due: a cron expression on the clock of a zone.
//
// A schedule of certain hours is due once for each of their local times: where
// the clocks leave the time out, at the moment they are put forward; where
// they repeat it, the first time alone. One of every hour goes by the time
// that passes, so that it leaves no hour out.
type Timing struct {
	spec  cron.SpecSchedule
	zone  *time.Location
	hours bool // every hour
}

// Due is a moment at which a schedule is due.
type Due struct {
	At    time.Time
	Local string // date and time on the clock of the zone, which name the firing
}

// IsZero reports whether d is no moment.
func (d Due) IsZero() bool { return d.At.IsZero() }

const everyHour = 1<<24 - 1

// ParseTiming reads a cron expression of five fields and an IANA zone. The
// error is Invalid and names the field: "cron" or "zone".
func ParseTiming(expression, zone string) (Timing, error) {
	const op = "schedule.Parse"
	loc, err := ParseZone(zone)
	if err != nil {
		return Timing{}, err
	}
	refuse := func(format string, args ...any) (Timing, error) {
		return Timing{}, iap.FieldErrorf(op, "cron", "%s; want minute, hour, day of month, month and weekday, such as \"0 19 * * mon-fri\"",
			fmt.Sprintf(format, args...))
	}
	expression = strings.TrimSpace(expression)
	switch {
	case expression == "":
		return refuse("it is missing")
	case len(expression) > 200:
		return refuse("it is longer than 200 characters")
	case strings.Contains(expression, "="):
		return refuse("%q names a zone, which belongs in the field \"zone\"", clip(expression))
	case strings.HasPrefix(expression, "@every"):
		return refuse("%q counts from no certain time", clip(expression))
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.Extended | cron.DowOrDom).
		WithMaxSearchYears(searchYears)
	parsed, err := parser.Parse(expression)
	if err != nil {
		return refuse("%q is not right: %v", clip(expression), err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return refuse("%q has no certain times", clip(expression))
	}
	t := Timing{spec: *spec, zone: loc, hours: spec.Hour&everyHour == everyHour}
	t.spec.Location = time.UTC
	if t.spec.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Timing{}, iap.FieldErrorf(op, "cron", "%q is never due: there is no such date", clip(expression))
	}
	return t, nil
}

// ParseZone returns an IANA time zone; Invalid, with the field "zone".
func ParseZone(name string) (*time.Location, error) {
	const want = "want a name of the IANA database, such as Europe/London or UTC"
	if name == "" || name == "Local" {
		return nil, iap.FieldErrorf("schedule.Parse", "zone", "it is missing; %s", want)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, iap.FieldErrorf("schedule.Parse", "zone", "there is no time zone %q; %s", clip(name), want)
	}
	return loc, nil
}

// Next returns the first moment after a time; the zero Due when there is none
// in the next years.
func (t Timing) Next(after time.Time) Due {
	if t.hours {
		return t.nextHourly(after)
	}
	// A zone's clock is put forward or back by a day at most.
	for n := t.spec.Next(wall(after.In(t.zone)).Add(-26 * time.Hour)); !n.IsZero(); n = t.spec.Next(n) {
		if at := t.moment(n); at.After(after) {
			return Due{At: at.UTC(), Local: n.Format(localForm)}
		}
	}
	return Due{}
}

func (t Timing) nextHourly(after time.Time) Due {
	spec := t.spec
	spec.Location = t.zone
	at := spec.Next(after.In(t.zone))
	if at.IsZero() {
		return Due{}
	}
	local := wall(at.In(t.zone))
	d := Due{At: at.UTC(), Local: local.Format(localForm)}
	if !t.moment(local).Equal(at) {
		d.Local += again
	}
	return d
}

// Times returns the next n moments after a time.
func (t Timing) Times(after time.Time, n int) []Due {
	var out []Due
	for range n {
		d := t.Next(after)
		if d.IsZero() {
			break
		}
		out, after = append(out, d), d.At
	}
	return out
}

// wall returns what a clock shows at t, as a time in UTC.
func wall(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// moment returns when the clock of the zone shows local: the first time where
// it does twice, the moment at which it is put forward where it never does.
func (t Timing) moment(local time.Time) time.Time {
	var found time.Time
	var before int // seconds east of UTC before a change
	for i, around := range []time.Duration{-26 * time.Hour, 26 * time.Hour} {
		_, offset := local.Add(around).In(t.zone).Zone()
		if i == 0 {
			before = offset
		}
		at := local.Add(-time.Duration(offset) * time.Second)
		if wall(at.In(t.zone)).Equal(local) && (found.IsZero() || at.Before(found)) {
			found = at
		}
	}
	if found.IsZero() {
		found, _ = local.Add(-time.Duration(before) * time.Second).In(t.zone).ZoneBounds()
	}
	return found
}

var (
	clockForm = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):([0-5][0-9])$`)
	daysForm  = regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun)([,-](mon|tue|wed|thu|fri|sat|sun))*$`)
)

// Daily returns the cron expression of a clock time, "19:00", on some weekdays,
// "mon-fri" or "mon,thu"; all of them when weekdays is empty. The error is
// Invalid and names the field: "at" or "weekdays".
func Daily(at, weekdays string) (string, error) {
	m := clockForm.FindStringSubmatch(strings.TrimSpace(at))
	if m == nil {
		return "", iap.FieldErrorf("schedule.Daily", "at", "%q is not a clock time, such as 19:00", clip(at))
	}
	days := strings.ToLower(strings.ReplaceAll(weekdays, " ", ""))
	switch days {
	case "", "daily", "*":
		days = "*"
	default:
		if !daysForm.MatchString(days) {
			return "", iap.FieldErrorf("schedule.Daily", "weekdays", "%q are no weekdays, such as mon-fri or mon,wed,fri", clip(weekdays))
		}
	}
	return strings.TrimLeft(m[2][:1], "0") + m[2][1:] + " " + orZero(strings.TrimLeft(m[1], "0")) + " * * " + days, nil
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

var dailyForm = regexp.MustCompile(`^([0-9]{1,2}) ([0-9]{1,2}) \* \* (\*|[a-z,-]+)$`)

var hourlyForm = regexp.MustCompile(`^([0-9]{1,2}) \* \* \* \*$`)

// Words says a cron expression as people do, "19:00 every day", "19:00 on
// mon-fri" or "every hour at :17", where it is that simple; else it is given as
// it is.
func Words(expression string) string {
	if m := hourlyForm.FindStringSubmatch(expression); m != nil {
		return fmt.Sprintf("every hour at :%02s", m[1])
	}
	m := dailyForm.FindStringSubmatch(expression)
	if m == nil {
		return expression
	}
	at := fmt.Sprintf("%02s:%02s", m[2], m[1])
	if m[3] == "*" {
		return at + " every day"
	}
	return at + " on " + m[3]
}

// maxClip is how many characters of somebody's text an error shows.
const maxClip = 100

func clip(s string) string {
	if r := []rune(s); len(r) > maxClip {
		return string(r[:maxClip]) + "…"
	}
	return s
}
