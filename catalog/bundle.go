package catalog

import "io/fs"

// DefaultProviders are the Terraform providers that a bundle may use.
func DefaultProviders() []string {
	return []string{"kreuzwerker/docker", "hashicorp/random", "hashicorp/null", "terraform.io/builtin/terraform"}
}

// Pack makes the zip of a bundle's folder; the same files give the same bytes.
func Pack(dir fs.FS) ([]byte, error) { return nil, nil }

// CheckBundle returns an error for each thing that is wrong with the zip of a
// bundle whose app has the parameters: hostile paths, sizes and kinds of file,
// then what its Terraform files must not contain, with file and line.
// providers nil means DefaultProviders.
func CheckBundle(zip []byte, parameters []Parameter, providers []string) error { return nil }

// LoadDir reads an app's folder, or its iap.yaml, into an Upload: it packs the
// bundle's folder and reads the icon's file that the manifest names. It checks
// no more than that these can be read.
func LoadDir(path string) (Upload, error) { return Upload{}, nil }
