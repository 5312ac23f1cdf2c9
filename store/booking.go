package store

import (
	"context"
	"fmt"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/booking"
)

const (
	bookingColumns = `id, app, version, owner, title, guest, from_at, to_at, deploy_at, retry_at, attempts, overlap, parameters,
		status, instance, reason, execution, sequence, created_at, updated_at, ended_at, ended_by, changed`
	bookingQuery = "SELECT " + bookingColumns + " FROM booking "
)

func scanBooking(scan scanner) (b booking.Booking, err error) {
	var parameters string
	var from, to, deploy, retry, created, updated, ended int64
	err = scan(&b.ID, &b.App, &b.Version, &b.Owner, &b.Title, &b.For, &from, &to, &deploy, &retry, &b.Attempts, &b.Overlap, &parameters,
		&b.Status, &b.Instance, &b.Reason, &b.Execution, &b.Sequence, &created, &updated, &ended, &b.EndedBy, &b.Changed)
	if err != nil {
		return b, err
	}
	b.From, b.To, b.DeployAt, b.RetryAt = at(from), at(to), at(deploy), at(retry)
	b.CreatedAt, b.UpdatedAt, b.EndedAt = at(created), at(updated), at(ended)
	return b, read(parameters, &b.Parameters)
}

// bookingValues returns the values of bookingColumns.
func bookingValues(op string, b booking.Booking) ([]any, error) {
	parameters := ""
	if b.Parameters != nil {
		var err error
		if parameters, err = text(b.Parameters); err != nil {
			return nil, iap.E(op, iap.Internal, err)
		}
	}
	return []any{b.ID, b.App, b.Version, b.Owner, b.Title, b.For, ms(b.From), ms(b.To), ms(b.DeployAt), ms(b.RetryAt), b.Attempts,
		string(b.Overlap), parameters, string(b.Status), b.Instance, b.Reason, b.Execution, b.Sequence, ms(b.CreatedAt), ms(b.UpdatedAt),
		ms(b.EndedAt), b.EndedBy, b.Changed}, nil
}

// InsertBooking implements booking.Store.
func (db *DB) InsertBooking(ctx context.Context, b booking.Booking) error {
	const op = "store.InsertBooking"
	values, err := bookingValues(op, b)
	if err != nil {
		return err
	}
	n, err := db.exec(ctx, op, "INSERT INTO booking ("+bookingColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
		$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23) ON CONFLICT DO NOTHING`, values...)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "there is a booking %s already", b.ID)
	}
	return err
}

// UpdateBooking implements booking.Store. The ID, the app, the owner and the
// time of creation never change.
func (db *DB) UpdateBooking(ctx context.Context, b booking.Booking) error {
	const op = "store.UpdateBooking"
	n, err := db.exec(ctx, op, `UPDATE booking SET title = $2, guest = $3, from_at = $4, to_at = $5, deploy_at = $6, retry_at = $7,
		attempts = $8, overlap = $9, status = $10, instance = $11, reason = $12, execution = $13, sequence = $14, updated_at = $15,
		ended_at = $16, ended_by = $17, changed = changed + 1 WHERE id = $1 AND changed = $18`,
		b.ID, b.Title, b.For, ms(b.From), ms(b.To), ms(b.DeployAt), ms(b.RetryAt), b.Attempts, string(b.Overlap), string(b.Status),
		b.Instance, b.Reason, b.Execution, b.Sequence, ms(b.UpdatedAt), ms(b.EndedAt), b.EndedBy, b.Changed)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "the booking %s was changed in the meantime", b.ID)
	}
	return err
}

// Booking implements booking.Store.
func (db *DB) Booking(ctx context.Context, id string) (booking.Booking, error) {
	return one(ctx, db, "store.Booking", scanBooking, db.locked(ctx, bookingQuery+"WHERE id = $1"), id)
}

// Bookings implements booking.Store.
func (db *DB) Bookings(ctx context.Context, f booking.Filter) ([]booking.Booking, error) {
	var where []string
	var args []any
	add := func(condition, value string) {
		args = append(args, value)
		where = append(where, fmt.Sprintf("%s $%d", condition, len(args)))
	}
	if f.Owner != "" {
		add("owner =", f.Owner)
	}
	if f.App != "" {
		add("app =", f.App)
	}
	if f.Before != "" {
		add("id <", f.Before)
	}
	if f.Live {
		where = append(where, "ended_at = 0")
	}
	query := bookingQuery
	if len(where) > 0 {
		query += "WHERE " + strings.Join(where, " AND ")
	}
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	args = append(args, min(f.Limit, maxLimit))
	return list(ctx, db, "store.Bookings", scanBooking, query+fmt.Sprintf(" ORDER BY id DESC LIMIT $%d", len(args)), args...)
}
