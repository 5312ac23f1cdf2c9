package booking_test

import (
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/booking"
)

// saturday is a quarter past two on a Saturday in London.
var saturday = time.Date(2026, 11, 28, 14, 15, 0, 0, time.UTC)

func TestWindows(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, zone, want string }{
		{"15:00", "16:30", "", "2026-11-28T15:00:00Z 2026-11-28T16:30:00Z"},
		{"10:00", "11:00", "", "2026-11-29T10:00:00Z 2026-11-29T11:00:00Z"},
		{"thu 10:00", "11:00", "", "2026-12-03T10:00:00Z 2026-12-03T11:00:00Z"},
		{"Thursday 10:00", "90m", "", "2026-12-03T10:00:00Z 2026-12-03T11:30:00Z"},
		{"sat 15:00", "15:01", "", "2026-11-28T15:00:00Z 2026-11-28T15:01:00Z"},
		{"sat 14:00", "15:00", "", "2026-12-05T14:00:00Z 2026-12-05T15:00:00Z"},
		{"tomorrow 23:30", "0:30", "", "2026-11-29T23:30:00Z 2026-11-30T00:30:00Z"},
		{"today 14:00", "15:00", "", "2026-11-28T14:00:00Z 2026-11-28T15:00:00Z"},
		{"2026-12-03 10:00", "2026-12-03T11:00", "America/New_York", "2026-12-03T15:00:00Z 2026-12-03T16:00:00Z"},
		{"2026-12-03T10:00:00Z", "2026-12-03T12:00:00+01:00", "Asia/Tokyo", "2026-12-03T10:00:00Z 2026-12-03T11:00:00Z"},
		{"thu 10:00", "11:00", "Asia/Tokyo", "2026-12-03T01:00:00Z 2026-12-03T02:00:00Z"},
		// The window keeps to the clock over the end of summer time.
		{"2027-10-30 20:00", "2027-10-31 9:00", "", "2027-10-30T19:00:00Z 2027-10-31T09:00:00Z"},
	} {
		from, to, err := booking.ParseWindow(c.from, c.to, c.zone, london, saturday)
		if got := from.UTC().Format(time.RFC3339) + " " + to.UTC().Format(time.RFC3339); err != nil || got != c.want {
			t.Errorf("%s to %s %s: %s, %v; want %s", c.from, c.to, c.zone, got, err, c.want)
		}
	}
	for _, c := range []struct{ from, to, zone, field string }{
		{"", "11:00", "", "from"}, {"soon", "11:00", "", "from"}, {"25:00", "26:00", "", "from"}, {"th 10:00", "11:00", "", "from"},
		{"10:00", "", "", "to"}, {"10:00", "noon", "", "to"}, {"2026-13-01 10:00", "11:00", "", "from"},
		{"10:00", "11:00", "Mars/Base", "zone"},
		{"2027-03-28 01:30", "3:00", "", "from"}, // the clocks leave it out
	} {
		_, _, err := booking.ParseWindow(c.from, c.to, c.zone, london, saturday)
		if fields := iap.Fields(err); len(fields) == 0 || fields[0].Field != c.field {
			t.Errorf("%s to %s %s: %v; want an error of %s", c.from, c.to, c.zone, err, c.field)
		}
	}
}

func TestCalendar(t *testing.T) {
	b := booking.Booking{ID: "01h", App: "todo", Title: "Gespräch: Entwicklung, Teil 1; mit \\ und einer langen Überschrift, die umbrochen wird",
		For: "J. Doe", From: saturday, To: saturday.Add(time.Hour), Sequence: 3, CreatedAt: saturday, UpdatedAt: saturday}
	text := string(booking.Calendar(b, "https://portal.example.com/bookings/01h", "portal.example.com"))
	if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
		t.Error("a line does not end with CRLF")
	}
	for _, line := range strings.Split(text, "\r\n") {
		if len(line) > 75 {
			t.Errorf("a line of %d octets: %s", len(line), line)
		}
		if !strings.HasPrefix(line, " ") && line != "" && !strings.Contains(line, ":") {
			t.Errorf("a line without a name: %q", line)
		}
	}
	if !strings.HasSuffix(text, "END:VCALENDAR\r\n") {
		t.Error("its last line does not end")
	}
	whole := strings.ReplaceAll(text, "\r\n ", "")
	for _, want := range []string{"VERSION:2.0\r\n", "METHOD:PUBLISH\r\n", "UID:01h@portal.example.com\r\n", "SEQUENCE:3\r\n",
		"DTSTART:20261128T141500Z\r\n", "DTEND:20261128T151500Z\r\n", "DTSTAMP:20261128T141500Z\r\n", "STATUS:CONFIRMED\r\n",
		`SUMMARY:Gespräch: Entwicklung\, Teil 1\; mit \\ und einer langen Überschrift\, die umbrochen wird` + "\r\n",
		`DESCRIPTION:For J. Doe.\nThe app todo`, "BEGIN:VEVENT\r\n", "END:VCALENDAR\r\n", "PRODID:"} {
		if !strings.Contains(whole, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	b.Status, b.Sequence = booking.Cancelled, 4
	text = string(booking.Calendar(b, "https://portal.example.com/bookings/01h", "portal.example.com"))
	for _, want := range []string{"METHOD:CANCEL\r\n", "STATUS:CANCELLED\r\n", "SEQUENCE:4\r\n", "UID:01h@portal.example.com\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("cancelled it lacks %q", want)
		}
	}
}
