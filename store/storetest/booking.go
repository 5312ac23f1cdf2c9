package storetest

import (
	"context"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/booking"
)

func newBooking(id, owner, app string) booking.Booking {
	return booking.Booking{ID: id, App: app, Version: 2, Owner: owner, Title: "Todo for Ö", From: later(1000), To: later(2000),
		DeployAt: later(500), Status: booking.Booked, CreatedAt: epoch, UpdatedAt: epoch}
}

func testBookings(t *testing.T, open Open) {
	ctx, db := context.Background(), open(t)
	b := newBooking("1", "ann", "todo")
	b.For, b.Overlap, b.Parameters = "J. Doe", booking.Replace, map[string]any{"size": 1.5}
	must(t, db.InsertBooking(ctx, b))
	wantKind(t, db.InsertBooking(ctx, b), iap.Conflict)
	must(t, db.InsertBooking(ctx, newBooking("2", "bob", "todo")))
	must(t, db.InsertBooking(ctx, newBooking("3", "ann", "board")))
	got, err := db.Booking(ctx, "1")
	must(t, err)
	same(t, "as it was put in", got, b)

	b.Title, b.For, b.From, b.To, b.DeployAt, b.RetryAt = "Other", "", later(1), later(2), later(3), later(4)
	b.Attempts, b.Overlap, b.Status, b.Instance, b.Reason, b.Execution = 2, booking.Use, booking.Ended, "i", "why", "x"
	b.Sequence, b.UpdatedAt, b.EndedAt, b.EndedBy = 5, later(6), later(7), "ann"
	must(t, db.UpdateBooking(ctx, b))
	wantKind(t, db.UpdateBooking(ctx, b), iap.Conflict)
	b.Changed++
	got, err = db.Booking(ctx, "1")
	must(t, err)
	same(t, "as it was changed", got, b)
	_, err = db.Booking(ctx, "9")
	wantKind(t, err, iap.NotFound)

	for _, c := range []struct {
		f    booking.Filter
		want string
	}{
		{booking.Filter{}, "321"}, {booking.Filter{Owner: "ann"}, "31"}, {booking.Filter{App: "todo"}, "21"},
		{booking.Filter{Live: true}, "32"}, {booking.Filter{Before: "3"}, "21"}, {booking.Filter{Limit: 1}, "3"},
		{booking.Filter{Owner: "ann", App: "todo", Live: true}, ""},
	} {
		found, err := db.Bookings(ctx, c.f)
		must(t, err)
		ids := ""
		for _, b := range found {
			ids += b.ID
		}
		same(t, "chosen", ids, c.want)
	}
}
