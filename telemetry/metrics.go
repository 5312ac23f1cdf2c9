// Package telemetry tells monitoring systems how the portal is doing.
package telemetry

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// readTimeout bounds what one scrape may ask of the database.
const readTimeout = 5 * time.Second

// Store is what is counted.
type Store interface {
	// LiveInstances returns the instances that have not ended.
	LiveInstances(ctx context.Context) ([]instance.Instance, error)
	// JobsByStatus returns the jobs with one of the statuses.
	JobsByStatus(ctx context.Context, statuses ...job.Status) ([]job.Job, error)
	// LastEventNumber returns the number of the newest event.
	LastEventNumber(ctx context.Context) (int64, error)
}

var (
	instances = prometheus.NewDesc("iap_instances", "Instances that have not ended, by app and status.", []string{"app", "status"}, nil)
	jobs      = prometheus.NewDesc("iap_jobs", "Jobs that have not ended, by kind and status.", []string{"kind", "status"}, nil)
	events    = prometheus.NewDesc("iap_events_total", "Events in the log since the portal was set up.", nil, nil)
)

// collector counts in the database when it is asked: there is no second source
// of truth that could drift.
type collector struct{ store Store }

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	out <- instances
	out <- jobs
	out <- events
}

// Collect implements prometheus.Collector. What cannot be read makes the
// scrape fail, rather than a gauge look like zero.
func (c collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	live, err := c.store.LiveInstances(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(instances, err)
		return
	}
	byApp := map[[2]string]float64{}
	for _, i := range live {
		byApp[[2]string{i.App, string(i.Status)}]++
	}
	gauges(out, instances, byApp)
	waiting, err := c.store.JobsByStatus(ctx, job.Queued, job.Running)
	if err != nil {
		out <- prometheus.NewInvalidMetric(jobs, err)
		return
	}
	byKind := map[[2]string]float64{}
	for _, j := range waiting {
		byKind[[2]string{string(j.Kind), string(j.Status)}]++
	}
	gauges(out, jobs, byKind)
	last, err := c.store.LastEventNumber(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(events, err)
		return
	}
	out <- prometheus.MustNewConstMetric(events, prometheus.CounterValue, float64(last))
}

func gauges(out chan<- prometheus.Metric, desc *prometheus.Desc, counts map[[2]string]float64) {
	for labels, n := range counts {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, n, labels[0], labels[1])
	}
}

// Handler answers with the metrics in the formats of Prometheus.
func Handler(store Store, express Express) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{store}, expressCollector{express}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{Timeout: 2 * readTimeout})
}
