package schedule_test

import (
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/schedule"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	m, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTimes: a time that the clocks leave out is due when they are put forward,
// one that they repeat the first time alone, and one of every hour goes by the
// time that passes.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		name, cron, zone, after string
		want                    []string // local time, then the moment
	}{
		{"every day", "0 19 * * *", "Europe/London", "2026-11-28T18:59:59Z",
			[]string{"2026-11-28 19:00 2026-11-28T19:00:00Z", "2026-11-29 19:00 2026-11-29T19:00:00Z"}},
		{"at the moment itself it is over", "0 19 * * *", "Europe/London", "2026-11-28T19:00:00Z", []string{"2026-11-29 19:00 2026-11-29T19:00:00Z"}},
		{"summer", "0 19 * * *", "Europe/London", "2026-07-01T12:00:00Z", []string{"2026-07-01 19:00 2026-07-01T18:00:00Z"}},
		{"left out in spring", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29 02:30 2026-03-29T01:00:00Z", "2026-03-30 02:30 2026-03-30T00:30:00Z"}},
		{"several left out in spring", "0,15,30,45 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z",
			[]string{"2026-03-29 02:00 2026-03-29T01:00:00Z", "2026-03-30 02:00 2026-03-30T00:00:00Z"}},
		{"repeated in autumn", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25 02:30 2026-10-25T00:30:00Z", "2026-10-26 02:30 2026-10-26T01:30:00Z"}},
		{"repeated in New York", "30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z",
			[]string{"2026-11-01 01:30 2026-11-01T05:30:00Z", "2026-11-02 01:30 2026-11-02T06:30:00Z"}},
		{"half an hour left out", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z",
			[]string{"2026-10-04 02:15 2026-10-03T15:30:00Z", "2026-10-05 02:15 2026-10-04T15:15:00Z"}},
		{"every hour in autumn", "0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z",
			[]string{"2026-10-25 02:00 2026-10-25T00:00:00Z", "2026-10-25 02:00 again 2026-10-25T01:00:00Z", "2026-10-25 03:00 2026-10-25T02:00:00Z"}},
		{"every hour in spring", "0 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z",
			[]string{"2026-03-29 03:00 2026-03-29T01:00:00Z", "2026-03-29 04:00 2026-03-29T02:00:00Z"}},
		{"weekdays", "0 19 * * mon-fri", "UTC", "2026-11-27T20:00:00Z", []string{"2026-11-30 19:00 2026-11-30T19:00:00Z"}},
		{"the leap day after 2100 too", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", []string{"2104-02-29 00:00 2104-02-29T00:00:00Z"}},
		{"day of month or weekday", "0 0 13 * fri", "UTC", "2026-11-28T00:00:00Z", []string{"2026-12-04 00:00 2026-12-04T00:00:00Z", "2026-12-11 00:00 2026-12-11T00:00:00Z", "2026-12-13 00:00 2026-12-13T00:00:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			timing, err := schedule.ParseTiming(c.cron, c.zone)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range timing.Times(moment(t, c.after), len(c.want)) {
				got = append(got, d.Local+" "+d.At.Format(time.RFC3339))
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestBadTimes: what is wrong is told by its field.
func TestBadTimes(t *testing.T) {
	for _, c := range []struct{ cron, zone, field, word string }{
		{"61 * * * *", "UTC", "cron", "61"},
		{"0 0 31 2 *", "UTC", "cron", "never due"},
		{"", "UTC", "cron", "missing"},
		{"TZ=UTC", "UTC", "cron", "zone"},
		{"TZ=UTC 0 19 * * *", "UTC", "cron", "zone"},
		{"CRON_TZ=Europe/London 0 19 * * *", "UTC", "cron", "zone"},
		{"0 19 * *", "UTC", "cron", "five"},
		{"0 0 19 * * *", "UTC", "cron", ""},
		{"@every 1h", "UTC", "cron", "no certain time"},
		{"@reboot", "UTC", "cron", "@reboot"},
		{"x" + strings.Repeat("*", 300), "UTC", "cron", "200"},
		{"0 19 * * *", "Mars/Olympus", "zone", "Mars/Olympus"},
		{"0 19 * * *", "", "zone", "missing"},
		{"0 19 * * *", "Local", "zone", "IANA"},
		{"0 19 * * *", "TZ=UTC", "zone", "IANA"},
		{"0 19 * * *", "../etc/passwd", "zone", "IANA"},
	} {
		_, err := schedule.ParseTiming(c.cron, c.zone)
		fields := iap.Fields(err)
		if len(fields) != 1 || fields[0].Field != c.field || c.word != "five" && !strings.Contains(err.Error(), c.word) {
			t.Errorf("%q in %q: %v", c.cron, c.zone, err)
		}
	}
}

func TestDaily(t *testing.T) {
	for _, c := range [][3]string{{"19:00", "", "0 19 * * *"}, {"7:05", "mon-fri", "5 7 * * mon-fri"}, {"00:00", "Sat, Sun", "0 0 * * sat,sun"}, {"9:30", "daily", "30 9 * * *"}} {
		got, err := schedule.Daily(c[0], c[1])
		if err != nil || got != c[2] {
			t.Errorf("Daily(%q, %q) = %q, %v; want %q", c[0], c[1], got, err, c[2])
		}
		if _, err := schedule.ParseTiming(got, "UTC"); err != nil {
			t.Error(err)
		}
	}
	for _, c := range [][3]string{{"24:00", "", "at"}, {"", "", "at"}, {"19.00", "", "at"}, {"19:00", "someday", "weekdays"}, {"19:00", "mon-", "weekdays"}} {
		_, err := schedule.Daily(c[0], c[1])
		if fields := iap.Fields(err); len(fields) != 1 || fields[0].Field != c[2] {
			t.Errorf("Daily(%q, %q): %v; want the field %s", c[0], c[1], err, c[2])
		}
	}
	for cron, want := range map[string]string{"5 * * * *": "every hour at :05", "0 19 * * *": "19:00 every day", "5 7 * * mon-fri": "07:05 on mon-fri", "*/5 * * * *": "*/5 * * * *"} {
		if got := schedule.Words(cron); got != want {
			t.Errorf("Words(%q) = %q, want %q", cron, got, want)
		}
	}
}
