package routes

import (
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"flowhq/jobs"
)

// uploadSlack is what a form needs around a file. A file that is little too large is answered in the form.
const uploadSlack = 2 << 20

// uploadTimeout is how long a slow line may take to send a file.
const uploadTimeout = 3 * time.Minute

// uploadLimit is how large a request to a path may be where files are sent, in bytes; 0: as all others.
func uploadLimit(method, path string) int {
	if method == "POST" && strings.HasPrefix(path, "/admin/data/") && strings.HasSuffix(path, "/import") {
		return jobs.ImportLimits.Bytes + uploadSlack
	}
	return 0
}

// limitBody allows a larger body where files are sent, before it is read, to whoever seems to be signed in.
func (s *server) limitBody(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path, _, _ := strings.Cut(string(header.RequestURI()), "?")
	most := uploadLimit(string(header.Method()), path)
	if most == 0 || len(header.Cookie(s.sessions.Cookie.Name)) == 0 {
		return fasthttp.RequestConfig{}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: most, ReadTimeout: uploadTimeout}
}
