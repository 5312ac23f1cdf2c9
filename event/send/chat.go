package send

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/event/delivery"
)

// Chat posts messages for people to a channel of Slack or Microsoft Teams.
type Chat struct {
	Clients *Clients
	Portal  string // address of the portal, for links
	Now     func() time.Time
}

// Check implements delivery.Sender.
func (c *Chat) Check(t delivery.Target) error {
	if _, err := checkURL(t.Settings.URL, "http", "https"); err != nil {
		return err
	}
	_, err := guard(t)
	return err
}

// Send implements delivery.Sender.
func (c *Chat) Send(ctx context.Context, t delivery.Target, m delivery.Message) delivery.Result {
	n, err := newNote(c.Portal, t, m.Event)
	if err != nil {
		return final(err)
	}
	shape := slackMessage(n)
	if chatFormat(t.Settings) == delivery.FormatTeams {
		shape = teamsMessage(n)
	}
	body, err := json.Marshal(shape)
	if err != nil {
		return final(err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"iap"}}
	return c.Clients.post(ctx, t, header, body, c.Now())
}

// chatFormat is the format that a target has, or that the host of its URL asks
// for: workflows of Teams are answered by hosts of Azure Logic Apps and Power
// Automate.
func chatFormat(s delivery.Settings) string {
	if s.Format != "" {
		return s.Format
	}
	if u, err := url.Parse(s.URL); err == nil {
		for _, end := range []string{".logic.azure.com", ".powerplatform.com", ".powerautomate.com", ".office.com"} {
			if strings.HasSuffix(u.Hostname(), end) {
				return delivery.FormatTeams
			}
		}
	}
	return delivery.FormatSlack
}

type object map[string]any

// slackMessage is a message of an incoming webhook of Slack, with blocks and, for
// notifications and old clients, as a text.
func slackMessage(n note) object {
	about := slackText(n.About)
	if n.Link != "" {
		about += " · <" + n.Link + "|Open in the portal>"
	}
	blocks := []object{{"type": "header", "text": object{"type": "plain_text", "text": n.Title}}}
	if text := n.lines(); text != "" {
		blocks = append(blocks, object{"type": "section", "text": object{"type": "mrkdwn", "text": slackText(text)}})
	}
	blocks = append(blocks, object{"type": "context", "elements": []object{{"type": "mrkdwn", "text": about}}})
	return object{"text": slackText(n.Title), "blocks": blocks}
}

// slackText takes the meaning from the three characters that have one.
func slackText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// teamsMessage is a message with one Adaptive Card, as a workflow of Teams takes it
// ("When a Teams webhook request is received").
func teamsMessage(n note) object {
	body := []object{{"type": "TextBlock", "text": teamsText(n.Title), "size": "Medium", "weight": "Bolder", "wrap": true}}
	if n.Text != "" {
		body = append(body, object{"type": "TextBlock", "text": teamsText(n.Text), "wrap": true})
	} else if len(n.Facts) > 0 {
		var facts []object
		for _, f := range n.Facts {
			facts = append(facts, object{"title": f[0], "value": teamsText(f[1])})
		}
		body = append(body, object{"type": "FactSet", "facts": facts})
	}
	body = append(body, object{"type": "TextBlock", "text": teamsText(n.About), "isSubtle": true, "size": "Small", "wrap": true})
	card := object{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	if n.Link != "" {
		card["actions"] = []object{{"type": "Action.OpenUrl", "title": "Open in the portal", "url": n.Link}}
	}
	return object{"type": "message", "attachments": []object{{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}}}
}

// teamsText takes the meaning from the marks of Markdown, of which a card knows
// some; a line break there is an empty line.
func teamsText(s string) string {
	s = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "`", "\\`").Replace(s)
	return strings.ReplaceAll(s, "\n", "\n\n")
}
