package catalog

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
)

// MaxIcon is the size of an icon's file in bytes at most.
const MaxIcon = 64 << 10

var iconTypes = map[string]string{
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
}

// checkIconFile judges the file of an icon by what it is, not what it is
// called, and returns its media type; empty when the icon is text.
func checkIconFile(p *problems, icon string, data []byte) string {
	switch {
	case !IconFile(icon) && len(data) == 0:
		return ""
	case !IconFile(icon):
		p.add("icon", "a picture was sent, but the manifest names none; want icon: icon.svg")
		return ""
	case len(data) == 0:
		p.add("icon", "the file %q was not sent", shorten(icon))
		return ""
	case len(data) > MaxIcon:
		p.add("icon", "%q has %d bytes; want at most %d", shorten(icon), len(data), MaxIcon)
		return ""
	}
	kind := iconTypes[strings.ToLower(path.Ext(icon))]
	var err error
	if kind == "image/svg+xml" {
		err = checkSVG(data)
	} else if found := http.DetectContentType(data); found != kind {
		err = fmt.Errorf("is %s by its content; want %s", found, kind)
	}
	if err != nil {
		p.add("icon", "%q %v", shorten(icon), err)
		return ""
	}
	return kind
}

// checkSVG refuses what makes an SVG more than a picture.
func checkSVG(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	root := true
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && !root {
			return nil
		}
		if err != nil {
			return errors.New("is no SVG picture")
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("has a document type; want plain SVG")
		case xml.ProcInst:
			if t.Target != "xml" {
				return fmt.Errorf("has the instruction %q; want plain SVG", shorten(t.Target))
			}
		case xml.StartElement:
			if root && t.Name.Local != "svg" {
				return errors.New("is no SVG picture")
			}
			root = false
			if err := checkElement(t); err != nil {
				return err
			}
		}
	}
}

func checkElement(t xml.StartElement) error {
	switch strings.ToLower(t.Name.Local) {
	case "script", "foreignobject", "iframe", "image", "a", "animate", "set", "handler", "style":
		return fmt.Errorf("has the element %s; want shapes only", t.Name.Local)
	}
	for _, a := range t.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(a.Value)
		if strings.HasPrefix(name, "on") || name == "href" && !strings.HasPrefix(value, "#") ||
			strings.Contains(value, "javascript:") || strings.Contains(value, "url(") && !strings.Contains(value, "url(#") {
			return fmt.Errorf("has the attribute %s with something that acts or loads; want shapes only", a.Name.Local)
		}
	}
	return nil
}
