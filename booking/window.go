package booking

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/schedule"
)

var (
	clockForm = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):([0-5][0-9])$`)
	dateForm  = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})[t ]+([0-9:]+)$`)
)

// ParseWindow reads a window as people write it, on the clock of zone, an IANA
// name, or of here when zone is empty. from is a clock time, which is the next
// one, with a day before it or not ("10:00", "tomorrow 10:00", "thu 10:00",
// "2026-12-03 10:00"), or a moment as RFC 3339 has it. to is the same, and a
// clock time alone is the next one after from; or a length of time, "90m".
// Errors: Invalid ("from", "to", "zone").
func ParseWindow(from, to, zone string, here *time.Location, now time.Time) (begin, end time.Time, err error) {
	const op = "booking.ParseWindow"
	if zone != "" {
		if here, err = schedule.ParseZone(zone); err != nil {
			return begin, end, iap.FieldErrorf(op, "zone", "there is no time zone %q; want an IANA name, such as Europe/London", clip(zone))
		}
	}
	begin, fromErr := ParseTime("from", from, here, now)
	if fromErr != nil {
		_, toErr := ParseTime("to", to, here, now)
		if _, lengthErr := time.ParseDuration(to); lengthErr == nil {
			toErr = nil
		}
		return begin, end, errors.Join(fromErr, toErr)
	}
	end, err = ParseEnd(to, here, begin)
	return begin, end, err
}

// ParseEnd reads the end of a window that begins at from: see ParseWindow.
func ParseEnd(text string, here *time.Location, from time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(strings.TrimSpace(text)); err == nil {
		return from.Add(d), nil
	}
	return ParseTime("to", text, here, from)
}

// ParseTime reads a time of a window, the next one after the moment after. The
// error is Invalid and names the field.
func ParseTime(field, text string, here *time.Location, after time.Time) (time.Time, error) {
	const op = "booking.ParseTime"
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return time.Time{}, iap.FieldErrorf(op, field, "it is missing; want such as 10:00, thu 10:00 or 2026-12-03 10:00")
	}
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(text)); err == nil {
		return ms(t), nil
	}
	if m := dateForm.FindStringSubmatch(text); m != nil {
		if day, err := time.ParseInLocation(time.DateOnly, m[1], here); err == nil {
			return onClock(op, field, text, day, m[2])
		}
	}
	day, clock, found := strings.Cut(text, " ")
	if !found {
		day, clock = "", text
	}
	clock = strings.TrimSpace(clock)
	local := after.In(here)
	for ahead := range 8 { // the first day that is meant, on which it is later than after
		d := time.Date(local.Year(), local.Month(), local.Day()+ahead, 0, 0, 0, 0, here)
		if !means(day, d, ahead) {
			continue
		}
		t, err := onClock(op, field, text, d, clock)
		if err != nil || t.After(after) || day == "today" {
			return t, err
		}
	}
	return time.Time{}, bad(op, field, text)
}

// means reports whether a word means the day d, which is so many days ahead.
func means(word string, d time.Time, ahead int) bool {
	name := strings.ToLower(d.Weekday().String())
	switch word {
	case "":
		return true
	case "today":
		return ahead == 0
	case "tomorrow":
		return ahead == 1
	}
	return len(word) >= 3 && strings.HasPrefix(name, word)
}

// onClock is a clock time on a day; one that the clocks leave out is refused.
func onClock(op, field, text string, day time.Time, clock string) (time.Time, error) {
	m := clockForm.FindStringSubmatch(clock)
	if m == nil {
		return time.Time{}, bad(op, field, text)
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	t := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
	if t.Hour() != hour || t.Minute() != minute {
		return time.Time{}, iap.FieldErrorf(op, field, "there is no %s on %s in %s: the clocks are put forward", clock, day.Format(time.DateOnly), day.Location())
	}
	return t.UTC(), nil
}

func bad(op, field, text string) error {
	return iap.FieldErrorf(op, field, "%q is no time: want such as 10:00, tomorrow 10:00, thu 10:00, 2026-12-03 10:00 or 2026-12-03T10:00:00Z", clip(text))
}

// ParseMove reads the new times of a booking, nil where one stays: see
// ParseWindow. A clock time is the next one after now for the start, after the
// start for the end; "+30m" is so much
// longer than it is.
func ParseMove(b Booking, from, to *string, zone string, here *time.Location, now time.Time) (begin, end *time.Time, err error) {
	if zone != "" {
		if here, err = schedule.ParseZone(zone); err != nil {
			return nil, nil, iap.FieldErrorf("booking.ParseMove", "zone", "there is no time zone %q; want an IANA name, such as Europe/London", clip(zone))
		}
	}
	start := b.From
	if from != nil {
		t, err := ParseTime("from", *from, here, now)
		if err != nil {
			return nil, nil, err
		}
		begin, start = &t, t
	}
	if to == nil {
		return begin, nil, nil
	}
	text := strings.TrimSpace(*to)
	if longer, ok := strings.CutPrefix(text, "+"); ok {
		if d, err := time.ParseDuration(longer); err == nil {
			t := b.To.Add(d)
			return begin, &t, nil
		}
	}
	t, err := ParseEnd(text, here, start)
	return begin, &t, err
}
