PYTHON ?= python3.11
SHARED ?= ../shared
BIN := .venv/bin

.PHONY: help setup peers run test coverage bench-scale test-slow test-llm screenshots check format evaluate gate fit leaderboard audit dist clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready  ## make .venv and install everything into it

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "Installing (a few minutes the first time) ..."
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

peers: .venv/peers  ## install the other systems that the leaderboard measures

# LlamaIndex's BM25 retriever requires an older PyStemmer than ours, but works with ours.
.venv/peers: .venv/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,peers]'
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt llama-index-retrievers-bm25
	@touch $@

run: setup  ## index the bundled sample if there is no index, then serve the page
	$(BIN)/abstractqa ui --sample

test: setup  ## run all tests except the slow ones, two files at a time
	$(BIN)/python -m pytest -n 2 --dist loadfile

coverage: setup  ## show which lines of index/ and rag/ their tests run
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov=index --cov=rag --cov-report=term:skip-covered tests/index tests/rag

test-slow: setup  ## check minimum quality and speed (minutes)
	$(BIN)/python -m pytest -m slow

bench-scale: setup  ## measure speed, memory and recovery from kills at 54,000 abstracts (an hour)
	$(BIN)/python -m eval.scale $(SHARED)/beir/litsearch_acl

test-llm: peers  ## try a real local model, here and in LlamaIndex's citation engine (40 minutes)
	$(BIN)/python -m pytest -m llm -s

screenshots: setup  ## take pictures of every tab, both widths and both themes, into screenshots/
	$(BIN)/python -m pytest -m screenshots

check: setup  ## check format, lint, types and layering
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

RUN := runs/$(shell date -u +%Y%m%dT%H%M%S)
TIMED := bash -c 'time "$$0" "$$@"'

evaluate: setup  ## measure most of the first table of docs/evaluation.md, into runs/
	mkdir -p $(RUN)
	$(TIMED) $(BIN)/abstractqa index $(SHARED)/digests --year 2025 --store $(RUN)/store
	$(TIMED) $(BIN)/abstractqa index $(SHARED)/digests --year 2025 --store $(RUN)/store
	$(TIMED) $(BIN)/abstractqa ask "What is MindSearch?" --store $(RUN)/store
	$(BIN)/abstractqa eval answers $(SHARED)/questions/dev.jsonl --store $(RUN)/store --out $(RUN)/answers
	$(BIN)/abstractqa eval retrieval $(SHARED)/beir/scifact --out $(RUN)/scifact

gate: setup  ## check that nothing got worse, question by question
	$(BIN)/abstractqa eval gate

fit: setup  ## refit the models behind the answers, and measure them on collections left out
	$(BIN)/abstractqa eval fit --data $(SHARED) --leave-out

BOARD := runs/leaderboard/$(shell git rev-parse --short HEAD 2>/dev/null)
SYSTEMS := abstractqa bm25 haystack llamaindex-extractive llamaindex-fusion llamaindex-starter txtai
EVAL := $(BIN)/abstractqa eval

# Our system uses models that were fitted without the collection. Existing results are not measured again.
leaderboard: peers  ## write docs/LEADERBOARD.md: systems that need no model, on six sets (an hour or two); resumes if interrupted
	for set in "acl acl corpora/acl.jsonl" "bio bio corpora/bio.jsonl" "dev digests digests" "dev2 digests digests"; do \
	  set -- $$set; \
	  $(BIN)/abstractqa index $(SHARED)/$$3 --year 2025 --store $(BOARD)/$$2; \
	  for system in $(SYSTEMS); do \
	    ours=; [ $$system != abstractqa ] || ours="--left-out $$2 --data $(SHARED)"; \
	    out=$(BOARD)/$$1-$$system; [ -f $$out/metrics.json ] || $(EVAL) answers $(SHARED)/questions/$$1.jsonl \
	      --store $(BOARD)/$$2 --mode extractive --system $$system $$ours --out $$out || [ $$system != abstractqa ] || exit 1; \
	  done; \
	done
	for set in "scifact" "litsearch_acl --size 6000"; do \
	  for system in $(SYSTEMS); do \
	    out=$(BOARD)/$${set%% *}-$$system; [ -f $$out/metrics.json ] || $(EVAL) retrieval $(SHARED)/beir/$$set \
	      --system $$system --out $$out || [ $$system != abstractqa ] || exit 1; \
	  done; \
	done
	$(EVAL) leaderboard $$(dirname $(BOARD)/*/metrics.json) --out docs/LEADERBOARD.md

NEEDED = $$($(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")

# Separate from what is audited: pip-audit asks PyPI, cyclonedx-bom lists the components.
.venv/audit: | .venv/ready
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet pip-audit==2.10.1 cyclonedx-bom==7.5.0

audit: .venv/audit  ## check installed packages for known vulnerabilities (asks PyPI)
	.venv/audit/bin/pip-audit --progress-spinner off --path $(NEEDED)

# The command and our packages must come from the wheel, and only their dependencies from .venv.
dist: setup .venv/audit  ## build the release in dist/ and try it; list licences and parts of what it needs
	rm -rf dist build
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m tools.licences > dist/LICENCES.txt
	.venv/audit/bin/cyclonedx-py environment --output-reproducible $(BIN)/python \
	  | sed 's|file://$(CURDIR)|.|' > dist/SBOM.json
	$(PYTHON) -m venv dist/tried
	dist/tried/bin/python -m pip install --quiet --no-deps dist/*.whl
	needed=$(NEEDED) && cd dist && export PYTHONPATH=$$needed && tried/bin/abstractqa --help > /dev/null \
	  && tried/bin/python -c "import eval, index, rag, ui; print(rag.__file__)"
	rm -rf dist/tried build

clean:  ## remove what make and the tools made; never runs/, .env or an index
	rm -rf .venv dist build .coverage abstractqa.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
