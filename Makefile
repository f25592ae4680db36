# The commands of the project; `make` lists them. Every target first installs what it needs.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Tests start the service several hundred times; compiled files halve the time of a start.
unexport PYTHONDONTWRITEBYTECODE

PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
BIN := .venv/bin
NPM := npm --prefix frontend --silent
NODE_IS_NEW_ENOUGH := const [a, b] = process.versions.node.split("."); \
	process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)
PAGE := frontend/dist/index.html
PAGE_SOURCES := $(shell find frontend/src frontend/public frontend/index.html \
	frontend/vite.config.ts frontend/package-lock.json -type f 2>/dev/null)
OPENAPI := $(BIN)/xero-service openapi
# Without the extras in the locks, an old pip looks for newer releases than the locked ones.
COMPILE := UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --universal \
	--generate-hashes --no-emit-index-url --no-strip-extras --python-version 3.11 $(UPGRADE)

# Tests wait as much as they compute: two at a time for each processor, four at most.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 2 ? 2 : 4)))
PAGE_TESTS_LOG := .demo/page-tests.log
# Two parts at once; a make that can (4.0) prints the output of each in one piece.
SIDE_BY_SIDE := -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

say = @printf '\n▸ %s\n' $(1)
has_page = [ -f frontend/package-lock.json ]

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# ── Set up ────────────────────────────────────────────────────────────────────────────────────

.PHONY: install
install: ## Install the service, its tools and the page's packages
	@$(MAKE) -j2 .install-python .install-page

# Installs again when the files' contents or the path change; a virtual environment cannot be moved.
.PHONY: .install-python
.install-python:
	@PYTHONS="$(PYTHONS)" requirements/install.sh

.PHONY: .install-page
.install-page:
	@$(has_page) || exit 0; \
	if ! node -e '$(NODE_IS_NEW_ENOUGH)' 2>/dev/null; then \
		echo "Node 20.19 or newer is needed for the page; found: $$(node --version 2>&1)" >&2; exit 1; \
	fi; \
	wanted="$$( (cat frontend/package.json frontend/package-lock.json; node --version) | cksum)"; \
	if [ "$$(cat frontend/node_modules/.installed 2>/dev/null)" != "$$wanted" ]; then \
		echo "Installing the page's packages, locked by hash, with npm …"; \
		npm --prefix frontend ci --loglevel error --no-audit --no-fund && \
		echo "$$wanted" > frontend/node_modules/.installed; \
	fi

.PHONY: lock
lock: .install-python ## Write requirements/ from pyproject.toml (UPGRADE=--upgrade for newer)
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra sandbox --group dev -c requirements/runtime.txt \
		-o requirements/dev.txt
	echo hatchling | $(COMPILE) - -c requirements/dev.txt -o requirements/build.txt
	echo uv | $(COMPILE) - -c requirements/dev.txt -o requirements/uv.txt

# ── Run ───────────────────────────────────────────────────────────────────────────────────────

.PHONY: demo
demo: install .page ## Run everything here, with a local Xero (PORT=… SANDBOX_PORT=… APP_URL=…)
	@exec $(BIN)/python -m demo

.PHONY: .page
.page:
	@! $(has_page) || $(MAKE) $(PAGE)

$(PAGE): .demo/page-settings $(PAGE_SOURCES)
	@echo "Building the page …"
	@$(NPM) run build > .demo/build.log 2>&1 || { cat .demo/build.log; exit 1; }
	@touch $@

# Vite writes these variables into the page, so that a change of them needs a new build.
.PHONY: .always
.demo/page-settings: .always
	@mkdir -p .demo; env | grep '^VITE_' | sort | cmp -s - $@ || env | grep '^VITE_' | sort > $@ || true

# ── Package ───────────────────────────────────────────────────────────────────────────────────

.PHONY: packages
packages: install ## Build what others install into dist/: wheels, and the React package
	@rm -rf dist; mkdir dist
	@$(BIN)/python deploy/wheels.py dist
	@node frontend/scripts/package.mjs dist > /dev/null
	@ls dist

.PHONY: packages-check
packages-check: packages ## Install the React package into host applications and use them
	$(call say,'The React package in host applications')
	@CHROMIUM="$$($(BIN)/python -m demo.programs chromium)" && export CHROMIUM && \
		$(BIN)/python -m demo.around --other-frontend node frontend/scripts/check-hosts.mjs $(HOST)

# ── Prove ─────────────────────────────────────────────────────────────────────────────────────

