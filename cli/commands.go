package cli

// commands is the whole command line: each field is a command.
type commands struct {
	globals

	Deploy  deployCmd  `cmd:"" group:"Instances" help:"Deploy an app."`
	Ls      lsCmd      `cmd:"" group:"Instances" help:"List instances."`
	Show    showCmd    `cmd:"" group:"Instances" help:"Show one instance."`
	Logs    logsCmd    `cmd:"" group:"Instances" help:"Print the logs of an instance's jobs."`
	Open    openCmd    `cmd:"" group:"Instances" help:"Open an instance in the browser."`
	Keep    keepCmd    `cmd:"" group:"Instances" help:"Keep an instance up to a time: the nightly sweep spares it."`
	Destroy destroyCmd `cmd:"" group:"Instances" help:"Destroy instances."`
	Cost    costCmd    `cmd:"" group:"Instances" help:"Say what ran in a month, what it cost, and what was saved."`

	Book    bookCmd    `cmd:"" group:"Instances" help:"Book an instance for a time window."`
	Booking bookingCmd `cmd:"" group:"Instances" help:"List, show, move, extend and cancel bookings."`

	App appCmd `cmd:"" group:"Catalogue" help:"Add, list, show and retire apps."`
	Job jobCmd `cmd:"" group:"Catalogue" help:"List, show and cancel jobs, print their logs."`

	Workflow workflowCmd `cmd:"" group:"Workflows" help:"Check, run and test state machines."`
	Bucket   bucketCmd   `cmd:"" group:"Workflows" help:"Write, read and list the objects that state machines use."`

	Leak     leakCmd     `cmd:"" group:"Instances" help:"List, look for and remove what outlived its instance."`
	Schedule scheduleCmd `cmd:"" group:"Workflows" help:"Start state machines at certain times; the nightly sweep is one."`

	Event      eventCmd      `cmd:"" group:"Events" help:"Follow, list, show and send events."`
	Rule       ruleCmd       `cmd:"" group:"Events" help:"Choose events and say where they go."`
	Target     targetCmd     `cmd:"" group:"Events" help:"Say where events can go: webhooks and others."`
	DeadLetter deadLetterCmd `cmd:"" group:"Events" help:"List, show, redrive and delete deliveries that were given up."`

	Serve      serveCmd      `cmd:"" group:"Portal" help:"Run the portal."`
	Doctor     doctorCmd     `cmd:"" group:"Portal" help:"Check what the portal needs on this machine."`
	Token      tokenCmd      `cmd:"" group:"Portal" help:"Make a token for a person."`
	Version    versionCmd    `cmd:"" group:"Portal" help:"Print the versions of this program and of the portal."`
	Completion completionCmd `cmd:"" group:"Portal" help:"Print a script that completes commands and names in the shell."`
	Help       helpCmd       `cmd:"" group:"Portal" help:"Show help on a topic, with examples."`
}
