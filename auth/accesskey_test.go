package auth_test

import (
	"testing"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
)

// TestAccessKey: a key leads to its person, and nothing else does.
func TestAccessKey(t *testing.T) {
	key := auth.NewAccessKey()
	people := []auth.Person{{ID: jane().ID, Name: jane().Name, Role: iap.Admin, TokenSHA256: auth.HashToken(token),
		AccessKeys: []auth.AccessKey{key}}}
	a, _ := newAuth(t, func(c *auth.Config) { c.People = people })
	secret, who, ok := a.AccessKey(key.ID)
	if !ok || secret != key.Secret || who.ID != jane().ID || who.Role != iap.Admin {
		t.Errorf("got %v %v %v", secret, who, ok)
	}
	if secret, who, ok = a.AccessKey(token); !ok || secret != token || who.ID != jane().ID {
		t.Errorf("her token: got %v %v %v", secret, who, ok)
	}
	for _, id := range []string{"", auth.HashToken(token), key.ID + "x", auth.DevAccessKey.ID} {
		if _, _, ok := a.AccessKey(id); ok {
			t.Errorf("%q is taken", id)
		}
	}
	dev, _ := newAuth(t, func(c *auth.Config) { c.Dev = true })
	if _, who, ok := dev.AccessKey(auth.DevAccessKey.ID); !ok || who != auth.LocalAdmin {
		t.Errorf("in development mode: %v %v", who, ok)
	}
}

// TestBadAccessKeys: each is refused by its field.
func TestBadAccessKeys(t *testing.T) {
	good := auth.NewAccessKey()
	for field, key := range map[string]auth.AccessKey{
		"login.people[0].access_keys[1].id":     good,
		"login.people[0].access_keys[1].secret": {ID: "IAPX", Secret: "short"},
	} {
		err := auth.CheckPeople([]auth.Person{{ID: "a@example.com", TokenSHA256: auth.HashToken("a"), AccessKeys: []auth.AccessKey{good, key}}})
		if fields := iap.Fields(err); len(fields) != 1 || fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	err := auth.CheckPeople([]auth.Person{{ID: "a@example.com", TokenSHA256: auth.HashToken("a"), AccessKeys: []auth.AccessKey{{ID: "a/b", Secret: good.Secret}}}})
	if err == nil {
		t.Error("an ID with a slash is taken")
	}
}
