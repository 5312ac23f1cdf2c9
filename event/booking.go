package event

// The types of events about bookings; their data is a booking.Snapshot.
const (
	BookingChanged      = "iap.booking.changed"
	BookingDeployFailed = "iap.booking.deploy_failed" // it is tried again at retry_at
)
