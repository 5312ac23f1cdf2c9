package hostname_test

import (
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/hostname"
)

func words(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(text))
}

func TestCombinations(t *testing.T) {
	if got := hostname.Combinations(); got < 1<<28 {
		t.Errorf("%d combinations, want at least 2^28 = %d", got, 1<<28)
	}
}

func TestWordsAreShortPlainAndDifferent(t *testing.T) {
	all := append(words(t, "adjectives.txt"), words(t, "nouns.txt")...)
	plain := regexp.MustCompile(`^[a-z]{3,7}$`)
	replaced := map[string]string{}
	for _, w := range all {
		if !plain.MatchString(w) {
			t.Errorf("%q is not a word of 3 to 7 small letters", w)
		}
		for i := range w {
			if slices.Contains(all, w[:i]+w[i+1:]) {
				t.Errorf("%q and %q differ by one letter", w, w[:i]+w[i+1:])
			}
			form := w[:i] + "*" + w[i+1:]
			if other, ok := replaced[form]; ok {
				t.Errorf("%q and %q differ by one letter", w, other)
			}
			replaced[form] = w
		}
	}
	slices.Sort(all)
	if n := len(all); n != len(slices.Compact(all)) {
		t.Error("a word is there twice")
	}
}

func TestNoOffensiveWords(t *testing.T) {
	// Parts of words that are rude, about bodies, weapons, drugs, illness,
	// religion or insult, wherever they stand in a word.
	banned := regexp.MustCompile(`(anal|anus|arse|bastard|bitch|bloody|bomb|boob|booty|breast|butt$|cocaine|cock$|corpse|crap|cripple|` +
		`cunt|damn|dead|death|devil|dick|dildo|drug|drunk|dumb|dyke|enema|fag|fart|fat$|fatal|fetish|fool|fuck|gay|god|grave|gun$|` +
		`hell$|heroin$|hitler|homo|hooker|horny|idiot|jap$|jesus|jew$|kill|knife|kraut|lesb|loser|lust|moron|naked|nazi|negr|nigg|nude|` +
		`orgas|orgy|paki|penis|perv|pimp|piss|poo$|porn|prick|pube|puke|puss|queer|rape$|rapist|rectum|retard|satan|scrot|semen|sex|shit|` +
		`sick|skank|slave|slut|smut|snot|spastic|sperm|stupid|suck|suicide|terror|testic|thong|tit$|tits|tranny|turd|ugly|urin|` +
		`vagina|virgin|vomit|vulva|wank|war$|weapon|weed$|whore|wog|xxx|^ass|ass$|^fat|^hot|^wet|^hard|^black|^white|^brown|^yellow|` +
		`^monkey|^ape$|^pig|^cow$|^rat$|^snake|^goat|^whale)`)
	harmless := map[string]bool{"grape": true, "hotel": true, "pagoda": true, "pigeon": true, "skillet": true, "seaweed": true,
		"tweed": true, "wetland": true, "glass": true, "compass": true}
	for _, w := range append(words(t, "adjectives.txt"), words(t, "nouns.txt")...) {
		if banned.MatchString(w) && !harmless[w] {
			t.Errorf("%q is banned for %q", w, banned.FindString(w))
		}
	}
}

func TestGenerate(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	form := regexp.MustCompile(`^[a-z]{3,7}(-[a-z]{3,7}){2}-todo$`)
	seen := map[string]bool{}
	for range 2000 {
		name := hostname.Generate(random.IntN, "todo")
		parts := strings.Split(name, "-")
		if !form.MatchString(name) || parts[1] == parts[2] {
			t.Fatalf("%q is not three different words and the slug", name)
		}
		seen[name] = true
	}
	if len(seen) < 1990 {
		t.Errorf("2000 names have only %d different ones", len(seen))
	}
}

func TestGenerateFitsALabel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slug := rapid.StringMatching(`[a-z]([a-z0-9]|-[a-z0-9]){0,40}`).Draw(t, "slug")
		name := hostname.Generate(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") }, slug)
		if err := hostname.Valid(name); err != nil {
			t.Fatalf("%v", err)
		}
		if len(slug) <= 30 && !strings.HasSuffix(name, "-"+slug) {
			t.Fatalf("%q has lost its slug %q", name, slug)
		}
	})
}

func TestValid(t *testing.T) {
	for label, want := range map[string]string{
		"brave-otter-lamp-todo": "", "a": "", "1": "", strings.Repeat("a", 63): "",
		"": "empty", strings.Repeat("a", 64): "at most 63", "Todo": "lower case", "töpf": "other than a-z",
		"tоdo": "other than a-z", "-todo": "dash", "todo-": "dash", "xn--bcher-kva": "xn--", "ab--cd": "reserved",
		"a_b": "character _", "a.b": "character .", "a b": "other than", "a\x00b": "other than", "api": "keeps", "login": "keeps",
		"www": "keeps", "localhost": "keeps",
	} {
		err := hostname.Valid(label)
		if want == "" {
			if err != nil {
				t.Errorf("Valid(%q) = %v", label, err)
			}
			continue
		}
		if !iap.IsKind(err, iap.Invalid) || !strings.Contains(err.Error(), want) || iap.Fields(err)[0].Field != "host_name" {
			t.Errorf("Valid(%q) = %v, want an Invalid host_name with %q", label, err, want)
		}
	}
}

func TestReservedFindsEach(t *testing.T) {
	for _, label := range []string{"about", "admin", "api", "iap", "login", "mta-sts", "static", "well-known", "www", "www2"} {
		if !hostname.Reserved(label) {
			t.Errorf("%q is not reserved", label)
		}
	}
	if hostname.Reserved("todo") {
		t.Error(`"todo" is reserved`)
	}
}

func TestResourceName(t *testing.T) {
	long := "brave-otter-lantern-whiteboard"
	if got := hostname.ResourceName(long, 63); got != long {
		t.Errorf("a name that fits became %q", got)
	}
	a, b := hostname.ResourceName(long+"-a", 20), hostname.ResourceName(long+"-b", 20)
	if a == b || len(a) > 20 || !strings.HasPrefix(a, "brave-otter") || hostname.Valid(a) != nil {
		t.Errorf("cut to %q and %q", a, b)
	}
	if a != hostname.ResourceName(long+"-a", 20) {
		t.Error("not the same each time")
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		hostname.Generate(rand.IntN, "todo")
	}
}
