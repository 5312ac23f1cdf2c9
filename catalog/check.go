package catalog

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/distribution/reference"

	"github.com/internal-app-portal/iap/hostname"
)

var (
	slugForm        = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$`)
	environmentForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	tagForm         = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$`)
	iconFileForm    = regexp.MustCompile(`(?i)\.[a-z0-9]{2,5}$`)
)

// check judges every field of m.
func (m *Manifest) check(p *problems) {
	checkSlug(p, m.Slug)
	checkText(p, "name", m.Name, 60, true)
	checkText(p, "description", m.Description, 140, false)
	checkIcon(p, m.Icon)
	checkImage(p, m.Image)
	between(p, "port", float64(m.Port), 1, 65535)
	m.checkHealth(p)
	m.checkLimits(p)
	if m.Instances != 0 {
		between(p, "instances", float64(m.Instances), 1, 10_000)
	}
	if m.PricePerHour != nil {
		between(p, "price_per_hour", *m.PricePerHour, 0, 10_000)
	}
	if m.Watts != nil {
		between(p, "watts", *m.Watts, 0, 100_000)
	}
	m.checkParameters(p)
	m.checkEnvironment(p)
	m.checkTags(p)
	m.checkBundle(p)
}

// missing notes a required field that is empty.
func missing(p *problems, field string, empty bool, want string) bool {
	if empty && !p.has(field) {
		p.add(field, "is missing; %s", want)
	}
	return empty || p.has(field)
}

func checkSlug(p *problems, slug string) {
	const want = "want a lower-case letter, then at most 29 letters, digits and single dashes, like todo or white-board"
	switch {
	case missing(p, "slug", slug == "", want):
	case strings.HasPrefix(slug, "xn--"):
		p.add("slug", "%q is a coded international name; %s", shorten(slug), want)
	case !slugForm.MatchString(slug) || strings.Contains(slug, "--"):
		p.add("slug", "%q is not possible; %s", shorten(slug), want)
	case hostname.Reserved(slug):
		p.add("slug", "%q is a name that the portal keeps for itself; choose another", slug)
	}
}

// checkText judges a single line for people.
func checkText(p *problems, field, text string, most int, required bool) {
	blank := strings.TrimSpace(text) == ""
	switch {
	case p.has(field) || blank && !required && text == "":
	case blank:
		missing(p, field, true, fmt.Sprintf("want 1 to %d characters", most))
	case strings.TrimFunc(text, isLine) != "" || strings.IndexFunc(text, func(r rune) bool { return !isLine(r) }) >= 0:
		p.add(field, "has line breaks or characters that cannot be shown; want one line")
	case utf8.RuneCountInString(text) > most:
		p.add(field, "has %d characters; want at most %d", utf8.RuneCountInString(text), most)
	}
}

// isLine reports whether r can be part of a line that is shown. Joiners and
// variation selectors are parts of emoji; marks that turn the direction of
// writing are not wanted.
func isLine(r rune) bool {
	return r != utf8.RuneError && (unicode.IsGraphic(r) && r != '\u2028' && r != '\u2029' || r == '\u200d')
}

// IconFile reports whether a manifest's icon is the name of a file.
func IconFile(icon string) bool { return iconFileForm.MatchString(icon) }

func checkIcon(p *problems, icon string) {
	switch {
	case icon == "" || p.has("icon"):
	case IconFile(icon):
		ext := strings.ToLower(path.Ext(icon))
		if !slices.Contains([]string{".svg", ".png", ".jpg", ".jpeg", ".webp"}, ext) {
			p.add("icon", "%q is no kind of picture for an icon; want .svg, .png, .jpg or .webp", shorten(icon))
		} else if !inside(icon) {
			p.add("icon", "%q is not in the app's folder; want a file beside iap.yaml", shorten(icon))
		}
	case utf8.RuneCountInString(icon) > 8:
		p.add("icon", "%q is too long; want an emoji, or a picture's file name", shorten(icon))
	default:
		checkText(p, "icon", icon, 8, false)
	}
}

// inside reports whether a path stays within the folder it starts in.
func inside(name string) bool {
	return name != "" && len(name) <= 200 && !strings.ContainsAny(name, "\\:\x00") && name[0] != '/' && name[0] != '-' &&
		path.Clean(name) == strings.TrimSuffix(name, "/") && name != ".." && !strings.HasPrefix(name, "../")
}

// CheckImage says what is wrong with a reference to an image; empty when it is
// right. The grammar is that of github.com/distribution/reference.
func CheckImage(image string) string {
	const want = "want a reference like registry.example.com/team/todo:1.2"
	switch {
	case len(image) > 255:
		return fmt.Sprintf("has %d characters; want at most 255", len(image))
	case strings.HasPrefix(image, "-") || strings.ContainsFunc(image, unicode.IsSpace):
		return fmt.Sprintf("%q has flags or spaces; %s", shorten(image), want)
	}
	if _, err := reference.ParseNormalizedNamed(image); err != nil {
		if _, lower := reference.ParseNormalizedNamed(strings.ToLower(image)); lower == nil {
			return fmt.Sprintf("%q has capital letters in the name; want %q", shorten(image), shorten(strings.ToLower(image)))
		}
		return fmt.Sprintf("%q is no image; %s", shorten(image), want)
	}
	return ""
}

