package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/chromedp"
)

// sighting is a status that a card of the catalogue's page began to show.
type sighting struct {
	App    string  `json:"app"`
	Status string  `json:"status"`
	At     float64 `json:"at"` // milliseconds since 1970, by the browser's clock
}

// page is the catalogue in a browser of its own.
type page struct {
	ctx  context.Context
	stop []func()
}

// observe notes each change of the status that a card shows. A card with its
// form is that of an instance whose life is over. benchWait promises what was
// seen, up to a card's showing a status.
const observe = `(() => {
	let seen = [], tell = () => {};
	const last = new Map();
	const read = (card) => {
		if (card.querySelector('form')) return 'destroyed';
		const word = card.querySelector('.status > span');
		return word ? word.textContent.trim().toLowerCase().replace(' ', '_') : '';
	};
	const look = (note) => {
		const now = performance.timeOrigin + performance.now();
		for (const card of document.querySelectorAll('.card-state[id^="card-"]')) {
			const status = read(card);
			if (!status || last.get(card.id) === status) continue;
			last.set(card.id, status);
			if (note) seen.push({ app: card.id.slice(5), status: status, at: now });
		}
		tell();
	};
	window.benchWait = (app, status) => new Promise((resolve) => {
		tell = () => {
			if (!seen.some((s) => s.app === app && s.status === status)) return;
			resolve(seen);
			seen = [];
			tell = () => {};
		};
		tell();
	});
	look(false);
	new MutationObserver(() => look(true)).observe(document.getElementById('cards'),
		{ subtree: true, childList: true, characterData: true });
	return performance.timeOrigin + performance.now() - Date.now();
})()`

// connected promises that the page has its stream.
const connected = `new Promise((resolve) => {
	const is = () => window.iapLive && window.iapLive.readyState === EventSource.OPEN;
	const look = () => is() ? resolve(true) : setTimeout(look, 20);
	look();
})`

// patience is how long the page may take for what it is asked.
const patience = 20 * time.Second

// openPage starts Chromium without a window, opens the page and observes it.
func (b *bench) openPage(ctx context.Context, url string) (*page, error) {
	program, err := findBrowser()
	if err != nil {
		return nil, err
	}
	dir, err := b.folder("chromium")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(dir))
	if os.Geteuid() == 0 { // its sandbox needs another user
		options = append(options, chromedp.NoSandbox)
	}
	alloc, stopAlloc := chromedp.NewExecAllocator(ctx, options...)
	tab, stopTab := chromedp.NewContext(alloc)
	p := &page{ctx: tab, stop: []func(){stopTab, stopAlloc}}
	if err := p.open(url); err != nil {
		p.close()
		return nil, fmt.Errorf("the page %s in %s: %w", url, program, err)
	}
	return p, nil
}

func (p *page) open(url string) error {
	if err := chromedp.Do(p.ctx); err != nil { // starts the browser
		return err
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("#cards"))); err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](connected, chromedp.EvalAwaitPromise)); err != nil {
		return fmt.Errorf("waiting for its stream: %w", err)
	}
	apart, err := chromedp.Run(ctx, chromedp.Evaluate[float64](observe))
	if err == nil && (apart < -2 || apart > 2) {
		err = fmt.Errorf("the browser's two clocks are %.1f ms apart", apart)
	}
	return err
}

// topics returns what the page has its stream bring.
func (p *page) topics() ([]string, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[[]string]("window.iapLive.topics()"))
}

func findBrowser() (string, error) {
	for _, name := range []string{"chromium", "google-chrome", "google-chrome-stable", "chromium-browser"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium is on the PATH; install it with: make setup")
}

// until waits for a card to show the status and returns all that was seen up
// to it.
func (p *page) until(app, status string) ([]sighting, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[[]sighting](
		fmt.Sprintf("window.benchWait(%q, %q)", app, status), chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, fmt.Errorf("the page does not show that %s is %s: %w", app, status, err)
	}
	return seen, nil
}

func (p *page) close() {
	for _, stop := range p.stop {
		stop()
	}
}
