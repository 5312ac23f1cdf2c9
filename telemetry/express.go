package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/internal-app-portal/iap/workflow"
)

var (
	expressRunning = prometheus.NewDesc("iap_express_executions_running", "Express executions that run in this process.", nil, nil)
	expressEnded   = prometheus.NewDesc("iap_express_executions_total", "Express executions that have ended since this process started, by status.",
		[]string{"status"}, nil)
)

// Express is what is counted of Express executions; *workflow.ExpressRuns is
// one.
type Express interface{ Counts() workflow.ExpressCounts }

type expressCollector struct{ express Express }

// Describe implements prometheus.Collector.
func (expressCollector) Describe(out chan<- *prometheus.Desc) {
	out <- expressRunning
	out <- expressEnded
}

// Collect implements prometheus.Collector. Each status is there from the
// beginning, so that rates can be taken.
func (c expressCollector) Collect(out chan<- prometheus.Metric) {
	n := c.express.Counts()
	out <- prometheus.MustNewConstMetric(expressRunning, prometheus.GaugeValue, float64(n.Running))
	for _, s := range []workflow.Status{workflow.Succeeded, workflow.Failed, workflow.TimedOut, workflow.Aborted} {
		out <- prometheus.MustNewConstMetric(expressEnded, prometheus.CounterValue, float64(n.Ended[s]), string(s))
	}
}
