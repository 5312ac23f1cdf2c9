package web

import (
	"fmt"
	"html/template"
	"time"
)

// day returns t's day as people say it on the day of now: "today", "tomorrow",
// "yesterday", "Tue 24 Nov", with the year when it is another one.
func day(t, now time.Time) string {
	y, m, d := now.Date()
	at := func(days int) time.Time { return time.Date(y, m, d+days, 0, 0, 0, 0, now.Location()) }
	switch {
	case !t.Before(at(0)) && t.Before(at(1)):
		return "today"
	case !t.Before(at(1)) && t.Before(at(2)):
		return "tomorrow"
	case !t.Before(at(-1)) && t.Before(at(0)):
		return "yesterday"
	case t.Year() == now.Year():
		return t.Format("Mon 2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// zone returns the name of a time zone as people know it.
func (s *Server) zone() string {
	if name := s.cfg.Location.String(); name != "Local" {
		return name
	}
	name, _ := s.cfg.Now().In(s.cfg.Location).Zone()
	return name
}

// tag writes a moment so that the browser can say it in the reader's zone.
func (s *Server) tag(t time.Time, form, text string) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-form="%s">%s</time>`,
		t.UTC().Format(time.RFC3339Nano), form, template.HTMLEscapeString(text)))
}

// timeTag is a day and a clock time: "today 19:00".
func (s *Server) timeTag(t time.Time) template.HTML {
	l, now := t.In(s.cfg.Location), s.cfg.Now().In(s.cfg.Location)
	return s.tag(t, "day", day(l, now)+" "+l.Format("15:04"))
}

// clockTag is a clock time with seconds: "19:00:05".
func (s *Server) clockTag(t time.Time) template.HTML {
	return s.tag(t, "clock", t.In(s.cfg.Location).Format("15:04:05"))
}

// momentTag is a clock time with seconds, after the day where that is not today:
// "19:00:05", "yesterday 19:00:05".
func (s *Server) momentTag(t time.Time) template.HTML {
	l, now := t.In(s.cfg.Location), s.cfg.Now().In(s.cfg.Location)
	text := l.Format("15:04:05")
	if d := day(l, now); d != "today" {
		text = d + " " + text
	}
	return s.tag(t, "moment", text)
}

// endsTag is a day and a clock time with the zone: "today 19:00 (Europe/London)".
func (s *Server) endsTag(t time.Time) template.HTML {
	l, now := t.In(s.cfg.Location), s.cfg.Now().In(s.cfg.Location)
	return s.tag(t, "ends", day(l, now)+" "+l.Format("15:04")+" ("+s.zone()+")")
}

// seconds writes a length of time in seconds as the progress line shows it.
func seconds(sec float64) string {
	switch {
	case sec < 0.05:
		return "0.0 s"
	case sec < 9.95:
		return fmt.Sprintf("%.1f s", sec)
	case sec < 99.5:
		return fmt.Sprintf("%.0f s", sec)
	case sec < 5400:
		return fmt.Sprintf("%d min", int(sec/60+0.5))
	}
	return fmt.Sprintf("%.1f h", sec/3600)
}
