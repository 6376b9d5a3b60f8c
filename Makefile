# Everything a person does here, by name. Needs Python 3.11 or later, Rust and make; the rest is fetched into .venv.

PY     ?= python3
VENV   := .venv
PYTHON := $(VENV)/bin/python
CARGO  ?= cargo
# The module and all that it is built of are unoptimised, so that a change costs seconds and a fresh clone two minutes;
# it has the data for stubs, so that `make lint` builds nothing twice. `make wheel` and `make bench` build what users get.
MATURIN := $(PYTHON) -m maturin
STUBS   := --features stubs
# what comes out of an oracle, or of a library without types, is Any: a test that said more would be guessing
LENIENT := --allow-any-generics --allow-subclassing-any --allow-untyped-decorators --no-warn-return-any
RUST    := Cargo.toml Cargo.lock $(shell find src -name '*.rs')
# the Rust whose lints the sources pass: each version brings new ones
RUSTUP  ?= 1.95.0
# the versions that are installed; `LOCK=` takes the newest that pyproject.toml allows
LOCK    ?= requirements/dev.txt
PIP     := $(PYTHON) -m pip install --quiet $(if $(LOCK),--constraint $(LOCK))
# processes that share the Python tests, a file each; WORKERS=0 runs all of them in one
WORKERS ?= 2
PYTEST  := $(PYTHON) -m pytest --quiet
SPREAD  := -n $(WORKERS) --dist loadfile

# succeeds where there is Chromium, or where it can be installed
CHROMIUM := (for name in $${XPFRAME_CHROMIUM:-chromium chromium-browser google-chrome}; do \
		command -v $$name >/dev/null && exit 0; done; exit 1) || { test "$$(id -u)" = 0 \
	&& command -v apt-get >/dev/null && apt-get update -q -q && DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -q -q --no-install-recommends chromium fonts-liberation; } >/dev/null

# succeeds where there are sshd, ssh and rsync, or where they can be installed
SSH := (for name in sshd ssh rsync; do \
		PATH="$$PATH:/usr/sbin" command -v $$name >/dev/null || exit 1; done; exit 0) || { test "$$(id -u)" = 0 \
	&& command -v apt-get >/dev/null && apt-get update -q -q && DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -q -q --no-install-recommends openssh-server openssh-client rsync; } >/dev/null

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo check test browser fuzz soak reliability lint format docs stubs stubs-check clean
.PHONY: bench bench-lazy bench-lineage bench-parts bench-interactive bench-engine bench-instructions profile
.PHONY: toolchain lock wheel wheel-linux wheel-check wheel-check-alpine sdist release-check

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.module  ## print the sample's frame, and one object that two jobs share
	@$(PYTHON) tests/sample/demo.py

check: $(VENV)/.dev $(VENV)/.module target/rust-tests.ok  ## the fast tests, in about a minute: cargo test if Rust changed, then pytest without the slow tests
	XPFRAME_HYPOTHESIS=quick $(PYTEST) $(SPREAD) -m "not slow" $(ARGS)

test: $(VENV)/.dev $(VENV)/.module  ## cargo test, then pytest, in Chromium too where apt-get can install it (more: make test ARGS="-k sample -x")
	@$(CHROMIUM) || echo "NOT TESTED: the notebook in a browser. Chromium is missing and cannot be installed here." >&2
	@$(SSH) || echo "NOT TESTED: xpframe pull. sshd or rsync is missing and cannot be installed here." >&2
	$(CARGO) test --quiet
	$(PYTEST) $(SPREAD) $(ARGS)

browser: $(VENV)/.dev $(VENV)/.module  ## the notebook in Chromium (installs it with apt-get, when root)
	@$(CHROMIUM) || { echo "Chromium is missing: install it, or set XPFRAME_CHROMIUM" >&2; exit 1; }
	XPFRAME_BROWSER=required $(PYTEST) tests/python/notebook/test_browser.py $(ARGS)

fuzz:  ## fuzz each target with the address sanitizer (make fuzz SECONDS=600; needs cargo-fuzz)
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { echo "cargo-fuzz is missing: cargo install cargo-fuzz" >&2; exit 1; }
	$(PY) tests/fuzz/fuzz.py $(or $(SECONDS),60)

soak: $(VENV)/.dev $(VENV)/.module  ## a driver writes, four readers read (make soak SECONDS=600)
	XPFRAME_SOAK=$(or $(SECONDS),600) $(PYTEST) -s tests/python/hostile/test_soak.py

# whom `make wheel-linux` builds for; musl is for Alpine and its containers
TARGETS ?= x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu

FIGURES := target/reliability
reliability: $(VENV)/.dev $(VENV)/.module  ## all cuts, mutations, faults and hostile files; writes docs/reliability.md
	XPFRAME_RELIABILITY=$(abspath $(FIGURES)) $(CARGO) test --quiet --test rust -- damaged:: fuzz::
	XPFRAME_RELIABILITY=$(abspath $(FIGURES)) XPFRAME_SOAK=$(or $(SECONDS),600) $(PYTEST) \
		$(patsubst %,tests/python/hostile/test_%.py,hostile faults trace soak)
	$(PYTHON) tests/python/support/reliability.py $(FIGURES)

