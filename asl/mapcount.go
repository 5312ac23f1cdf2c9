package asl

// Error names and causes of map runs, as AWS has them.
const (
	ErrItemReaderFailed   = "States.ItemReaderFailed"
	ErrResultWriterFailed = "States.ResultWriterFailed"
	ErrTooManyFailures    = "States.ExceedToleratedFailureThreshold"

	causeTooManyFailures = "The specified tolerated failure threshold was exceeded"
)

// MapCounts counts the items or the children of a map run, as DescribeMapRun
// tells them.
type MapCounts struct {
	Pending        int64 `json:"pending"`
	Running        int64 `json:"running"`
	Succeeded      int64 `json:"succeeded"`
	Failed         int64 `json:"failed"`
	TimedOut       int64 `json:"timed_out"`
	Aborted        int64 `json:"aborted"`
	ResultsWritten int64 `json:"results_written"`
	// PendingRedrive are those that did not succeed and will be redriven.
	PendingRedrive int64 `json:"pending_redrive,omitempty"`
	// NotRedrivable are those of Failed, TimedOut and Aborted that could not be
	// redriven.
	NotRedrivable int64 `json:"failures_not_redrivable,omitempty"`
}

// Total is how many there are.
func (c MapCounts) Total() int64 {
	return c.Pending + c.Running + c.Succeeded + c.Failed + c.TimedOut + c.Aborted + c.PendingRedrive
}

// Ended counts n of a status that is final.
func (c *MapCounts) Ended(s Status, n int64) {
	switch s {
	case Succeeded:
		c.Succeeded += n
	case TimedOut:
		c.TimedOut += n
	case Aborted:
		c.Aborted += n
	default:
		c.Failed += n
	}
}

// Unsuccessful is how many ended in any other way than well.
func (c MapCounts) Unsuccessful() int64 { return c.Failed + c.TimedOut + c.Aborted }

// Tolerance says how many items of a map run may fail; nil is not set.
type Tolerance struct {
	Count      *int64
	Percentage *float64
}

// Tolerance is the order's.
func (o *MapRunOrder) Tolerance() Tolerance {
	return Tolerance{o.ToleratedCount, o.ToleratedPercentage}
}

// Check gives the error of a run in which more items failed than are tolerated,
// or nil. total is the number of all items, negative while that is not known:
// the percentage is then not looked at yet.
func (t Tolerance) Check(failed, total int64) *MapError {
	var exceeded bool
	switch {
	case t.Count == nil && t.Percentage == nil:
		exceeded = failed > 0
	case t.Count != nil && failed > *t.Count:
		exceeded = true
	case t.Percentage != nil && total > 0:
		exceeded = float64(failed)*100 > *t.Percentage*float64(total)
	}
	if !exceeded {
		return nil
	}
	return &MapError{ErrTooManyFailures, causeTooManyFailures}
}
