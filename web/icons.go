package web

import (
	"fmt"
	"html/template"
)

// iconPaths are drawn on a grid of 16 with a line of 1.6, in the text's colour.
var iconPaths = map[string]string{
	"queued":         `<circle cx="8" cy="8" r="6" stroke-dasharray="2.2 2.5"/>`,
	"deploying":      `<circle cx="8" cy="8" r="6" opacity=".35"/><path d="M8 2a6 6 0 0 1 6 6"/>`,
	"checking":       `<path d="M1.5 8h3l2-4.5 3 9 2-4.5h3"/>`,
	"running":        `<circle cx="8" cy="8" r="6"/><path d="m5.4 8.2 1.8 1.8 3.4-3.8"/>`,
	"destroying":     `<circle cx="8" cy="8" r="6" opacity=".35"/><path d="M8 14a6 6 0 0 1-6-6"/>`,
	"destroyed":      `<circle cx="8" cy="8" r="6"/><path d="M5.2 8h5.6"/>`,
	"deploy_failed":  `<path d="M8 2 14.5 13.5h-13z"/><path d="M8 6.5v3M8 11.6v.1"/>`,
	"destroy_failed": `<path d="M8 2 14.5 13.5h-13z"/><path d="M8 6.5v3M8 11.6v.1"/>`,
	"pending":        `<circle cx="8" cy="8" r="6" stroke-dasharray="2.2 2.5"/>`,
	"active":         `<circle cx="8" cy="8" r="6" opacity=".35"/><path d="M8 2a6 6 0 0 1 6 6"/>`,
	"done":           `<circle cx="8" cy="8" r="6"/><path d="m5.4 8.2 1.8 1.8 3.4-3.8"/>`,
	"succeeded":      `<circle cx="8" cy="8" r="6"/><path d="m5.4 8.2 1.8 1.8 3.4-3.8"/>`,
	"failed":         `<path d="M8 2 14.5 13.5h-13z"/><path d="M8 6.5v3M8 11.6v.1"/>`,
	"timed_out":      `<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.2 1.6"/>`,
	"cancelled":      `<circle cx="8" cy="8" r="6"/><path d="m5.8 5.8 4.4 4.4M10.2 5.8l-4.4 4.4"/>`,
	"open":           `<path d="M6 3H3v10h10v-3M9 2.8h4.2V7M13 3 7.5 8.5"/>`,
	"copy":           `<rect x="5.5" y="5.5" width="8" height="8" rx="1.6"/><path d="M10.5 3.2V2.5h-8v8h.7"/>`,
	"search":         `<circle cx="7" cy="7" r="4.6"/><path d="m10.5 10.5 3.3 3.3"/>`,
	"sun":            `<circle cx="8" cy="8" r="3"/><path d="M8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M3.2 12.8l1.1-1.1M11.7 4.3l1.1-1.1"/>`,
	"down":           `<path d="M8 2.5v10M3.8 8.6 8 12.8l4.2-4.2"/>`,
	"download":       `<path d="M8 2v8M4.6 7 8 10.4 11.4 7M2.5 13.5h11"/>`,
	"clock":          `<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.2 1.6"/>`,
	"caught":         `<circle cx="8" cy="8" r="6"/><path d="M8 4.8v3.8M8 11v.1"/>`,
	"graph":          `<rect x="5" y="1.6" width="6" height="3.6" rx="1"/><rect x="1.4" y="10.8" width="5" height="3.6" rx="1"/><rect x="9.6" y="10.8" width="5" height="3.6" rx="1"/><path d="M8 5.2V8M4 10.8V8h8v2.8"/>`,
	"plus":           `<path d="M8 3v10M3 8h10"/>`,
	"minus":          `<path d="M3 8h10"/>`,
	"fit":            `<path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10"/>`,
	"close":          `<path d="m4 4 8 8M12 4l-8 8"/>`,
	"play":           `<path d="M5 3.2v9.6L12.6 8z"/>`,
	"mark":           `<rect x="2" y="2.5" width="12" height="3" rx="1"/><rect x="2" y="6.7" width="8.5" height="3" rx="1"/><rect x="2" y="10.9" width="5" height="3" rx="1"/>`,
}

// icon returns a drawing; an unknown name gives an empty one, so that the
// layout stays.
func icon(name any) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">` + iconPaths[fmt.Sprint(name)] + `</svg>`)
}
