package server_test

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// clock is a clock that a test can put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// waitBooking waits until a booking is as it should be.
func (p *portal) waitBooking(id string, want func(client.Booking) bool) client.Booking {
	p.t.Helper()
	var last client.Booking
	err := p.until(p.t.Context(), func() (_ bool, err error) {
		last, err = p.Booking(p.t.Context(), id)
		return err == nil && want(last), err
	})
	if err != nil {
		p.t.Fatalf("the booking is %s: %v", toJSON(last), err)
	}
	return last
}

func bookingIs(status string) func(client.Booking) bool {
	return func(b client.Booking) bool { return b.Status == status }
}

func rfc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// TestBooking: what is booked is deployed some time before its window, opens in
// it alone, is spared by the sweep, extended in place, and destroyed after it.
func TestBooking(t *testing.T) {
	needDocker(t)
	c := &clock{}
	cfg := testConfig(t)
	cfg.Now = c.now
	p := startPortal(t, cfg)
	from := c.now().Add(2 * time.Hour).Truncate(time.Second)
	b, err := p.Book(t.Context(), client.Book{App: "inspector", From: rfc(from), To: "1h", For: "J. Doe"})
	if err != nil || b.Status != "booked" || !strings.HasSuffix(b.Title, " for J. Doe") || !b.To.Equal(from.Add(time.Hour)) || !b.DeployAt.Before(from) {
		t.Fatal(toJSON(b), err)
	}
	c.forward(b.DeployAt.Sub(c.now()))
	b = p.waitBooking(b.ID, bookingIs("ready"))
	if i, err := p.Instance(t.Context(), b.Instance); err != nil || i.Booking != b.ID || !i.OpensAt.Equal(from) || !i.EndsAt.Equal(b.To) || i.End.By != "booking" {
		t.Errorf("its instance: %s, %v", toJSON(i), err)
	}
	if status, body := get(t, b.URL); status != 503 || !strings.Contains(body, "It opens") {
		t.Errorf("before its window it answers %d: %s", status, body)
	}
	c.forward(from.Sub(c.now()) + time.Second)
	b = p.waitBooking(b.ID, bookingIs("open"))
	if status, _ := get(t, b.URL); status != 200 {
		t.Errorf("in its window it answers %d", status)
	}
	f, err := p.RunSchedule(t.Context(), "nightly") // spares it
	if err != nil {
		t.Fatal(err)
	}
	p.waitExecution(f.Execution)
	longer := "+30m"
	b, err = p.ChangeBooking(t.Context(), b.ID, client.ChangeBooking{To: &longer})
	if err != nil || !b.To.Equal(from.Add(90*time.Minute)) || b.Sequence != 1 {
		t.Fatal(toJSON(b), err)
	}
	c.forward(from.Add(time.Hour + time.Minute).Sub(c.now())) // its first end is over
	if i, err := p.Instance(t.Context(), b.Instance); err != nil || i.Status != client.StatusRunning || !i.EndsAt.Equal(b.To) {
		t.Errorf("extended it is %s, %v", toJSON(i), err)
	}
	c.forward(b.To.Sub(c.now()) + time.Second)
	p.waitBooking(b.ID, bookingIs("ended"))
	i := p.waitFor(t.Context(), b.Instance, client.Instance.Ended)
	if i.Status != client.StatusDestroyed || i.EndReason != "the time it was booked for was over" || len(resources(t, i.ID)) > 0 {
		t.Errorf("it ended as %s", toJSON(i))
	}
}

// waitExecution waits until an execution has ended.
func (p *portal) waitExecution(id string) {
	p.t.Helper()
	if _, err := p.ended(p.t.Context(), id); err != nil {
		p.t.Fatalf("waiting for the end of the execution %s: %v", id, err)
	}
}

