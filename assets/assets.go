// Package assets holds the style sheets, scripts, icons and fonts the pages load, embedded in the
// binary and served under a path that names their content: /assets/<hash>/<name>. A changed file
// changes the hash, so browsers may keep what they have for a year.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed css js icons/*.svg fonts/*.woff2 vendor/*.js logo.svg
var files embed.FS

// layers are joined, in this order, into css/app.css: one request instead of nine.
var layers = []string{"css/tokens.css", "css/base.css", "css/layout.css", "css/components.css", "css/admin.css", "css/bot.css", "css/inbox.css", "css/numbers.css", "css/utilities.css"}

type file struct {
	body  []byte
	gz    []byte // nil where compressing gains nothing
	ctype string
}

type bundle struct {
	hash  string
	files map[string]file
}

// load reads and hashes the embedded files once; the result never changes afterwards.
var load = sync.OnceValue(func() bundle {
	b, err := build()
	if err != nil {
		panic("assets: " + err.Error()) // the files are inside the binary: a broken build
	}
	return b
})

func build() (bundle, error) {
	b := bundle{files: map[string]file{}}
	sum := sha256.New()
	var css bytes.Buffer
	for _, name := range layers {
		raw, err := files.ReadFile(name)
		if err != nil {
			return b, err
		}
		css.Write(raw)
	}
	add := func(name string, body []byte) error {
		fmt.Fprintf(sum, "%s %d\n", name, len(body))
		sum.Write(body)
		f := file{body: body, ctype: contentType(name)}
		if path.Ext(name) != ".woff2" {
			var z bytes.Buffer
			w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
			if err != nil {
				return err
			}
			if _, err := w.Write(body); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
			f.gz = z.Bytes()
		}
		b.files[name] = f
		return nil
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(layers, name) {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return add(name, body)
	})
	if err == nil {
		err = add("css/app.css", css.Bytes())
	}
	b.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	return b, err
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	return "application/octet-stream"
}

// URL is the path of an asset, "css/app.css" for example, with the content's hash in it. It panics
// for a name that does not exist: that is a typo in a template, and a template reports it as its error.
func URL(name string) string {
	b := load()
	if _, ok := b.files[name]; !ok {
		panic("assets: no file " + name)
	}
	return "/assets/" + b.hash + "/" + name
}

// Handler serves GET and HEAD of /assets/<hash>/<name>. An old hash answers 404 rather than newer
// content under an address that browsers were told never changes.
func Handler() http.Handler {
	b := load()
	prefix := "/assets/" + b.hash + "/"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ours := strings.CutPrefix(r.URL.Path, prefix)
		f, found := b.files[name]
		if !ours || !found || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.ctype)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		body := f.body
		if f.gz != nil {
			h.Set("Vary", "Accept-Encoding")
			if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				h.Set("Content-Encoding", "gzip")
				body = f.gz
			}
		}
		h.Set("Content-Length", fmt.Sprint(len(body)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(body) // a browser that went away is no error of ours
		}
	})
}
