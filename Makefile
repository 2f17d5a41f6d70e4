# `make demo` and `make test` do all their set-up themselves; `make help` lists the rest.
# They need Python 3.11 or newer with venv, and on first use the network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE = $(firstword $(sort $(wildcard edge_asr/samples/*.flac edge_asr/samples/*.ogg)))
GRAMMAR := edge_asr/samples/home.yaml

# A stamp is one completed installation; a change to what it depends on installs again.
pins := pyproject.toml constraints.txt
runtime := $(VENV)/.runtime-$(notdir $(PYTHON))
dev := $(VENV)/.dev-$(notdir $(PYTHON))

# A registry that answers at all answers within seconds; whoever sits behind a slow one sets PIP_DEFAULT_TIMEOUT.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off \
	--timeout $(or $(PIP_DEFAULT_TIMEOUT),15) --retries 2 --constraint constraints.txt
pip_log := $(VENV)/pip.log
network_signs := Retrying \(Retry|ConnectionError|ConnectTimeout|NameResolution|name resolution|ProxyError|SSLError|timed out

# $(call install,REQUIREMENT): quiet when it works; when it does not, what to do.
define install
	@$(PIP_INSTALL) --editable '$(1)' >$(pip_log) 2>&1 || { \
		if grep -qE '$(network_signs)' $(pip_log); then \
			echo "edge-asr: the Python package registry cannot be reached (details: $(pip_log)): check the network or proxy, or set PIP_INDEX_URL to a mirror, and run make again." >&2; \
		else \
			grep -E '\S' $(pip_log) | tail -n 12 >&2; \
			echo "edge-asr: pip could not install $(1): see above, and $(pip_log) for the whole of it." >&2; \
		fi; \
		exit 1; }
endef

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint format bench clean say-demo say-test

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: say-demo $(runtime) ## transcribe a bundled recording, freely and with a grammar
	@test -n "$(SAMPLE)" || { echo "edge-asr: no recording in edge_asr/samples: this checkout is incomplete, clone it again." >&2; exit 1; }
	$(BIN)/edge-asr transcribe $(SAMPLE)
	$(BIN)/edge-asr transcribe --grammar $(GRAMMAR) $(SAMPLE)

test: say-test $(dev) ## ruff, mypy and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

lint: $(dev) ## ruff and mypy only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(dev) ## let ruff lay out the code and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(dev) ## measure accuracy, latency and memory on this machine
	$(BIN)/python -m benchmarks

clean: ## remove caches and build outputs (.venv stays)
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find edge_asr export benchmarks firmware_bridge tests -name __pycache__ -type d -prune -exec rm -rf {} +

say-demo:
	@echo "make demo: installs the runtime into $(VENV) (once), then transcribes a bundled recording twice:"
	@echo "freely, and with the commands of $(GRAMMAR)."

say-test:
	@echo "make test: installs the runtime and the development tools into $(VENV) (once; PyTorch is the large one),"
	@echo "then runs ruff, mypy and all tests. Tests that lack data or a system library skip and say so."

$(runtime): $(pins)
	@$(PYTHON) -c '' 2>/dev/null || { \
		echo "edge-asr: $(PYTHON) does not run: install Python 3.11 or newer, or name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "edge-asr: needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V): name a newer one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
			echo "edge-asr: this Python cannot make virtual environments: install its venv module (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }; \
		$(PYTHON) -m venv $(VENV) || { echo "edge-asr: could not make $(VENV): see above." >&2; exit 1; }; }
	@same='import sys; print(*sys.version_info[:2])'; \
		test "$$($(PYTHON) -c "$$same")" = "$$($(BIN)/python -c "$$same")" || { \
		echo "edge-asr: $(VENV) holds $$($(BIN)/python -V), but $(PYTHON) is $$($(PYTHON) -V): remove $(VENV) and run make again." >&2; exit 1; }
	$(call install,.)
	@$(BIN)/python -c 'import soundfile' 2>$(pip_log) || { tail -n 1 $(pip_log) >&2; \
		echo "edge-asr: soundfile does not load, probably for want of libsndfile (Debian, Ubuntu: apt install libsndfile1)." >&2; exit 1; }
	@touch $@

$(dev): $(runtime)
	$(call install,.[dev])
	@$(BIN)/python -c 'import sounddevice' 2>/dev/null || \
		echo "edge-asr: note: PortAudio is absent, so the microphone cannot be used (Debian, Ubuntu: apt install libportaudio2)."
	@touch $@