.PHONY: test
# The page's tests mostly wait for a browser, so they run beside the service's and report after them.
test: install ## Run all tests: service, page, and both together in a browser
	@mkdir -p .demo
	@$(MAKE) .test-page > $(PAGE_TESTS_LOG) 2>&1 & page=$$!; \
	printf '\n▸ Tests of the service\n'; \
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal; service=$$?; \
	wait $$page; page=$$?; cat $(PAGE_TESTS_LOG); \
	[ $$service = 0 ] && [ $$page = 0 ]

.PHONY: .test-page
.test-page:
	@if $(has_page); then printf '\n▸ Tests of the page\n'; $(NPM) test; fi
	@if [ -d frontend/e2e ]; then $(MAKE) .e2e; fi

.PHONY: soak
soak: install ## Run the long forms: races, restarts, load with faults, mutations (SOAK_SECONDS=300)
	$(call say,'Long forms')
	@SOAK_SECONDS=$(or $(SOAK_SECONDS),300) $(BIN)/python -m pytest -m soak -s

.PHONY: .e2e
.e2e: $(PAGE)
	$(call say,'Tests in a browser')
	@CHROMIUM="$$($(BIN)/python -m demo.programs chromium)" && export CHROMIUM && \
		$(BIN)/python -m demo.around $(NPM) run e2e

.PHONY: images
images: install ## Build the images, run the compose file and the drills (exit 3: no container engine)
	$(call say,'Images')
	@.ci/images/run

.PHONY: sbom
sbom: install ## Write bills of materials (CycloneDX) of the wheel and the images into dist/sbom
	@$(BIN)/python .ci/sbom.py

.PHONY: bench
bench: install ## Run the benchmarks and write docs/benchmarks.md, 15 minutes (NAME=… for one of them)
	@exec $(BIN)/python -m bench $(NAME)

.PHONY: check
check: install ## Check format, lint, types, import directions and drift
	@$(MAKE) $(SIDE_BY_SIDE) .check-service $$($(has_page) && echo .check-page)

.PHONY: .check-service
.check-service:
	$(call say,'Format')
	@$(BIN)/ruff format --check
	$(call say,'Lint')
	@$(BIN)/ruff check
	$(call say,'Types')
	@$(BIN)/mypy
	$(call say,'Import directions')
	@$(BIN)/lint-imports
	@$(MAKE) .check-metrics
	@if $(has_page); then $(MAKE) .check-api; fi

.PHONY: .check-metrics
.check-metrics:
	$(call say,'Reference of the metrics')
	@set -o pipefail; $(BIN)/xero-service metrics-reference | diff -u docs/metrics.md - || \
		{ echo "docs/metrics.md has drifted: run make metrics" >&2; exit 1; }
	@echo "in step"

.PHONY: .check-api
.check-api:
	$(call say,'API document and types of the page')
	@set -o pipefail; $(OPENAPI) | diff -u frontend/openapi.json - || \
		{ echo "frontend/openapi.json has drifted: run make openapi" >&2; exit 1; }
	@set -o pipefail; cd frontend && node_modules/.bin/openapi-typescript openapi.json 2>/dev/null | \
		node_modules/.bin/prettier --stdin-filepath src/api/schema.d.ts | diff -u src/api/schema.d.ts - || \
		{ echo "frontend/src/api/schema.d.ts has drifted: run make openapi" >&2; exit 1; }
	@echo "in step"

.PHONY: .check-page
.check-page:
	$(call say,'Format of the page')
	@$(NPM) run format:check
	$(call say,'Lint of the page')
	@$(NPM) run lint
	$(call say,'Types of the page')
	@$(NPM) run typecheck
	$(call say,'Build and size of the page')
	@$(NPM) run build > /dev/null
	@$(NPM) run size

.PHONY: audit
audit: install ## Check every locked package against advisories (exit 3: no source reached)
	@$(BIN)/python .ci/audit.py

.PHONY: format
format: install ## Format, and apply the automatic fixes
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix
	@! $(has_page) || $(NPM) run format

.PHONY: metrics
metrics: install ## Write docs/metrics.md from the service
	@$(BIN)/xero-service metrics-reference > docs/metrics.md

.PHONY: openapi
openapi: install ## Write the OpenAPI document and the page's types from the service
	@$(OPENAPI) > frontend/openapi.json.new && mv frontend/openapi.json.new frontend/openapi.json
	@$(NPM) run generate
