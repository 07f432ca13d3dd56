# Each target sets the project up first, if it is not yet, and then does its work.
# PYTHON names the Python to set up with; ARGS are handed on, e.g. make test ARGS="-k wire"
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell command -v $(name) 2>/dev/null)))
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup lab test lint validate notebooks student slides book captures measured stacks bench soak fuzz coverage constraints

help:
	@echo "make lab        open JupyterLab at the first notebook"
	@echo "make test       run every test, and validate every notebook"
	@echo "make setup      only set up;  make lint  only look at the code"
	@echo "make validate   hold every notebook against its outputs: live, tapped, replayed"
	@echo "make notebooks  make the notebooks' outputs anew;  make student  copies without solutions"
	@echo "make slides     hand-outs below build/, for any browser;  make book  the same as pages"
	@echo "make captures   make the reference recordings anew;  make stacks  the report's"
	@echo "make measured   measure anew what the notebooks replay of the latency lab"
	@echo "make bench      measure;  make soak  the long tests;  make fuzz  the fuzzers (need atheris)"
	@echo "make coverage   whether the tests go through every branch of what parses"
	@echo "make constraints  pin the newest versions that fit (needs uv)"

setup lab test lint validate notebooks student slides book captures measured stacks bench soak fuzz coverage:
	@test -n "$(PYTHON)" || { echo "socketio-lab: there is no Python here: install 3.11 or newer" \
	  "(on Debian: apt install python3 python3-venv), then call again" >&2; exit 1; }
	@$(PYTHON) tools/bootstrap.py $@ $(ARGS)

constraints:
	uv pip compile --universal --python-version 3.11 --upgrade --all-extras --quiet \
	  --no-header --no-annotate --no-emit-index-url -o constraints.txt pyproject.toml
