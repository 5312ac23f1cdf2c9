package cli

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/task"
)

// ServeFlags is the configuration of the portal: flags, then the environment,
// then the file, then the defaults.
type ServeFlags struct {
	Dev          bool          `help:"For this machine alone: everybody is a local admin, the example apps are in the catalogue." env:"IAP_DEV"`
	Data         string        `help:"Folder of all that the portal keeps." default:"iap-data" env:"IAP_DATA" placeholder:"DIR" complete:"file"`
	Listen       string        `help:"Address to listen on." default:"127.0.0.1:8080" env:"IAP_LISTEN" placeholder:"ADDR"`
	Database     string        `help:"Database: empty for SQLite in the data folder, or postgres://…" env:"IAP_DATABASE" placeholder:"URL"`
	AppsDomain   string        `help:"Domain under which instances get their names; default: localhost with --dev." env:"IAP_APPS_DOMAIN" placeholder:"DOMAIN"`
	PortalURL    string        `help:"Address at which people reach the portal; default: from --listen." name:"portal-url" env:"IAP_PORTAL_URL" placeholder:"URL"`
	ParallelJobs int           `help:"How many jobs run at once." default:"4" env:"IAP_PARALLEL_JOBS" placeholder:"N"`
	LeakGrace    time.Duration `help:"How long after it was found the portal removes what it made and left behind." default:"1h" env:"IAP_LEAK_GRACE" placeholder:"DURATION"`
	KeepMost     time.Duration `help:"How far ahead people may keep an instance." default:"12h" env:"IAP_KEEP_MOST" placeholder:"DURATION"`
	Certify      bool          `help:"Deploy, check and destroy each new version of an app before people can have it." default:"true" negatable:"" env:"IAP_CERTIFY"`
	BookingMost  time.Duration `help:"How long the window of a booking may be." default:"12h" env:"IAP_BOOKING_MOST" placeholder:"DURATION"`
	BookingLead  time.Duration `help:"How long before its window a booked instance is deployed; default: 5 minutes and three times what the app usually takes." env:"IAP_BOOKING_LEAD" placeholder:"DURATION"`
	Currency     string        `help:"Currency of prices." default:"EUR" env:"IAP_CURRENCY" placeholder:"CODE"`
	PriceMemory  float64       `help:"What 1 GiB of memory costs for an hour, where an app has no price." default:"0.005" env:"IAP_PRICE_MEMORY" placeholder:"N"`
	PriceCPU     float64       `help:"What a CPU costs for an hour." name:"price-cpu" default:"0.03" env:"IAP_PRICE_CPU" placeholder:"N"`
	WattsMemory  float64       `help:"What 1 GiB of memory needs, where an app has no watts." default:"0.4" env:"IAP_WATTS_MEMORY" placeholder:"N"`
	WattsCPU     float64       `help:"What a CPU needs." name:"watts-cpu" default:"5" env:"IAP_WATTS_CPU" placeholder:"N"`
	LimitPerson  int           `help:"How many instances one person may have at once; 0: any number." default:"0" env:"IAP_LIMIT_PERSON" placeholder:"N"`
	LimitPortal  int           `help:"How many instances there may be at once in all; 0: any number." default:"0" env:"IAP_LIMIT_PORTAL" placeholder:"N"`
	Zone         string        `help:"Time zone of clock times, such as Europe/London; default: this machine's." env:"IAP_ZONE" placeholder:"ZONE"`
	PayloadLimit int           `help:"Bytes that an input, output or result of a state may have." default:"262144" env:"IAP_PAYLOAD_LIMIT" placeholder:"N"`
	HistoryLimit int           `help:"Events that an execution's history may have." default:"25000" env:"IAP_HISTORY_LIMIT" placeholder:"N"`
	LogLevel     string        `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"IAP_LOG_LEVEL"`
	LogFormat    string        `help:"text or json." enum:"text,json" default:"text" env:"IAP_LOG_FORMAT"`

	// Login is the section "login" of the file; no flag holds it.
	Login auth.Login `kong:"-"`
	// Tasks is the section "tasks" of the file.
	Tasks task.Settings `kong:"-"`
	// Events is the section "events" of the file.
	Events event.Settings `kong:"-"`
}

type serveCmd struct {
	Config configFile `help:"YAML file with any of these flags by name, and login.people." env:"IAP_CONFIG" placeholder:"FILE" complete:"file"`
	ServeFlags
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// Validate is called by kong after all sources were read.
func (c *serveCmd) Validate() error {
	if c.ParallelJobs < 1 || c.ParallelJobs > 1000 {
		return exitf(codeUsage, "--parallel-jobs: %d is not between 1 and 1000", c.ParallelJobs)
	}
	if c.PayloadLimit < 262_144 || c.PayloadLimit > 64<<20 {
		return exitf(codeUsage, "--payload-limit: %d is not between 262144 and %d", c.PayloadLimit, 64<<20)
	}
	if c.HistoryLimit < 25_000 || c.HistoryLimit > 10_000_000 {
		return exitf(codeUsage, "--history-limit: %d is not between 25000 and 10000000", c.HistoryLimit)
	}
	if c.LimitPerson < 0 || c.LimitPortal < 0 {
		return exitf(codeUsage, "--limit-person and --limit-portal: want a number of instances, or 0")
	}
	if !currencyForm.MatchString(c.Currency) {
		return exitf(codeUsage, "--currency: %q is no code of three letters, such as EUR", c.Currency)
	}
	for name, n := range map[string]float64{"price-memory": c.PriceMemory, "price-cpu": c.PriceCPU, "watts-memory": c.WattsMemory, "watts-cpu": c.WattsCPU} {
		if !(n >= 0 && n <= 10_000) {
			return exitf(codeUsage, "--%s: %v is not between 0 and 10000", name, n)
		}
	}
	if c.LeakGrace < time.Minute || c.LeakGrace > 30*24*time.Hour {
		return exitf(codeUsage, "--leak-grace: %s is not between 1m and 720h", c.LeakGrace)
	}
	if c.KeepMost < 10*time.Minute || c.KeepMost > 30*24*time.Hour {
		return exitf(codeUsage, "--keep-most: %s is not between 10m and 720h", c.KeepMost)
	}
	if c.BookingMost < 10*time.Minute || c.BookingMost > 30*24*time.Hour {
		return exitf(codeUsage, "--booking-most: %s is not between 10m and 720h", c.BookingMost)
	}
	if c.BookingLead != 0 && (c.BookingLead < time.Second || c.BookingLead > 24*time.Hour) {
		return exitf(codeUsage, "--booking-lead: %s is not between 1s and 24h", c.BookingLead)
	}
	return nil
}

func (c *serveCmd) Run(r *run) error {
	if r.hooks.Serve == nil {
		return errors.New("this program contains no portal")
	}
	if err := auth.CheckServe(c.Dev, c.Login.People); err != nil {
		return err
	}
	if err := auth.CheckPeople(c.Login.People); err != nil {
		return err
	}
	if c.Dev && c.AppsDomain == "" {
		c.AppsDomain = "localhost"
	}
	err := r.hooks.Serve(r.ctx, c.ServeFlags)
	if errors.Is(err, context.Canceled) && r.ctx.Err() != nil {
		return nil // it was asked to stop, and did
	}
	return err
}
