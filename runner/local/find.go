package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/internal-app-portal/iap"
)

// toolCache is where make setup puts what it builds.
const toolCache = ".cache"

// Terraform is an OpenTofu or Terraform that was found.
type Terraform struct {
	Path    string
	Name    string // "OpenTofu" or "Terraform"
	Version string // as in "1.12.6"
}

// FindTerraform returns the tofu, else the terraform, that the portal uses: each
// is looked for on the PATH, then in .cache/bin of the working directory. The
// error is Unavailable and says what to install.
func FindTerraform(ctx context.Context) (Terraform, error) {
	path, err := lookTerraform()
	if err != nil {
		return Terraform{}, err
	}
	return DescribeTerraform(ctx, path)
}

// DescribeTerraform asks a binary which one it is; Unavailable when it does not
// answer or is older than 1.6.
func DescribeTerraform(ctx context.Context, path string) (Terraform, error) {
	const op = "local.FindTerraform"
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "version", "-json")
	cmd.Env = []string{"CHECKPOINT_DISABLE=1", "PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		return Terraform{}, iap.Errorf(op, iap.Unavailable, "%s does not run: %v", path, err)
	}
	var v struct {
		Version string `json:"terraform_version"` // both name it so
	}
	if err := json.Unmarshal(bytes.TrimSpace(out), &v); err != nil || v.Version == "" {
		return Terraform{}, iap.Errorf(op, iap.Unavailable, "%s does not tell its version; it must be OpenTofu or Terraform 1.6 or newer", path)
	}
	t := Terraform{Path: path, Name: "Terraform", Version: v.Version}
	if strings.Contains(filepath.Base(path), "tofu") {
		t.Name = "OpenTofu"
	}
	if !atLeast(v.Version, 1, 6) {
		return t, iap.Errorf(op, iap.Unavailable, "%s is %s %s; 1.6 or newer is needed", path, t.Name, t.Version)
	}
	return t, nil
}

func atLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	return errA == nil && errB == nil && (a > major || a == major && b >= minor)
}

func lookTerraform() (string, error) {
	for _, name := range []string{"tofu", "terraform"} {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
		if path, err := exec.LookPath(filepath.Join(toolCache, "bin", name)); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", iap.E("local.FindTerraform", iap.Unavailable, errors.New(
		"neither OpenTofu nor Terraform was found on the PATH; run \"make setup\" or install OpenTofu 1.6 or newer from https://opentofu.org/docs/intro/install/"))
}

// FindCLIConfig returns the CLI configuration file for OpenTofu or Terraform:
// the one that TF_CLI_CONFIG_FILE names when it is there, else
// .cache/terraform.rc of the working directory when that is there, else "".
func FindCLIConfig() string {
	for _, path := range []string{os.Getenv("TF_CLI_CONFIG_FILE"), filepath.Join(toolCache, "terraform.rc")} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if abs, err := filepath.Abs(path); err == nil {
			return abs
		}
	}
	return ""
}

// failed turns an error of the file system into one of the portal's.
func failed(op string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return iap.E(op, iap.Full, err)
	case errors.Is(err, fs.ErrNotExist):
		return iap.E(op, iap.NotFound, err)
	}
	return iap.E(op, iap.Internal, fmt.Errorf("%w", err))
}
