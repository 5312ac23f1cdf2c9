package hostname

import "slices"

// reserved are the labels that belong to the portal, to its operators' other
// servers, or to rules by which browsers and mail find their way.
var reserved = []string{
	"about", "abuse", "account", "accounts", "admin", "administrator", "api", "app", "apps", "assets", "auth",
	"autoconfig", "autodiscover", "blog", "broadcasthost", "callback", "catalog", "cdn", "cli", "config", "console",
	"dashboard", "dev", "dns", "docs", "events", "favicon", "ftp", "guest", "healthz", "help", "home", "hostmaster",
	"iap", "icon", "icons", "imap", "index", "instance", "instances", "internal", "isatap", "job", "jobs", "leaks",
	"local", "localdomain", "localhost", "login", "logout", "logs", "mail", "metrics", "mta-sts", "mx", "new", "none",
	"noreply", "ns", "ns1", "ns2", "null", "oauth", "oidc", "openapi", "ops", "pop", "portal", "postmaster",
	"private", "proxy", "public", "readyz", "register", "robots", "root", "security", "settings", "sftp", "signin",
	"signup", "smtp", "ssh", "sso", "static", "status", "stream", "support", "system", "test", "tfstate", "undefined",
	"usenet", "user", "users", "uucp", "vpn", "webhook", "webhooks", "webmail", "webmaster", "well-known", "workflow",
	"workflows", "wpad", "www", "www1", "www2",
}

// Reserved reports whether label is kept for the portal itself and can be
// neither an app's slug nor a host name.
func Reserved(label string) bool {
	_, found := slices.BinarySearch(reserved, label)
	return found
}
