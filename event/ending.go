package event

// The types of events about who signs in, and about the configuration.
const (
	LoginSucceeded = "iap.login.succeeded" // data: person, address
	LoginFailed    = "iap.login.failed"    // data: address, untold
	LoginEnded     = "iap.login.ended"     // data: person, address
	SettingChanged = "iap.setting.changed" // data: name, before, after
)

// The types of events about schedules and ends.
const (
	ScheduleChanged = "iap.schedule.changed" // data: name, what, by, cron, zone, state_machine, paused, next_at
	ScheduleFired   = "iap.schedule.fired"   // data: name, local, due_at, outcome, execution, reason, by, skipped
	InstanceEnding  = "iap.instance.ending"  // data: instance.Ending
	SweepFinished   = "iap.sweep.finished"   // data: instance.Sweep
)
