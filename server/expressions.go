package server

import "github.com/internal-app-portal/iap/asl/jsonata"

// expressions makes what evaluates JSONata. It has no machine until the first
// expression needs one, and drops machines that nobody uses.
func (s *Server) expressions() *jsonata.Pool {
	pool := jsonata.NewPool(jsonata.Config{})
	s.onClose(func() error {
		pool.Close()
		return nil
	})
	return pool
}
