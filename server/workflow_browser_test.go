package server_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// write replaces the editor's text as a person does.
func write(text string) string {
	return fmt.Sprintf(`(() => { const f = document.querySelector('#definition'); f.focus(); f.select(); return document.execCommand('insertText', false, %q); })()`, text)
}

// follow clicks what leads to another page, and waits for that.
func follow(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(selector)); err != nil {
		t.Fatal(err)
	}
}

const (
	parentMachine = `{
  "StartAt": "Pause",
  "States": {
    "Pause": { "Type": "Wait", "Seconds": 1, "Next": "Hand over" },
    "Hand over": {
      "Type": "Task",
      "Resource": "arn:iap:states:::states:startExecution.sync",
      "Parameters": { "StateMachineArn": "arn:iap:states:::stateMachine:helper", "Input": { "a": 1 } },
      "End": true
    }
  }
}`
	helperMachine = `{"StartAt": "Help", "States": {"Help": {"Type": "Pass", "End": true}}}`
)

// TestAStateMachineInABrowser does what a person does: writes a state machine
// with a slip in it, sets that right, saves and starts it, sees it fail, makes
// what was missing, and redrives it.
func TestAStateMachineInABrowser(t *testing.T) {
	p := startPortal(t, testConfig(t))
	ctx := newTab(t)
	run(t, ctx, chromedp.Navigate(p.URL()+"/editor"), chromedp.WaitVisible(`#definition`))
	eval[bool](t, ctx, sees("#editor-state", "No problems"))
	eval[bool](t, ctx, write(parentMachine[:len(parentMachine)-4]+`,"Extra": {"Type": "Wait", "Second": 1, "End": true}}}`))
	eval[bool](t, ctx, sees("#problems", "Second"))
	eval[bool](t, ctx, write(parentMachine))
	eval[bool](t, ctx, sees("#editor-state", "No problems"))
	run(t, ctx, chromedp.SendKeys(`#machine-name`, "parent"))
	follow(t, ctx, "#save")
	eval[bool](t, ctx, sees("h1", "parent"))
	follow(t, ctx, "#go")
	eval[bool](t, ctx, sees("#board .status", "Running"))
	eval[bool](t, ctx, sees("#board .status", "Failed"))
	page := eval[string](t, ctx, `location.href`)
	eval[bool](t, ctx, sees(`.node[data-name="Hand over"][data-status="failed"]`, "Hand over"))
	eval[bool](t, ctx, sees(`.node[data-name="Pause"][data-status="done"]`, "Pause"))

	run(t, ctx, chromedp.Navigate(p.URL()+"/editor"), chromedp.WaitVisible(`#definition`))
	eval[bool](t, ctx, write(helperMachine))
	run(t, ctx, chromedp.SendKeys(`#machine-name`, "helper"))
	follow(t, ctx, "#save")
	eval[bool](t, ctx, sees("h1", "helper"))

	run(t, ctx, chromedp.Navigate(page), chromedp.Click(`#redrive`), chromedp.WaitVisible(`#redrive-dialog[open]`))
	follow(t, ctx, "#redrive-dialog button[type=submit]")
	eval[bool](t, ctx, sees("#board .status", "Succeeded"))
	eval[bool](t, ctx, sees(`.node[data-name="Hand over"][data-status="done"]`, "Hand over"))
	eval[bool](t, ctx, sees("#history-body", "Execution redriven"))
}
