package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

// Mail writes e-mail by one SMTP server.
type Mail struct {
	server  event.MailServer
	host    string
	options []gomail.Option
	portal  string
	now     func() time.Time
}

// maxAddresses is how many people a target of kind mail may have.
const maxAddresses = 50

// NewMail returns a sender of e-mail by a server; portal is the portal's own
// address, for links. Where no server is set, targets of kind mail are refused.
// Errors are Invalid and name the setting.
func NewMail(server event.MailServer, portal string, now func() time.Time) (*Mail, error) {
	m := &Mail{server: server, portal: portal, now: now}
	if server == (event.MailServer{}) {
		return m, nil
	}
	return m, errors.Join(m.checkFrom(), m.connection())
}

func (m *Mail) checkFrom() error {
	if _, err := mail.ParseAddress(m.server.From); err != nil {
		return iap.FieldErrorf("send.NewMail", "events.mail.from", "%.200q is not an address such as portal@example.com", m.server.From)
	}
	return nil
}

// connection sets how the server is spoken to.
func (m *Mail) connection() error {
	const op = "send.NewMail"
	s := m.server
	ports := map[string]int{"": 587, event.MailStartTLS: 587, event.MailTLS: 465, event.MailPlain: 25}
	port, ok := ports[s.TLS]
	if !ok {
		return iap.FieldErrorf(op, "events.mail.tls", "%.40q is none of starttls, tls, none", s.TLS)
	}
	m.host = s.Server
	if host, text, err := net.SplitHostPort(s.Server); err == nil {
		if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
			return iap.FieldErrorf(op, "events.mail.server", "%.200q has no port between 1 and 65535", s.Server)
		}
		m.host = host
	}
	switch {
	case m.host == "" || strings.ContainsAny(m.host, " /@"):
		return iap.FieldErrorf(op, "events.mail.server", "%.200q is not a host such as smtp.example.com:587", s.Server)
	case (s.User == "") != (s.Password == ""):
		return iap.FieldErrorf(op, "events.mail.user", "user and password belong together; give both or none")
	case s.User != "" && s.TLS == event.MailPlain:
		return iap.FieldErrorf(op, "events.mail.tls", "without TLS no password is sent; leave out user and password, or use starttls or tls")
	}
	roots, err := rootsOf(s.CA)
	if err != nil {
		return err
	}
	m.options = []gomail.Option{gomail.WithPort(port), gomail.WithTLSConfig(&tls.Config{ServerName: m.host, RootCAs: roots, MinVersion: tls.VersionTLS12}),
		gomail.WithoutNoop()}
	switch s.TLS {
	case event.MailTLS:
		m.options = append(m.options, gomail.WithSSL())
	case event.MailPlain:
		m.options = append(m.options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		m.options = append(m.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.User != "" {
		m.options = append(m.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return nil
}

// rootsOf reads trusted certificates; nil are those of the system.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, iap.FieldErrorf("send.NewMail", "events.mail.ca", "%v", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, iap.FieldErrorf("send.NewMail", "events.mail.ca", "%s holds no certificate in PEM", file)
	}
	return roots, nil
}

// Check implements delivery.Sender.
func (m *Mail) Check(t delivery.Target) error {
	const op = "send.Check"
	switch {
	case m.server.Server == "":
		return iap.FieldErrorf(op, "kind", "this portal has no mail server; the operator sets one as events.mail in its configuration")
	case len(t.Settings.To) > maxAddresses:
		return iap.FieldErrorf(op, "to", "there are %d addresses; at most %d are allowed", len(t.Settings.To), maxAddresses)
	}
	for _, to := range t.Settings.To {
		if _, err := mail.ParseAddress(to); err != nil {
			return iap.FieldErrorf(op, "to", "%.200q is not an address such as ann@example.com", to)
		}
	}
	return nil
}

// Send implements delivery.Sender. What the server refuses for good is not tried
// again.
func (m *Mail) Send(ctx context.Context, t delivery.Target, msg delivery.Message) delivery.Result {
	if err := m.Check(t); err != nil {
		return final(err)
	}
	n, err := newNote(m.portal, t, msg.Event)
	if err != nil {
		return final(err)
	}
	letter, err := m.letter(t, msg, n)
	if err != nil {
		return final(err)
	}
	client, err := gomail.NewClient(m.host, append([]gomail.Option{gomail.WithTimeout(t.Timeout)}, m.options...)...)
	if err != nil {
		return final(err)
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return mailFailure(ctx, t, err)
	}
	return delivery.Result{Answer: letter.ServerResponse()}
}

// letter is the message. Its Message-ID is the same for every attempt, by which
// mail programs know a repeat, and another one for each target.
func (m *Mail) letter(t delivery.Target, msg delivery.Message, n note) (*gomail.Msg, error) {
	l := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(l.From(m.server.From), l.To(t.Settings.To...)); err != nil {
		return nil, err
	}
	l.Subject(n.Title)
	l.SetDateWithValue(m.now())
	l.SetMessageIDWithValue(msg.ID + "." + t.Name + "@" + domainOf(m.server.From))
	l.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nothing answers it by itself
	text := n.lines()
	if n.Link != "" {
		text += "\n\n" + n.Link
	}
	l.SetBodyString(gomail.TypeTextPlain, strings.TrimSpace(text)+"\n\n-- \n"+n.About+"\n"+m.portal+"\n")
	return l, nil
}

func domainOf(from string) string {
	if a, err := mail.ParseAddress(from); err == nil {
		return a.Address[strings.LastIndexByte(a.Address, '@')+1:]
	}
	return "localhost"
}

func mailFailure(ctx context.Context, t delivery.Target, err error) delivery.Result {
	var refused *gomail.SendError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return delivery.Result{Err: fmt.Sprintf("the mail server did not answer within %s", t.Timeout)}
	case errors.As(err, &refused):
		return delivery.Result{Code: refused.ErrorCode(), Err: "the mail server refused it: " + oneLine(refused.Error()),
			Final: !refused.IsTemp() && refused.ErrorCode() >= 500 && aboutLetter(refused.Reason)}
	}
	return delivery.Result{Err: "the mail server could not be used: " + oneLine(err.Error())}
}

// aboutLetter reports whether a refusal is of the addresses or the message: any
// other is of the portal, whose operator can do something about it.
func aboutLetter(r gomail.SendErrReason) bool {
	return r == gomail.ErrSMTPRcptTo || r == gomail.ErrSMTPData || r == gomail.ErrSMTPDataClose
}
