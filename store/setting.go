package store

import "context"

// Setting returns a value that the portal keeps about itself, such as its own
// ID; NotFound.
func (db *DB) Setting(ctx context.Context, name string) ([]byte, error) {
	return one(ctx, db, "store.Setting", scalar[[]byte], "SELECT value FROM setting WHERE name = $1", name)
}

// PutSetting stores a value, in place of the one that there was.
func (db *DB) PutSetting(ctx context.Context, name string, value []byte) error {
	_, err := db.exec(ctx, "store.PutSetting", `INSERT INTO setting (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, filled(value))
	return err
}
