# Everything lives in the clone: .venv is made by the first target that needs it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo docs test test-portable fuzz engines mutants check speed clean

demo: .venv/ready
	$(BIN)/python scripts/demo.py

# one thread of each worker computes; the tests of a file share what they set up
TEST := -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

test: .venv/dev
	$(BIN)/python $(TEST)

# the whole suite as several other machines would run it; see docs/equality.md
test-portable: .venv/dev
	$(BIN)/python tests/portable.py

# broken input for every reader: 2,000 examples of each property, from new seeds each time; of a
# failure the smallest example is printed, and .hypothesis tries it first the next time
fuzz: .venv/dev
	GEM_FUZZ=2000 $(BIN)/python $(TEST) tests/fuzz

# many processes: more of them, and each killed ten times. A quarter of an hour on two cores.
engines: .venv/dev
	GEM_KILLS=10 $(BIN)/python -m pytest tests/engines

# every change of a line that makes numbers: does a test fail? An hour and more on two cores.
mutants: .venv/dev
	$(BIN)/mutmut run
	$(BIN)/mutmut results
	$(BIN)/mutmut export-cicd-stats && cat mutants/mutmut-cicd-stats.json

check: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# the documentation as a site, build/site; every link is checked
docs: .venv/dev
	$(BIN)/mkdocs build --quiet

speed: .venv/ready
	$(BIN)/python scripts/speed.py

# uv, installed into the environment, resolves and unpacks about four times faster than pip; compiled
# at once, every command starts in half the time where Python may not write bytecode of its own.
INSTALL := $(BIN)/uv pip install --quiet --compile-bytecode --constraint constraints.txt --editable

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(INSTALL) .
	touch $@

# with all extras and what tests and checks need
.venv/dev: .venv/ready
	$(INSTALL) '.[dev]'
	touch $@

clean:
	rm -rf .venv .venv-reference outputs multirun mutants build *.egg-info
