package memory

import (
	"context"
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/asl"
)

// MapRunner does the run of a distributed Map state that begins at a time, and
// gives the signal that ends it together with the time of that. With the real
// clock it is called in a goroutine of its own.
type MapRunner func(ctx context.Context, now time.Time, c asl.Command) (ended asl.Signal, at time.Time)

// carryOutMapRun takes the commands of distributed Map states.
func (x *execution) carryOutMapRun(c asl.Command) error {
	return fmt.Errorf("memory: unknown command %T", c)
}

// beginMapRun begins what carryOutMapRun put aside.
func (x *execution) beginMapRun(c asl.Command) error {
	return fmt.Errorf("memory: unknown command %T", c)
}
