package send_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
)

// letter is a message as a mail server has it.
type letter struct {
	from string
	to   []string
	text string
}

// postOffice is a mail server that wants a login where user is set.
type postOffice struct {
	user, password string
	got            chan letter
}

func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{p: p}, nil }

type session struct {
	p        *postOffice
	loggedIn bool
	letter
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.p.user || password != s.p.password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong password"}
		}
		s.loggedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.p.user != "" && !s.loggedIn {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "nobody@"):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	case strings.HasPrefix(to, "full@"):
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.text = string(b)
	s.p.got <- s.letter
	return err
}

func (s *session) Reset()        { s.letter = letter{} }
func (s *session) Logout() error { return nil }

// openOffice starts a mail server and says how it is reached.
func openOffice(t *testing.T, p *postOffice, way string) event.MailServer {
	t.Helper()
	p.got = make(chan letter, 10)
	pair, ca := certificate(t)
	s := smtp.NewServer(p)
	s.Domain, s.TLSConfig = "localhost", &tls.Config{Certificates: []tls.Certificate{pair}}
	if way == event.MailPlain {
		s.TLSConfig = nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if way == event.MailTLS {
		l = tls.NewListener(l, s.TLSConfig)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return event.MailServer{Server: address, TLS: way, CA: ca, User: p.user, Password: p.password, From: "Portal <portal@example.com>"}
}

// certificate is one for 127.0.0.1 that signs itself, and its file.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func newMail(t *testing.T, s event.MailServer) *send.Mail {
	t.Helper()
	m, err := send.NewMail(s, "https://portal.example.com", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var toAnn = target(delivery.Mail, delivery.Settings{To: []string{"Ann <ann@example.com>", "bob@example.com"}, Title: "data.app + ' — schade'"})

func TestWritesMail(t *testing.T) {
	for _, way := range []string{event.MailStartTLS, event.MailTLS} {
		p := &postOffice{user: "portal", password: "correct horse"}
		m := newMail(t, openOffice(t, p, way))
		if r := m.Send(t.Context(), toAnn, message()); r.Err != "" {
			t.Fatalf("%s: %s", way, r.Err)
		}
		isLetter(t, <-p.got)
	}
	p := &postOffice{}
	if r := newMail(t, openOffice(t, p, event.MailPlain)).Send(t.Context(), toAnn, message()); r.Err != "" {
		t.Fatal(r.Err)
	}
	isLetter(t, <-p.got)
}

func isLetter(t *testing.T, l letter) {
	t.Helper()
	if l.from != "portal@example.com" || len(l.to) != 2 || l.to[0] != "ann@example.com" {
		t.Errorf("it is from %s to %v", l.from, l.to)
	}
	m, err := mail.ReadMessage(strings.NewReader(l.text))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "todo — schade" {
		t.Errorf("its subject is %q, %v", subject, err)
	}
	id := "<" + message().ID + ".t@example.com>"
	if h := m.Header; h.Get("Message-Id") != id || h.Get("From") != `"Portal" <portal@example.com>` || h.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("its headers are %v", h)
	}
	for _, line := range []string{"reason: <b>*no* image & more\r\n", "status: deploy_failed\r\n", "https://portal.example.com/instances/i\r\n", "event 7, iap.instance.changed"} {
		if !strings.Contains(l.text, line) {
			t.Errorf("it lacks %q:\n%s", line, l.text)
		}
	}
}

func TestMailServerRefuses(t *testing.T) {
	p := &postOffice{user: "portal", password: "correct horse"}
	server := openOffice(t, p, event.MailStartTLS)
	wrong, untrusted, plain := server, server, server
	wrong.Password, untrusted.CA = "guess", ""
	plain.TLS, plain.User, plain.Password = event.MailPlain, "", ""
	for name, x := range map[string]struct {
		server event.MailServer
		to     string
		final  bool
		says   string
	}{
		"no mailbox":     {server, "nobody@example.com", true, "no such mailbox"},
		"full mailbox":   {server, "full@example.com", false, "mailbox full"},
		"wrong password": {wrong, "ann@example.com", false, "wrong password"},
		"no trust":       {untrusted, "ann@example.com", false, "certificate"},
		"no login":       {plain, "ann@example.com", false, "authenticate"},
	} {
		r := newMail(t, x.server).Send(t.Context(), target(delivery.Mail, delivery.Settings{To: []string{x.to}}), message())
		if r.Err == "" || r.Final != x.final || !strings.Contains(r.Err, x.says) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestWrongMailServer(t *testing.T) {
	good := event.MailServer{Server: "smtp.example.com", From: "portal@example.com"}
	for field, change := range map[string]func(*event.MailServer){
		"events.mail.server": func(s *event.MailServer) { s.Server = "smtp.example.com:no" },
		"events.mail.tls":    func(s *event.MailServer) { s.TLS = "ssl" },
		"events.mail.from":   func(s *event.MailServer) { s.From = "portal" },
		"events.mail.user":   func(s *event.MailServer) { s.User = "portal" },
		"events.mail.ca":     func(s *event.MailServer) { s.CA = "/nowhere" },
	} {
		s := good
		change(&s)
		_, err := send.NewMail(s, "", time.Now)
		var e *iap.Error
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	none := newMail(t, event.MailServer{})
	if err := none.Check(toAnn); err == nil || !strings.Contains(err.Error(), "events.mail") {
		t.Errorf("without a server: %v", err)
	}
	if err := newMail(t, good).Check(target(delivery.Mail, delivery.Settings{To: []string{"ann"}})); err == nil {
		t.Error("an address without a host was taken")
	}
}