lint: $(VENV)/.dev stubs-check  ## formats, clippy, ruff, mypy --strict, and that the stubs are true
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path benches/limits/Cargo.toml
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	$(CARGO) clippy --quiet --all-targets --features python -- -D warnings
	$(PYTHON) -m ruff check --quiet
	$(PYTHON) -m ruff format --check --quiet
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy $(LENIENT) tests/python/conftest.py tests/python/*/*.py tests/sample/*.py \
		benches/compare.py benches/worker.py benches/instructions.py benches/lazy.py benches/interactive.py

format: $(VENV)/.dev  ## write Rust and Python as `make lint` wants them
	$(CARGO) fmt
	$(CARGO) fmt --manifest-path benches/limits/Cargo.toml
	$(PYTHON) -m ruff check --fix --quiet
	$(PYTHON) -m ruff format --quiet

bench: $(VENV)/.dev target/release-site/.ok target/limits/release/limits  ## measure against others, write docs/benchmarks.md (more: make bench ARGS=--large)
	PYTHONPATH=target/release-site $(PYTHON) benches/compare.py $(ARGS)

docs: $(VENV)/.dev $(VENV)/.module  ## build the documentation into site/: a warning, a lost link or a failing notebook fails it
	$(PYTHON) -m sphinx --quiet --fail-on-warning --nitpicky --doctree-dir target/doctrees -c docs . site

bench-lazy: $(VENV)/.dev target/release-site/.ok  ## judge lazy queries: many runs, few columns, memory, Ctrl-C
	PYTHONPATH=target/release-site $(PYTHON) benches/lazy.py $(ARGS)

bench-lineage: $(VENV)/.dev target/release-site/.ok  ## judge columns of jobs upstream, on 100,000 jobs of three levels
	PYTHONPATH=target/release-site $(PYTHON) benches/lineage.py $(ARGS)

bench-parts: $(VENV)/.dev target/release-site/.ok  ## measure parts and Dask on 64 runs of 20,000 jobs, write their section of docs/benchmarks.md
	PYTHONPATH=target/release-site $(PYTHON) benches/parts.py $(ARGS)

bench-interactive: $(VENV)/.dev target/release-site/.ok  ## judge what a person waits for: import, displays, Tab, progress
	PYTHONPATH=target/release-site $(PYTHON) benches/interactive.py $(ARGS)

bench-engine:  ## time the steps of the engine (criterion; some of them: make bench-engine ARGS=columns)
	$(CARGO) bench --quiet --features bench -- $(ARGS)

bench-instructions: $(VENV)/.demo target/profiling/examples/frame  ## count instructions (valgrind) against those kept (ARGS=--update keeps them)
	$(PYTHON) benches/instructions.py $(ARGS)

profile: $(VENV)/.demo target/profiling/examples/frame  ## say which functions a full frame spends its instructions in (valgrind; ARGS=wide)
	$(PYTHON) benches/instructions.py --profile $(ARGS)

stubs: target/stubs/_core.pyi  ## write python/xpframe/_core.pyi from the Rust sources
	cp $< python/xpframe/_core.pyi

stubs-check: target/stubs/_core.pyi $(VENV)/.dev
	@diff -u python/xpframe/_core.pyi $< || { echo "the stubs are old: run make stubs" >&2; exit 1; }
	$(PYTHON) -m mypy.stubtest xpframe._core --allowlist tests/stubtest-allowlist.txt

toolchain:  ## install the Rust that `make lint` is judged with, by rustup; in GitHub Actions, use it from then on
	rustup toolchain install $(RUSTUP) --profile minimal --component clippy,rustfmt
	@test -z "$$GITHUB_ENV" || echo "RUSTUP_TOOLCHAIN=$(RUSTUP)" >> "$$GITHUB_ENV"

lock: $(VENV)/.demo  ## renew requirements/dev.txt, the pinned development dependencies (one: make lock ARGS="--upgrade-package polars")
	$(PIP) uv
	$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --no-annotate --group dev --group release \
		--custom-compile-command 'make lock' --output-file requirements/dev.txt $(or $(ARGS),--upgrade)

wheel: $(VENV)/.demo  ## build the source distribution and, from it, the wheel of this machine into dist/
	CARGO_TARGET_DIR=$(abspath target) $(MATURIN) build --quiet --release --locked --sdist --out dist

wheel-linux: $(VENV)/.demo  ## build wheels for Linux of glibc 2.17 or later (RHEL 7), x86-64 and ARM, into dist/, by zig (one: make wheel-linux TARGETS=x86_64-unknown-linux-gnu)
	$(PIP) --group release
	@for target in $(TARGETS); do \
		echo "building for $$target"; \
		rustup target add "$$target" >/dev/null 2>&1 || { echo "no Rust for $$target: rustup target add" >&2; exit 1; }; \
		PATH="$(abspath $(VENV))/bin:$$PATH" $(MATURIN) build --quiet --release --locked --zig --target "$$target" \
			--compatibility $$(case "$$target" in *musl) echo musllinux_1_2;; *) echo manylinux_2_17;; esac) --out dist || exit; \
	done
	@for wheel in dist/*linux*.whl; do $(PYTHON) -m auditwheel show "$$wheel" | grep -v '^$$'; done

wheel-check: $(VENV)/.demo  ## install the wheel of dist/ for this machine into an empty environment, without Rust on PATH, and run the README's first example
	$(PYTHON) tests/wheel/check.py dist

wheel-check-alpine:  ## try the musl wheel of dist/ in a container of Alpine (needs docker)
	docker run --rm -v "$(CURDIR):/src" -w /src python:3.13-alpine python tests/wheel/check.py dist

sdist: $(VENV)/.maturin  ## build the source distribution into dist/
	$(MATURIN) sdist --out dist

release-check:  ## what can be checked here of a release: TAG, version and changelog agree; wheel and sdist build and work (make release-check TAG=v1.2.3; without TAG, the version of the sources)
	$(PY) tests/wheel/versions.py $(TAG)
	$(MAKE) --no-print-directory wheel wheel-check

clean:  ## remove what was built (the environment .venv and the workspaces of bench-data stay)
	$(CARGO) clean --quiet
	rm -rf dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis $(VENV)/.module
	find python tests benches -name __pycache__ -prune -exec rm -rf {} +
	rm -f python/xpframe/*.so

# --- the environment, in steps: a fresh clone's `make demo` waits for all but .dev ---

$(VENV)/.maturin: pyproject.toml $(LOCK)
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing (no $(CARGO)): install it with rustup" >&2; exit 1; }
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or later is needed, $(PY) is not: make PY=/path/to/python3.11" >&2; exit 1; }
	@echo "installing into $(VENV) (once)"
	@test -x $(PYTHON) || $(PY) -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --upgrade 'pip>=25.1'
	@$(PIP) --group build
	@touch $@

$(VENV)/.demo: pyproject.toml $(LOCK) | $(VENV)/.maturin
	@$(PIP) --group demo
	@touch $@

$(VENV)/.dev: pyproject.toml $(LOCK) | $(VENV)/.demo
	@echo "installing what tests and lint need into $(VENV) (once)"
	@$(PIP) --group dev
	@touch $@

# what takes minutes in a fresh clone, while pip fetches and unpacks what the demo needs
target/compiled.ok: $(RUST) pyproject.toml | $(VENV)/.maturin
	@echo "building the Rust module (a minute or two the first time, seconds later)"
	@mkdir -p target
	@VIRTUAL_ENV=$(abspath $(VENV)) $(MATURIN) develop --quiet --skip-install $(STUBS)
	@touch $@

# --group demo: without it maturin would install the group `dev` each time
$(VENV)/.module: $(RUST) pyproject.toml | $(VENV)/.maturin
	@$(MAKE) --no-print-directory --jobs 2 target/compiled.ok $(VENV)/.demo
	@PIP_QUIET=1 VIRTUAL_ENV=$(abspath $(VENV)) $(MATURIN) develop --quiet --group demo $(STUBS)
	@touch $@

target/rust-tests.ok: $(RUST) $(wildcard tests/rust/*.rs tests/workspaces/*.tar.gz)
	$(CARGO) test --quiet
	@touch $@

# types.CapsuleType exists from Python 3.13 on; its twin in typing_extensions is known to mypy for every version
target/stubs/_core.pyi: $(VENV)/.module
	@$(MATURIN) generate-stubs --quiet $(STUBS) --interpreter $(PYTHON) --out target/stubs
	@sed 's/^from types import CapsuleType$$/from typing_extensions import CapsuleType/' \
		target/stubs/xpframe/_core.pyi > $@

target/profiling/examples/frame: $(RUST) examples/frame.rs
	@$(CARGO) build --quiet --profile profiling --example frame
	@touch $@

# a program with a manifest of its own: sonic-rs is what we measure against, not a dependency
target/limits/release/limits: $(wildcard benches/limits/src/*.rs) benches/limits/Cargo.toml benches/limits/Cargo.lock
	@$(CARGO) build --quiet --release --locked --manifest-path benches/limits/Cargo.toml --target-dir target/limits

# beside, not in, the environment: the module that tests use stays the unoptimised one
target/release-site/.ok: $(RUST) pyproject.toml $(shell find python -name '*.py') | $(VENV)/.demo
	@echo "building the module for speed"
	@rm -rf target/release-site
	@$(MATURIN) build --quiet --release --out target/release-wheel
	@$(PYTHON) -m pip install --quiet --no-deps --upgrade --target target/release-site target/release-wheel/*.whl
	@touch $@
