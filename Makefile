# Each command sets up what it needs by itself: a .venv in this folder.

.PHONY: help demo test check format bench quality packaged clean

help:
	@echo "make demo    train on the bundled pictures of clothes for five minutes and look at the result"
	@echo "make test    run the tests"
	@echo "make check   ruff, mypy and the import rules"
	@echo "make format  let ruff put the code in order"
	@echo "make bench   measure speed, memory and quality in time; results go to benchmarks/results/"
	@echo "make quality compare every recipe on two data sets for hours; it may be stopped and goes on when given again"
	@echo "make packaged  make the generator that comes with the package anew, in hours; goes on when given again"

demo:
	@scripts/setup.sh
	@.venv/bin/ganvas demo

test:
	@scripts/setup.sh dev
	@.venv/bin/python -m pytest -q -n auto

check:
	@scripts/setup.sh dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format:
	@scripts/setup.sh dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench:
	@scripts/setup.sh dev
	.venv/bin/python -m benchmarks

quality:
	@scripts/setup.sh dev
	.venv/bin/python -m benchmarks comparison

packaged:
	@scripts/setup.sh dev
	.venv/bin/python -m benchmarks.make_packaged_generator

clean:
	rm -rf .venv build dist src/*.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
