package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/client"
)

type bookCmd struct {
	App     string   `arg:"" help:"Slug of the app." complete:"app"`
	From    string   `required:"" help:"Start of the window here: 10:00, tomorrow 10:00, \"thu 10:00\", \"2026-12-03 10:00\"." placeholder:"TIME"`
	To      string   `required:"" help:"End of the window: the same, or a length of time, such as 90m." placeholder:"TIME"`
	For     string   `help:"For whom it is." placeholder:"NAME"`
	Title   string   `help:"What it is; default: made of the app's name and --for." placeholder:"TEXT"`
	Zone    string   `help:"IANA time zone of the times, such as Europe/London; default: this machine's." placeholder:"ZONE"`
	Overlap string   `help:"What to do with an instance of the app that you have when it is deployed: use it, or replace it." placeholder:"use|replace"`
	Param   []string `short:"p" sep:"none" help:"Value of a parameter; may be repeated." placeholder:"NAME=VALUE" complete:"param"`
}

func (c *bookCmd) Run(r *run) error {
	params, err := parseParams(c.Param)
	if err != nil {
		return err
	}
	from, to, err := booking.ParseWindow(c.From, c.To, c.Zone, time.Local, r.now()) // clock times are those of who types them
	if err != nil {
		return exitf(codeUsage, "%w", err)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	b, err := cl.Book(r.ctx, client.Book{App: c.App, From: from.Format(time.RFC3339), To: to.Format(time.RFC3339), For: c.For, Title: c.Title,
		Overlap: c.Overlap, Parameters: params})
	if err != nil {
		return err
	}
	if err := r.writeBooking(b); err != nil || r.json() {
		return err
	}
	r.hint("for your calendar: iap booking ics %s > booking.ics", b.ID)
	return nil
}

type bookingCmd struct {
	List   bookingListCmd   `cmd:"" help:"List bookings." aliases:"ls"`
	Show   bookingShowCmd   `cmd:"" help:"Show a booking."`
	Extend bookingExtendCmd `cmd:"" help:"Move the end of a booking, also while it is open."`
	Move   bookingMoveCmd   `cmd:"" help:"Move a booking to another time, or say otherwise what it is."`
	Cancel bookingCancelCmd `cmd:"" help:"Cancel a booking; its instance is destroyed."`
	Ics    bookingIcsCmd    `cmd:"" help:"Write a booking as a calendar file."`
}

type bookingListCmd struct {
	All   bool   `short:"a" help:"Everybody's, for admins."`
	Ended bool   `help:"Those too that have ended."`
	App   string `help:"Of this app alone." placeholder:"APP" complete:"app"`
}

func (c *bookingListCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	all, err := bookings(r, cl, client.BookingFilter{App: c.App, All: c.All, Live: !c.Ended, Limit: 499})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(all)
	}
	if len(all) == 0 {
		r.hint("nothing is booked; book with: iap book APP --from \"thu 10:00\" --to 11:00")
	}
	t := &table{head: []string{"BOOKING", "APP", "FROM", "TO", "STATUS", "TITLE"}}
	if c.All {
		t.head = append(t.head, "OWNER")
	}
	for _, b := range all {
		row := []string{b.ID, b.App, clock(b.From, r.now()), clock(b.To, r.now()), b.Status, b.Title}
		if c.All {
			row = append(row, b.Owner)
		}
		t.add(row...)
	}
	t.write(r.out, r.width, nil)
	return nil
}

// bookings reads all pages.
func bookings(r *run, cl *client.Client, f client.BookingFilter) ([]client.Booking, error) {
	out := []client.Booking{}
	for {
		page, err := cl.Bookings(r.ctx, f)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if f.Before = page.Next; f.Before == "" {
			return out, nil
		}
	}
}

// bookingRef names a booking: by its ID or the beginning of it, or by the app
// when one has a single booking of it.
type bookingRef struct {
	Booking string `arg:"" help:"ID of the booking, the beginning of it, or the app that is booked."`
}

func (c bookingRef) find(r *run) (*client.Client, client.Booking, error) {
	cl, err := r.client()
	if err != nil {
		return nil, client.Booking{}, err
	}
	ref := strings.ToLower(strings.TrimSpace(c.Booking))
	if len(ref) == 26 {
		b, err := cl.Booking(r.ctx, ref)
		return cl, b, err
	}
	all, err := bookings(r, cl, client.BookingFilter{Live: true, Limit: 499})
	if err != nil {
		return nil, client.Booking{}, err
	}
	var found []client.Booking
	for _, b := range all {
		if ref != "" && (strings.HasPrefix(b.ID, ref) || b.App == ref) {
			found = append(found, b)
		}
	}
	switch len(found) {
	case 0:
		return nil, client.Booking{}, exitf(codeNotFound, "you have no booking %q that goes on; iap booking list names them", printable(c.Booking))
	case 1:
		return cl, found[0], nil
	}
	var ids []string
	for _, b := range found {
		ids = append(ids, fmt.Sprintf("%s (%s)", b.ID, clock(b.From, r.now())))
	}
	return nil, client.Booking{}, exitf(codeUsage, "%q may be %s; write the ID", printable(c.Booking), strings.Join(ids, ", "))
}

