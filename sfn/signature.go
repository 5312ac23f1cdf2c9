package sfn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// Signature Version 4, for requests without a query
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
	// maxSkew is how far the clocks of client and portal may be apart; a request
	// that somebody has recorded is worth nothing after that.
	maxSkew = 5 * time.Minute
)

// signature is what the headers of a request say of its signature.
type signature struct {
	secret  string
	scope   []string // date, region, service, aws4_request
	headers []string // names, lower case, in order
	time    string
	sum     []byte
}

func unsigned(code, message string) *exception {
	return &exception{Status: http.StatusForbidden, Code: code, Message: message}
}

// signer reads who signed a request, before its body is read.
func (h *Handler) signer(r *http.Request) (*signature, iap.Actor, error) {
	auth := r.Header.Values("Authorization")
	if len(auth) == 0 || r.URL.RawQuery != "" {
		return nil, iap.Actor{}, unsigned("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	fields, ok := strings.CutPrefix(auth[0], algorithm+" ")
	if !ok || len(auth) > 1 || len(auth[0]) > 4096 {
		return nil, iap.Actor{}, incomplete("Authorization header must be one of " + algorithm)
	}
	s := &signature{time: r.Header.Get("X-Amz-Date")}
	var id string
	for field := range strings.SplitSeq(fields, ",") {
		key, v, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch key {
		case "Credential":
			p := strings.Split(v, "/")
			if len(p) != 5 {
				return nil, iap.Actor{}, incomplete("Credential must be KEY/DATE/REGION/states/aws4_request")
			}
			id, s.scope = p[0], p[1:]
		case "SignedHeaders":
			s.headers = strings.Split(v, ";")
		case "Signature":
			s.sum, _ = hex.DecodeString(v)
		}
	}
	if err := s.complete(r); err != nil {
		return nil, iap.Actor{}, err
	}
	if err := s.fresh(h.Now()); err != nil {
		return nil, iap.Actor{}, err
	}
	secret, who, ok := h.Keys.AccessKey(id)
	if !ok {
		return nil, iap.Actor{}, unsigned("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	s.secret = secret
	return s, who, nil
}

func incomplete(message string) error {
	return unsigned("IncompleteSignatureException", message)
}

// complete checks that all is there and that all which matters is signed.
func (s *signature) complete(r *http.Request) error {
	switch {
	case s.scope == nil || s.headers == nil || len(s.sum) != sha256.Size:
		return incomplete("Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters")
	case s.scope[2] != "states" || s.scope[3] != "aws4_request":
		return unsigned("InvalidSignatureException", "Credential should be scoped to correct service: 'states'.")
	case len(r.Header.Values("X-Amz-Date")) != 1:
		return incomplete("Authorization header requires existence of 'X-Amz-Date'")
	case !slices.Contains(s.headers, "host") || !slices.IsSorted(s.headers) || len(s.headers) > 100:
		return incomplete("'Host' must be a 'SignedHeader', and they must be in order")
	}
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.headers, name) {
			return incomplete("'" + name + "' must be a 'SignedHeader'")
		}
	}
	return nil
}

// fresh checks the time of the signature.
func (s *signature) fresh(now time.Time) error {
	at, err := time.Parse(timeFormat, s.time)
	if err != nil || !strings.HasPrefix(s.time, s.scope[0]+"T") {
		return unsigned("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from the ISO-8601 version of date from HTTP")
	}
	stamp := now.UTC().Format(timeFormat)
	switch {
	case at.Before(now.Add(-maxSkew)):
		return unsigned("InvalidSignatureException", "Signature expired: "+s.time+" is now earlier than "+
			now.UTC().Add(-maxSkew).Format(timeFormat)+" ("+stamp+" - 5 min.)")
	case at.After(now.Add(maxSkew)):
		return unsigned("InvalidSignatureException", "Signature not yet current: "+s.time+" is still later than "+
			now.UTC().Add(maxSkew).Format(timeFormat)+" ("+stamp+" + 5 min.)")
	}
	return nil
}

// check compares the signature with what it should be.
func (s *signature) check(r *http.Request, body []byte) error {
	digest := sha256.Sum256(body)
	payload := hex.EncodeToString(digest[:])
	if given := r.Header.Get("X-Amz-Content-Sha256"); given != "" && given != payload {
		return unsigned("InvalidSignatureException", "The X-Amz-Content-Sha256 header does not match the body.")
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r) + "\n\n")
	for _, name := range s.headers {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + payload)
	canonical := sha256.Sum256([]byte(b.String()))
	text := strings.Join([]string{algorithm, s.time, strings.Join(s.scope, "/"), hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("AWS4" + s.secret)
	for _, part := range append(s.scope[:len(s.scope):len(s.scope)], text) {
		key = mac(key, part)
	}
	if !hmac.Equal(key, s.sum) {
		return unsigned("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonicalPath is the path as it is signed. Those under which the protocol is
// spoken have no character that would be escaped.
func canonicalPath(r *http.Request) string { return r.URL.EscapedPath() }

// headerValue is the value of a header as it is signed.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := r.Header.Values(name)
	clean := make([]string, len(values))
	for i, v := range values {
		clean[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(clean, ",")
}