func checkImage(p *problems, image string) {
	if missing(p, "image", image == "", "want a reference like registry.example.com/team/todo:1.2") {
		return
	}
	if reason := CheckImage(image); reason != "" {
		p.add("image", "%s", reason)
	}
}

func (m *Manifest) checkHealth(p *problems) {
	const field = "health.path"
	if !p.has(field) {
		_, err := url.ParseRequestURI(m.Health.Path)
		switch plain := strings.IndexFunc(m.Health.Path, func(r rune) bool { return r <= ' ' || r > '~' }) < 0; {
		case !strings.HasPrefix(m.Health.Path, "/") || strings.HasPrefix(m.Health.Path, "//"):
			p.add(field, "%q does not begin with a single /; want a path like /healthz", shorten(m.Health.Path))
		case err != nil || !plain || len(m.Health.Path) > 200 || strings.Contains(m.Health.Path, "#"):
			p.add(field, "%q is no path; want one like /healthz", shorten(m.Health.Path))
		}
	}
	within(p, "health.deadline", m.Health.Deadline, Duration(time.Second), Duration(time.Hour))
}

func (m *Manifest) checkLimits(p *problems) {
	if low, high := Memory(6<<20), Memory(64<<30); !p.has("limits.memory") && (m.Limits.Memory < low || m.Limits.Memory > high) {
		p.add("limits.memory", "%s is not possible; want %s to %s", m.Limits.Memory, low, high)
	}
	between(p, "limits.cpus", m.Limits.CPUs, 0.01, 64)
	between(p, "limits.pids", float64(m.Limits.PIDs), 1, 32768)
	within(p, "time_limit", m.TimeLimit, Duration(time.Minute), Duration(7*24*time.Hour))
	switch most := Duration(7 * 24 * time.Hour); {
	case p.has("time_limit") || p.has("time_limit_most"):
	case m.TimeLimitMost < m.TimeLimit:
		p.add("time_limit_most", "%s is shorter than time_limit, which is %s", m.TimeLimitMost, m.TimeLimit)
	default:
		within(p, "time_limit_most", m.TimeLimitMost, m.TimeLimit, most)
	}
	if m.IdleLimit != 0 {
		within(p, "idle_limit", m.IdleLimit, Duration(time.Minute), Duration(7*24*time.Hour))
	}
}

func between(p *problems, field string, n, low, high float64) {
	if !p.has(field) && !(n >= low && n <= high) {
		p.add(field, "%v is not possible; want %v to %v", n, low, high)
	}
}

func within(p *problems, field string, d, low, high Duration) {
	if !p.has(field) && (d < low || d > high) {
		p.add(field, "%s is not possible; want %s to %s", d, low, high)
	}
}

func (m *Manifest) checkEnvironment(p *problems) {
	if len(m.Environment) > 200 {
		p.add("environment", "has %d entries; want at most 200", len(m.Environment))
	}
	var parameters []string
	for _, param := range m.Parameters {
		parameters = append(parameters, param.Name)
	}
	for name, value := range m.Environment {
		field := join("environment", name)
		if !environmentForm.MatchString(name) || len(name) > 100 {
			p.add(field, "%q is no name of a variable; want letters, digits and _, not beginning with a digit", shorten(name))
		}
		if len(value) > 32<<10 || strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
			p.add(field, "is longer than 32 KiB or has characters that are not possible in the environment")
		}
		_, err := expand(value, func(name string) (string, error) {
			if slices.Contains(parameters, name) {
				return "", nil
			}
			return "", fmt.Errorf("there is no parameter %q%s", shorten(name), didYouMean(name, parameters))
		})
		if err != nil {
			p.add(field, "%v", err)
		}
	}
}

func (m *Manifest) checkTags(p *problems) {
	if len(m.Tags) > 20 {
		p.add("tags", "has %d entries; want at most 20", len(m.Tags))
	}
	for i, tag := range m.Tags {
		field := fmt.Sprintf("tags[%d]", i)
		switch {
		case p.has(field):
		case !tagForm.MatchString(tag):
			p.add(field, "%q is no tag; want at most 30 lower-case letters, digits and dashes", shorten(tag))
		case slices.Contains(m.Tags[:i], tag):
			p.add(field, "%q is there twice", tag)
		}
	}
}

func (m *Manifest) checkBundle(p *problems) {
	switch {
	case m.Network == "" || p.has("network"):
	case m.Network != NetworkPortal && m.Network != NetworkBundle:
		p.add("network", "%q is not possible; want %s or %s", shorten(m.Network), NetworkBundle, NetworkPortal)
	case m.Bundle == "":
		p.add("network", "is for an app with a bundle; without one the portal makes it anyway; leave it out")
	}
	if m.Bundle != "" && !p.has("bundle") && (!inside(m.Bundle) || path.Clean(m.Bundle) == ".") {
		p.add("bundle", "%q is not a folder beside iap.yaml; want one like bundle", shorten(m.Bundle))
	}
}