// TestBookingOverlap: an instance that one has is used or replaced as chosen,
// and not chosen is asked for.
func TestBookingOverlap(t *testing.T) {
	needDocker(t)
	c := &clock{}
	cfg := testConfig(t)
	cfg.Now = c.now
	p := startPortal(t, cfg)
	if _, err := p.PauseSchedule(t.Context(), "nightly"); err != nil { // else it may end them before
		t.Fatal(err)
	}
	mine, board := p.deploy("inspector", nil), p.deploy("whiteboard", nil)
	at := client.Book{App: "inspector", From: rfc(c.now().Add(time.Hour)), To: "1h"}
	_, err := p.Book(t.Context(), at)
	wantStatus(t, "nothing chosen", err, http.StatusConflict)
	if e := err.(*client.Error); len(e.Errors) != 1 || e.Errors[0].Field != "overlap" || !strings.Contains(e.Detail, mine.HostName) {
		t.Errorf("the error is %s", toJSON(e))
	}
	if all, err := p.Bookings(t.Context(), client.BookingFilter{}); err != nil || len(all.Items) != 0 {
		t.Errorf("stored: %s, %v", toJSON(all), err)
	}
	at.Overlap = "replace"
	replace, err := p.Book(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Book(t.Context(), at)
	wantStatus(t, "twice the same window", err, http.StatusConflict)
	use, err := p.Book(t.Context(), client.Book{App: "whiteboard", From: at.From, To: "1h", Overlap: "use"})
	if err != nil {
		t.Fatal(err)
	}
	c.forward(59 * time.Minute)
	replace = p.waitBooking(replace.ID, bookingIs("ready"))
	if replace.Instance == mine.ID || len(resources(t, mine.ID)) > 0 {
		t.Errorf("it was not replaced: %s", toJSON(replace))
	}
	use = p.waitBooking(use.ID, bookingIs("ready"))
	if i, err := p.Instance(t.Context(), board.ID); err != nil || use.Instance != board.ID || i.Status != client.StatusRunning || !i.OpensAt.IsZero() {
		t.Errorf("it was not used: %s, %s, %v", toJSON(use), toJSON(i), err)
	}
	if b, err := p.CancelBooking(t.Context(), use.ID); err != nil || b.Status != "cancelled" || b.Sequence != 1 {
		t.Errorf("%s, %v", toJSON(b), err)
	}
	if i, err := p.Instance(t.Context(), board.ID); err != nil || i.Status != client.StatusRunning || i.Booking != "" {
		t.Errorf("what was there before is not left alone: %s, %v", toJSON(i), err)
	}
	if _, err := p.CancelBooking(t.Context(), replace.ID); err != nil {
		t.Error(err)
	}
	if i := p.waitFor(t.Context(), replace.Instance, client.Instance.Ended); i.EndReason != "its booking was cancelled" {
		t.Errorf("cancelled, it ended as %s", toJSON(i))
	}
}

// TestBookingFails: a deploy that fails in advance is told and tried again; the
// booking fails when its window is over.
func TestBookingFails(t *testing.T) {
	needDocker(t)
	c := &clock{}
	cfg := testConfig(t)
	cfg.Now = c.now
	p := startPortal(t, cfg)
	b, err := p.Book(t.Context(), client.Book{App: "inspector", Parameters: map[string]any{"fail_at_start": "no licence"}, From: rfc(c.now().Add(time.Minute)), To: "1h"})
	if err != nil {
		t.Fatal(err)
	}
	b = p.waitBooking(b.ID, func(b client.Booking) bool { return b.Attempts == 1 })
	if b.Status != "booked" || b.Reason == "" || !b.RetryAt.After(c.now()) {
		t.Errorf("after a try: %s", toJSON(b))
	}
	events, err := p.EventLog(t.Context(), client.EventFilter{Type: "iap.booking.deploy_failed"})
	if err != nil || len(events.Items) != 1 || events.Items[0].Subject != b.ID {
		t.Errorf("told: %s, %v", toJSON(events), err)
	}
	c.forward(b.RetryAt.Sub(c.now()))
	p.waitBooking(b.ID, func(b client.Booking) bool { return b.Attempts == 2 })
	c.forward(2 * time.Hour)
	if b = p.waitBooking(b.ID, client.Booking.Over); b.Status != "failed" || b.Reason == "" {
		t.Errorf("in the end: %s", toJSON(b))
	}
}

// TestBookingAfterDowntime: a portal that was down when it was to deploy does it
// when it is up, if the window is not over.
func TestBookingAfterDowntime(t *testing.T) {
	needDocker(t)
	c := &clock{}
	cfg := testConfig(t)
	cfg.Now = c.now
	var late, missed client.Booking
	t.Run("before", func(t *testing.T) {
		p := startPortal(t, cfg)
		var err error
		if late, err = p.Book(t.Context(), client.Book{App: "inspector", From: rfc(c.now().Add(time.Hour)), To: "2h"}); err != nil {
			t.Fatal(err)
		}
		if missed, err = p.Book(t.Context(), client.Book{App: "todo", From: rfc(c.now().Add(time.Hour)), To: "1h"}); err != nil {
			t.Fatal(err)
		}
	})
	c.forward(150 * time.Minute)
	p := startPortal(t, cfg)
	p.waitBooking(late.ID, bookingIs("open"))
	if b := p.waitBooking(missed.ID, client.Booking.Over); b.Status != "failed" || b.Instance != "" {
		t.Errorf("over before the portal was up: %s", toJSON(b))
	}
}

// TestBookingsThatAreRefused: nothing of them is stored.
func TestBookingsThatAreRefused(t *testing.T) {
	p, tokens := company(t)
	p.addApp(inspectorApp("todo"))
	good := client.Book{App: "todo", From: "10:00", To: "11:00"}
	for field, change := range map[string]func(*client.Book){
		"app":         func(b *client.Book) { b.App = "" },
		"from":        func(b *client.Book) { b.From = "2020-01-01 10:00" },
		"to":          func(b *client.Book) { b.To = "0m" },
		"to ":         func(b *client.Book) { b.To = "13h" },
		"to  ":        func(b *client.Book) { b.From, b.To = rfc(time.Now().Add(2*time.Hour)), rfc(time.Now().Add(time.Hour)) },
		"zone":        func(b *client.Book) { b.Zone = "Mars/Base" },
		"overlap":     func(b *client.Book) { b.Overlap = "share" },
		"title":       func(b *client.Book) { b.Title = strings.Repeat("x", 102) },
		"for":         func(b *client.Book) { b.For = strings.Repeat("x", 102) },
		"parameters.": func(b *client.Book) { b.Parameters = map[string]any{"nonsense": 1} },
	} {
		bad := good
		change(&bad)
		_, err := p.Book(t.Context(), bad)
		e, ok := err.(*client.Error)
		if !ok || len(e.Errors) == 0 || !strings.HasPrefix(e.Errors[0].Field, strings.TrimSpace(field)) {
			t.Errorf("%s: %+v", field, err)
		}
	}
	if all, err := p.Bookings(t.Context(), client.BookingFilter{}); err != nil || len(all.Items) != 0 {
		t.Errorf("stored: %s, %v", toJSON(all), err)
	}
	jane, joe := p.as(tokens["jane"]), p.as(tokens["joe"])
	b, err := jane.Book(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	_, err = joe.Booking(t.Context(), b.ID)
	wantStatus(t, "another member looks at it", err, http.StatusNotFound)
	_, err = joe.CancelBooking(t.Context(), b.ID)
	wantStatus(t, "another member cancels it", err, http.StatusNotFound)
	if _, err := p.Booking(t.Context(), b.ID); err != nil {
		t.Errorf("an admin looks at it: %v", err)
	}
	if ics, err := jane.BookingCalendar(t.Context(), b.ID); err != nil || !strings.HasPrefix(string(ics), "BEGIN:VCALENDAR\r\n") {
		t.Errorf("its calendar: %s, %v", ics, err)
	}
}

// form sends a form as a browser does, and returns where that leads, or what is
// shown.
func form(t *testing.T, address string, values url.Values) (status int, location, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(values.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(text)
}

// TestBookingPages: the form says what is wrong beside each field and keeps what
// was put in; what is right leads to the booking's page.
func TestBookingPages(t *testing.T) {
	p := startPortal(t, testConfig(t))
	values := url.Values{"from": {"2030-06-06T10:00"}, "to": {"2030-06-06T09:00"}, "zone": {"Europe/London"}, "for": {"J. Doe"}}
	status, _, body := form(t, p.URL()+"/book/todo", values)
	if status != 422 || !strings.Contains(body, "The end is not after the start") || !strings.Contains(body, `value="2030-06-06T10:00"`) {
		t.Errorf("an end before the start: %d %s", status, body)
	}
	values.Set("to", "2030-06-06T11:00")
	values.Set("zone", "Mars/Base")
	if status, _, body = form(t, p.URL()+"/book/todo", values); status != 422 || !strings.Contains(body, "no time zone") {
		t.Errorf("an unknown zone: %d %s", status, body)
	}
	values.Set("zone", "Europe/London")
	from := time.Now().AddDate(0, 1, 0).Format("2006-01-02")
	values.Set("from", from+"T10:00")
	values.Set("to", from+"T11:00")
	status, page, body := form(t, p.URL()+"/book/todo", values)
	if status != 303 || !strings.HasPrefix(page, "/bookings/") {
		t.Fatalf("a good one: %d %s", status, body)
	}
	if status, _, body := form(t, p.URL()+"/book/todo", values); status != 409 || !strings.Contains(body, "overlaps") {
		t.Errorf("the same again: %d %s", status, body)
	}
	if status, _, body := form(t, p.URL()+page, url.Values{"longer": {"+30m"}}); status != 303 {
		t.Errorf("longer: %d %s", status, body)
	}
	b, err := p.Booking(t.Context(), strings.TrimPrefix(page, "/bookings/"))
	if err != nil || b.To.Sub(b.From) != 90*time.Minute {
		t.Errorf("it is %s, %v", toJSON(b), err)
	}
	for path, want := range map[string]string{page: "Todo", "/bookings": b.Title, page + "/booking.ics": "SEQUENCE:1", "/book/todo": "Book"} {
		if status, body := get(t, p.URL()+path); status != 200 || !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, body := get(t, p.URL()+"/bookings"); !strings.Contains(body, `sse-swap="bookingrow-`+b.ID+`"`) {
		t.Errorf("the list does not follow the booking: %s", body)
	}
	stream := bufio.NewScanner(listen(t, p.URL()+"/stream?want=bookingrow-"+b.ID, ""))
	if status, _, _ := form(t, p.URL()+page+"/cancel", nil); status != 303 {
		t.Errorf("cancel: %d", status)
	}
	for !strings.Contains(stream.Text(), "Cancelled") {
		if !stream.Scan() {
			t.Fatal("the list is not told that it was cancelled")
		}
	}
	if b, err = p.Booking(t.Context(), b.ID); err != nil || b.Status != "cancelled" {
		t.Errorf("cancelled it is %s, %v", toJSON(b), err)
	}
}
