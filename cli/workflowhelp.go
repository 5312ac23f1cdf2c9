package cli

// seeExamples is what the help of the commands on the portal's state machines
// ends with.
const seeExamples = `See "iap help workflow" for examples.`

// Help is shown below the flags.
func (workflowValidateCmd) Help() string { return seeExamples }

// Help is shown below the flags.
func (workflowPutCmd) Help() string { return seeExamples }

// Help is shown below the flags.
func (workflowStartCmd) Help() string {
	return `With --wait it prints the output, which is JSON, and the exit code is 1 when the
execution does not succeed.

  iap workflow start pay --input '{"sum": 3}' --wait
  iap workflow start pay --input @order.json --name order-17

` + seeExamples
}

// Help is shown below the flags.
func (workflowLsCmd) Help() string {
	return `  iap workflow ls                       state machines
  iap workflow ls pay --status failed   executions of one
  iap workflow ls --status running      executions of all

` + seeExamples
}

// Help is shown below the flags.
func (workflowHistoryCmd) Help() string {
	return `"iap workflow ls STATE-MACHINE" lists the IDs of executions. ` + seeExamples
}