type bookingShowCmd struct{ bookingRef }

func (c *bookingShowCmd) Run(r *run) error {
	_, b, err := c.find(r)
	if err != nil {
		return err
	}
	return r.writeBooking(b)
}

func (r *run) writeBooking(b client.Booking) error {
	if r.json() {
		return r.writeJSON(b)
	}
	now := r.now()
	facts := [][2]string{{"booking", b.ID}, {"title", b.Title}, {"for", b.For}, {"app", fmt.Sprintf("%s, version %d", b.App, b.Version)},
		{"from", clock(b.From, now)}, {"to", clock(b.To, now)}, {"status", b.Status}, {"reason", b.Reason}}
	if b.Status == "booked" {
		facts = append(facts, [2]string{"deploys", clock(b.DeployAt, now)})
	}
	if !b.RetryAt.IsZero() && b.Status == "booked" {
		facts = append(facts, [2]string{"tries again", clock(b.RetryAt, now)})
	}
	facts = append(facts, [2]string{"overlap", b.Overlap}, [2]string{"instance", b.Instance}, [2]string{"address", b.URL}, [2]string{"ended by", b.EndedBy})
	r.facts(facts)
	return nil
}

type bookingExtendCmd struct {
	bookingRef
	To   string `required:"" help:"New end: a clock time, a moment, or +30m for so much longer." placeholder:"TIME"`
	Zone string `help:"IANA time zone of the times; default: this machine's." placeholder:"ZONE"`
}

func (c *bookingExtendCmd) Run(r *run) error {
	cl, b, err := c.find(r)
	if err != nil {
		return err
	}
	return moveBooking(r, cl, b, client.ChangeBooking{}, "", c.To, c.Zone)
}

// moveBooking gives a booking other times.
func moveBooking(r *run, cl *client.Client, b client.Booking, in client.ChangeBooking, from, to, zone string) error {
	given := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	begin, end, err := booking.ParseMove(booking.Booking{From: b.From, To: b.To}, given(from), given(to), zone, time.Local, r.now())
	if err != nil {
		return exitf(codeUsage, "%w", err)
	}
	if begin != nil {
		in.From = given(begin.Format(time.RFC3339))
	}
	if end != nil {
		in.To = given(end.Format(time.RFC3339))
	}
	b, err = cl.ChangeBooking(r.ctx, b.ID, in)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(b)
	}
	r.print("%s%s%s to %s", printable(b.Title), gap, clock(b.From, r.now()), clock(b.To, r.now()))
	return nil
}

type bookingMoveCmd struct {
	bookingRef
	From    string  `help:"New start, until the window begins." placeholder:"TIME"`
	To      string  `help:"New end." placeholder:"TIME"`
	Zone    string  `help:"IANA time zone of the times; default: this machine's." placeholder:"ZONE"`
	Title   *string `help:"What it is." placeholder:"TEXT"`
	For     *string `help:"For whom it is." placeholder:"NAME"`
	Overlap *string `help:"What to do with an instance of the app that you have then: use it, or replace it." placeholder:"use|replace"`
}

func (c *bookingMoveCmd) Run(r *run) error {
	if c.From == "" && c.To == "" && c.Title == nil && c.For == nil && c.Overlap == nil {
		return exitf(codeUsage, "say what to change: --from, --to, --title, --for or --overlap")
	}
	cl, b, err := c.find(r)
	if err != nil {
		return err
	}
	if c.From != "" && c.To == "" { // the window keeps its length
		c.To = b.To.Sub(b.From).String()
	}
	return moveBooking(r, cl, b, client.ChangeBooking{Title: c.Title, For: c.For, Overlap: c.Overlap}, c.From, c.To, c.Zone)
}

type bookingCancelCmd struct {
	bookingRef
	Yes bool `short:"y" help:"Do not ask."`
}

func (c *bookingCancelCmd) Run(r *run) error {
	cl, b, err := c.find(r)
	if err != nil {
		return err
	}
	if !c.Yes {
		if !r.inTerm {
			return exitf(codeUsage, "say --yes to cancel the booking %s without being asked", b.ID)
		}
		ok, err := r.ask("Cancel %s, %s?", printable(b.Title), clock(b.From, r.now()))
		if err == nil && !ok {
			err = exitf(codeFailed, "nothing was cancelled")
		}
		if err != nil {
			return err
		}
	}
	if b, err = cl.CancelBooking(r.ctx, b.ID); err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(b)
	}
	r.print("%s%s%s", printable(b.Title), gap, b.Status)
	return nil
}

type bookingIcsCmd struct {
	bookingRef
	File string `short:"f" name:"file" help:"File to write; default: the output." placeholder:"FILE" complete:"file"`
}

func (c *bookingIcsCmd) Run(r *run) error {
	cl, b, err := c.find(r)
	if err != nil {
		return err
	}
	data, err := cl.BookingCalendar(r.ctx, b.ID)
	if err != nil {
		return err
	}
	if c.File != "" {
		return os.WriteFile(c.File, data, 0o644)
	}
	_, err = r.out.Write(data)
	return err
}
