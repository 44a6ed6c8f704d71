# Short names for the project's commands; `make help` lists them.
# Works with GNU make 3.81 (macOS) and newer.

# The first Python on the PATH that is new enough; choose another with `make book PYTHON=python3.12`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; done; echo python3)
BIN := .venv/bin
JB := $(BIN)/jupyter-book build . -W -n --keep-going
# Kept out of the lock: for Linux the index has a build of several gigabytes, for graphics cards.
# The tests compare the page "In other libraries" with it.
TORCH := torch==2.13.0
# Its interpreter runs the kernels of nllbook.torch without a GPU; there is none but for Linux.
TRITON := $(if $(filter Linux,$(shell uname)),triton==3.9.0)

# No debugger is attached to the notebooks: it need not warn that it would be slow.
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.PHONY: help book test quick test-portable notebooks cheat-sheet pdf site-offline publish-dry-run mutants lighthouse bench-grade guide-pictures accuracy bench format lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

book: .venv/ready ## set up, run the chapters, build the site, print the page to open
	@$(BIN)/python -m web.lint
	@mkdir -p _build && $(JB) >_build/book.log 2>&1 || { \
		grep -am1 ': this cell fails with' _build/book.log \
			|| grep -aE ':[0-9]+: |: (WARNING|ERROR): |^(maths|npm): ' _build/book.log || tail -n 20 _build/book.log; \
		echo "The book was not built; the whole story is in _build/book.log" >&2; exit 1; }
	@$(BIN)/python -m web.committed
	@echo "Open file://$(CURDIR)/_build/html/index.html"

test: .venv/torch .venv/browser .venv/sandbox ## set up, run every test, every notebook included
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy
	@$(BIN)/python -m web.lint
	@$(BIN)/pytest -n auto --dist loadscope

quick: .venv/ready ## the checks and tests that take seconds: no notebooks, no builds
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy
	@$(BIN)/python -m web.lint
	@$(BIN)/pytest tests nllbook -m "not slow and not gpu" \
		--ignore=nllbook/torch --ignore-glob="tests/test_torch*" \
		--ignore=tests/test_benchmark_gpu.py

test-portable: .venv/ready ## re-run the notebooks with other CPU instructions, BLAS, hash seed, locale
	@$(BIN)/python -m web.portable

notebooks: .venv/torch ## write notebooks/ anew from chapters/
	@$(BIN)/python -m web.notebooks

cheat-sheet: book ## print chapters/cheat-sheet-*.pdf from the site (needs Chromium)
	@$(BIN)/python -m web.print_sheet

pdf: book .venv/browser ## print the whole book to _build/nllbook.pdf (needs Chromium)
	@$(BIN)/python -m web.pdf

site-offline: book ## pack the site into _build/nllbook-site.zip, which opens from a disk
	@$(BIN)/python -m web.offline

publish-dry-run: .venv/browser ## put together what would be published, and check it (REPOSITORY=, SITE=: for which addresses)
	@$(BIN)/python -m web.publish --repository "$(REPOSITORY)" --site "$(SITE)"

mutants: .venv/torch ## plant mistakes; the book's checks, and the unit tests, must notice (ONLY=part of a name)
	@$(BIN)/python -m tests.mutants $(ONLY)
	@$(BIN)/python -m tests.mutation $(ONLY)

lighthouse: .venv/browser ## weigh every page of the built site, and run Lighthouse on the chapters (RUNS=3)
	@$(BIN)/python benchmarks/site.py --lighthouse $(or $(RUNS),3)

bench-grade: .venv/sandbox ## measure the grader: time and memory, classes of 30 and of 5,000 (SIZE=5000)
	@$(BIN)/python benchmarks/grading.py --class-size $(or $(SIZE),5000)

guide-pictures: .venv/browser .venv/sandbox ## draw the pictures of the instructor's guide
	@$(BIN)/python -m tests.coursework.pictures

accuracy: .venv/torch ## measure the errors of the losses, here and in other libraries
	@$(BIN)/python benchmarks/accuracy.py

bench: .venv/torch ## measure time and memory of the losses, here and in other libraries
	@$(BIN)/python -m benchmarks.speed

format: .venv/ready ## format the Python sources
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

lock: .venv/ready ## write requirements.txt anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra book --extra test \
		--no-header pyproject.toml -o requirements.txt

clean: ## remove what was built, the environment included
	rm -rf .venv _build .jupyter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The environment: uv when it is there (or can be had), plain pip when not.
.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("This book needs Python 3.11 or newer, and $(PYTHON) is %d.%d. Install one, or name it: make book PYTHON=/path/to/python3.12" % v[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@echo "Setting up .venv (once) ..."
	@{ $(BIN)/pip install --quiet --disable-pip-version-check uv \
		&& VIRTUAL_ENV="$(CURDIR)/.venv" UV_FIND_LINKS="$$PIP_FIND_LINKS" $(BIN)/uv pip install --quiet -r requirements.txt -e . -e coursework/nllgrade ; } \
		|| $(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -e . -e coursework/nllgrade \
		|| { rm -rf .venv; echo "The packages in requirements.txt could not be installed. The first run needs the network, or a package cache that holds them." >&2; exit 1; }
	@touch $@

# The CPU build: from the folder of wheels if one is named, else from PyTorch's own index.
.venv/torch: .venv/ready Makefile
	@echo "Setting up $(TORCH) (once) ..."
	@export VIRTUAL_ENV="$(CURDIR)/.venv"; \
		if [ -n "$$PIP_FIND_LINKS" ]; then \
			UV_FIND_LINKS="$$PIP_FIND_LINKS" $(BIN)/uv pip install --quiet $(TORCH) $(TRITON) -c requirements.txt; \
		else \
			$(BIN)/uv pip install --quiet --torch-backend=cpu $(TORCH) $(TRITON) -c requirements.txt; \
		fi || $(BIN)/pip install --quiet --disable-pip-version-check $(TORCH) $(TRITON) -c requirements.txt \
		|| { echo "$(TORCH) could not be installed. make test needs it, make quick does not." >&2; exit 1; }
	@touch $@

# Chromium or Chrome, in which the tests read the site: what is there, else Debian's package.
.venv/browser: .venv/ready
	@$(BIN)/python -m web.browser && touch $@

# bubblewrap, in which the tests of the grader run submissions: what is there, else Debian's package.
.venv/sandbox: .venv/ready
	@[ "$$(uname)" != Linux ] || command -v bwrap >/dev/null || { [ "$$(id -u)" = 0 ] \
		&& { apt-get update -qq && apt-get install -y -qq bubblewrap; } >/dev/null 2>&1; } || { \
		echo "bubblewrap was not found, in which submissions are run. On Debian or Ubuntu: apt install bubblewrap" >&2; exit 1; }
	@touch $@
