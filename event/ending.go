package event

// The types of events about schedules and ends.
const (
	ScheduleChanged = "iap.schedule.changed" // data: name, what, by, cron, zone, state_machine, paused, next_at
	ScheduleFired   = "iap.schedule.fired"   // data: name, local, due_at, outcome, execution, reason, by, skipped
	InstanceEnding  = "iap.instance.ending"  // data: instance.Ending
	SweepFinished   = "iap.sweep.finished"   // data: instance.Sweep
)
