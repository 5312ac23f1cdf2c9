package booking

import (
	"strings"

	ics "github.com/arran4/golang-ical"
)

// CalendarType is the media type of what Calendar writes.
const CalendarType = "text/calendar; charset=utf-8"

// Calendar writes a booking as RFC 5545 has it, for calendars: the same UID each
// time, a SEQUENCE that counts the moves, and the method CANCEL once it was
// cancelled. page is the address of the booking's page.
func Calendar(b Booking, page, host string) []byte {
	c := ics.NewCalendarFor("Internal App Portal")
	c.SetMethod(ics.MethodPublish)
	e := c.AddEvent(b.ID + "@" + host)
	e.SetDtStampTime(b.UpdatedAt)
	e.SetCreatedTime(b.CreatedAt)
	e.SetModifiedAt(b.UpdatedAt)
	e.SetStartAt(b.From)
	e.SetEndAt(b.To)
	e.SetSequence(b.Sequence)
	e.SetSummary(b.Title)
	text := "The app " + b.App + " is open in this time: " + page
	if b.For != "" {
		text = "For " + b.For + ".\n" + text
	}
	e.SetDescription(text)
	e.SetLocation(page)
	e.SetURL(page)
	e.SetStatus(ics.ObjectStatusConfirmed)
	if b.Status == Cancelled {
		c.SetMethod(ics.MethodCancel)
		e.SetStatus(ics.ObjectStatusCancelled)
	}
	return []byte(strings.TrimRight(c.Serialize(ics.WithNewLine("\r\n")), "\r\n") + "\r\n")
}
