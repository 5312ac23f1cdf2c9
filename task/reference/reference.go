// Package reference lists the documentation of all tasks of the portal.
package reference

import (
	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/certify"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/leak"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/task/httpcall"
	"github.com/internal-app-portal/iap/task/tell"
	"github.com/internal-app-portal/iap/workflow"
)

// Docs returns the documentation of every task: those for any state machine,
// then those of the lifecycle, of bookings and of certifications.
func Docs() []task.Doc {
	docs := []task.Doc{httpcall.Doc, workflow.StartDoc}
	docs = append(docs, tell.Docs...)
	docs = append(docs, leak.TaskDocs()...)
	docs = append(docs, instance.TaskDocs()...)
	docs = append(docs, booking.TaskDocs()...)
	return append(docs, certify.TaskDocs()...)
}

// Markdown is docs/tasks.md.
func Markdown() string { return task.Markdown(Docs()) }
