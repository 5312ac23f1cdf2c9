package local

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/internal-app-portal/iap/job"
)

// folder is the folder of one job.
type folder string

// The files of a job's folder.
const (
	specFile      = "spec.json"             // plan; removed at the end
	lockFile      = "lock"                  // flock: held while the supervisor lives
	pidFile       = "pid"                   // process: the supervisor
	toolFile      = "tool"                  // process: tofu, the leader of its group
	providerFile  = "provider"              // warm: the job's own provider; removed at the end
	cancelFile    = "cancel"                // there when the job is to stop
	stepsFile     = "steps.json"            // []job.Step
	resultFile    = "result.json"           // job.Result
	logFileName   = "log"                   // what people read
	outputFile    = "supervisor.log"        // what the supervisor prints: panics
	variablesFile = "terraform.tfvars.json" // removed at the end
	workFolder    = "work"                  // where tofu runs; removed at the end
	homeFolder    = "home"                  // its HOME; removed at the end
	spareFile     = "spare.json"            // plan without a job: of a spare supervisor
)

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

func (f folder) has(name string) bool {
	_, err := os.Stat(f.path(name))
	return err == nil
}

// known reports whether the job was ever given to a Runner.
func (f folder) known() bool {
	return f.has(pidFile) || f.has(specFile) || f.has(resultFile)
}

// lock takes the folder's lock; ok is false when another has it.
func (f folder) lock() (file *os.File, ok bool, err error) {
	file, err = os.OpenFile(f.path(lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	switch err := flock(file, unix.LOCK_EX|unix.LOCK_NB); {
	case err == nil:
		return file, true, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		file.Close()
		return nil, false, nil
	default:
		file.Close()
		return nil, false, err
	}
}

// held reports whether the supervisor lives.
func (f folder) held() bool {
	file, err := os.OpenFile(f.path(lockFile), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	return errors.Is(flock(file, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// flock is the system call, again when a signal interrupted it.
func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// result returns the job's result; ok is false when there is none yet.
func (f folder) result() (res job.Result, ok bool, err error) {
	ok, err = readJSON(f.path(resultFile), &res)
	return res, ok, err
}

// readJSON reads a file; ok is false when it is not there.
func readJSON(path string, v any) (ok bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal(b, v)
}

// writeJSON puts a file in place whole, readable by its owner alone. With
// lasting its content is on the disk before its name is.
func writeJSON(path string, v any, lasting bool) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFile(path, b, lasting)
}

func writeFile(path string, b []byte, lasting bool) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b)
	if err == nil && lasting {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	return err
}

// process is a process that is still the same one: process IDs are used again,
// pairs of an ID and a time of start are not.
type process struct {
	PID   int    `json:"pid"`
	Start string `json:"start"` // field 22 of /proc/PID/stat (proc(5)); empty where there is no /proc
}

// processOf describes a living process.
func processOf(pid int) process { return process{PID: pid, Start: startOf(pid)} }

// alive reports whether p is there and has not ended.
func (p process) alive() bool {
	if p.PID <= 0 || unix.Kill(p.PID, 0) == unix.ESRCH {
		return false
	}
	return p.Start == startOf(p.PID) && stateOf(p.PID) != "Z"
}

// stat returns the fields of /proc/PID/stat from the third, the state, on.
func stat(pid int) []string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	s := string(b)
	return strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
}

func startOf(pid int) string {
	if f := stat(pid); len(f) > 19 {
		return f[19]
	}
	return ""
}

func stateOf(pid int) string {
	if f := stat(pid); len(f) > 0 {
		return f[0]
	}
	return ""
}

// membersOf returns the processes of a group, none where there is no /proc.
func membersOf(group int) []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if f := stat(pid); len(f) > 19 && f[2] == strconv.Itoa(group) && f[0] != "Z" {
			out = append(out, process{PID: pid, Start: f[19]})
		}
	}
	return out
}

// plan is what a supervisor is told.
type plan struct {
	Spec      job.Spec `json:"spec"`
	Binary    string   `json:"binary"`
	CLIConfig string   `json:"cli_config,omitempty"`
	Bundle    string   `json:"bundle"` // the bundle's folder
	Path      string   `json:"path"`   // PATH
	Docker    string   `json:"docker,omitempty"`
	Reattach  string   `json:"reattach,omitempty"` // TF_REATTACH_PROVIDERS
	// Inherited is what of the portal's environment tofu gets, beside the above.
	Inherited map[string]string `json:"inherited,omitempty"`
}

// inheritable are the variables that say how the network is reached.
var inheritable = [...]string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION", "LANG"}

func inherited() map[string]string {
	out := map[string]string{}
	for _, name := range inheritable {
		if v, ok := os.LookupEnv(name); ok {
			out[name] = v
		}
	}
	return out
}

const (
	defaultTimeout = 15 * time.Minute
	defaultGrace   = 30 * time.Second
)
