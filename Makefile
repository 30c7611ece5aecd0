# Everything a person types. Each target first checks, in a few milliseconds, and installs only what is missing.
.DEFAULT_GOAL := help
.PHONY: help run demo test race chaos bench seed-large build lint generate setup setup-test go postgres browser compiler clean

SQLC        := github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
SUDO        := $(if $(filter 0,$(shell id -u)),,sudo)
APT         := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup build ## set up what is missing and serve on http://127.0.0.1:8080, data in ./data
	@exec ./flowhq serve

demo: setup build ## the same with simulated WhatsApp and sample businesses
	@exec ./flowhq demo

# whatsmeow has data races of its own when a connection is lost in the middle of a send (exsync.Event under retryFrame), and the
# race detector fails whichever test meets one: packages that run its clients are tested without it here, and with it by make race. The
# templates' tests are a browser's work, to which it adds nothing but time; what renders at the same time is tested in routes.
UNRACED := . ./whatsapp/... ./templates/...
test: setup-test ## every test; with the race detector where whatsmeow does not run
	go test -timeout 20m -p 3 $(UNRACED)
	go test -race -timeout 20m -p 3 $$(go list ./... | grep -v -e '^flowhq$$' -e '^flowhq/whatsapp' -e '^flowhq/templates')

race: setup-test ## every test with the race detector; whatsmeow's own races may show
	go test -race -timeout 20m -p 2 ./...

chaos: setup-test ## 30 faults under load (make test has one of each); CHAOS_SEED repeats a run, CHAOS_FAULTS and CHAOS_TENANTS size it
	CHAOS=long go test -count=1 -run 'TestChaos$$' -timeout 30m -v .

bench: setup build ## measure replies and memory against a plain echo loop, then the admin on 5,000,000 messages
	@./flowhq bench && exec ./flowhq bench --admin

seed-large: setup build ## 5,000 tenants and 5,000,000 messages in ./data-large, to see the admin on them
	./flowhq seed --tenants 5000 --messages 5000000 --data data-large
	@echo "Now: flowhq admin upsert --email you@example.org --password -; both commands with FLOWHQ_DATA=data-large, then flowhq serve --data data-large"

build: go ## one static binary, ./flowhq
	CGO_ENABLED=0 go build -trimpath -o flowhq .

lint: go ## gofmt, go vet, staticcheck
	@files=$$(go list -f '{{.Dir}}' ./... | xargs gofmt -l); test -z "$$files" || { echo "not gofmt'ed:" $$files; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

generate: go ## queries/*.go from queries/*.sql and migrations/
	go run $(SQLC) generate

setup: go $(if $(DATABASE_URL),,postgres) ## what running needs: PostgreSQL's server programs, unless DATABASE_URL is set
setup-test: go compiler postgres browser ## what the tests need besides: Chromium, a C compiler for the race detector

clean: ## remove the binary; data stay
	rm -f flowhq

go:
	@command -v go >/dev/null || { echo "Go is missing: install it from https://go.dev/dl" >&2; exit 1; }

# The package would also create and start a server on port 5432, which nobody asked for: that is switched off while it is
# installed, and put back after.
postgres:
	@for dir in $${FLOWHQ_PG_BIN:-/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin}; do \
		test -x "$$dir/initdb" && exit 0; done; \
	command -v initdb >/dev/null && exit 0; \
	command -v apt-get >/dev/null || { echo "PostgreSQL's server programs are missing. Install them (dnf install postgresql-server, apk add postgresql," \
		"brew install postgresql@17) or set DATABASE_URL." >&2; exit 1; }; \
	echo "Installing PostgreSQL's server programs$(if $(SUDO), with sudo)."; \
	conf=/etc/postgresql-common/createcluster.conf; \
	$(SUDO) apt-get update -q && $(APT) postgresql-common && $(SUDO) cp -p $$conf $$conf.flowhq || exit 1; \
	trap '$(SUDO) mv $$conf.flowhq $$conf' EXIT; \
	echo 'create_main_cluster = false' | $(SUDO) tee -a $$conf >/dev/null && $(APT) postgresql

browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	command -v apt-get >/dev/null || { echo "Chromium is missing: install it, the browser tests need it." >&2; exit 1; }; \
	echo "Installing Chromium$(if $(SUDO), with sudo)."; \
	$(SUDO) apt-get update -q && $(APT) chromium

compiler:
	@for name in gcc cc clang; do command -v $$name >/dev/null && exit 0; done; \
	command -v apt-get >/dev/null || { echo "A C compiler is missing: install gcc, go test -race needs it." >&2; exit 1; }; \
	echo "Installing gcc$(if $(SUDO), with sudo)."; \
	$(SUDO) apt-get update -q && $(APT) gcc libc6-dev
