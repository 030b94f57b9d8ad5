# `make` lists the commands. What each needs is set up first: see tools/setup.py.

export R_LIBS := $(CURDIR)/.rlib
export RETICULATE_PYTHON := $(CURDIR)/.venv/bin/python
export KERAS_BACKEND := tensorflow
export KERAS_HOME := $(CURDIR)/.cache/keras
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export TF_CPP_MIN_LOG_LEVEL := 3

.PHONY: help setup demo test test-browser test-backends test-export test-new fuzz coverage lint check bench bench-learnable docs site clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 24

setup: ## install what is missing: R packages, Python packages, kerascrop itself
	@python3 tools/setup.py

demo: setup ## crop, train and draw; pictures and figures go to demo-output/
	@Rscript inst/examples/demo.R

SUITES := python r browser

test: setup ## run all tests, Python, R and those in a browser, and count them
	@python3 tools/setup.py $(if $(filter browser,$(SUITES)),--browser)
	@python3 tools/test.py $(SUITES)

test-browser: ## run the tests of the crop editor in Chromium alone
	@$(MAKE) --no-print-directory test SUITES=browser

test-backends: setup ## run the Python tests on TensorFlow, JAX and PyTorch
	@python3 tools/setup.py --backends
	@failed=0; for backend in tensorflow jax torch; do \
	  echo; echo "== $$backend"; KERAS_BACKEND=$$backend python3 tools/test.py python || failed=1; \
	done; exit $$failed

test-export: setup ## export every layer to every runtime, compare, and write vignettes/exports.md
	@python3 tools/setup.py --backends
	@.venv/bin/python -m pip install --quiet --requirement tools/requirements-export.txt
	@.venv/bin/python tests/export/table.py
	@PYTHONPATH=inst/python .venv/bin/python -m pytest -q -p no:cacheprovider tests/export

CASES := 100000
SEED := 1
PARTS :=

fuzz: setup ## draw cases at random, on all backends, and count what is wrong: CASES=100000 SEED=1
	@python3 tools/setup.py --backends
	@python3 tools/fuzz.py $(CASES) $(SEED) $(PARTS)

test-new: ## run the R tests on newer versions: Debian trixie, in .trixie/; needs root and debootstrap
	@tools/trixie.sh make test SUITES=r

coverage: setup ## run all tests, and say how many lines of R and of Python they run, and which not
	@python3 tools/setup.py covr
	@NOT_CRAN=true Rscript -e 'print(covered <- covr::package_coverage(quiet = FALSE))' \
	  -e 'print(unique(covr::zero_coverage(covered)[c("filename", "line")]), row.names = FALSE)'
	@.venv/bin/python -m pip install --quiet coverage
	@PYTHONPATH=inst/python PYTHONDONTWRITEBYTECODE=1 COVERAGE_FILE=.cache/coverage \
	  .venv/bin/python -m coverage run --source=inst/python/kerascrop -m pytest -q -p no:cacheprovider tests/python
	@COVERAGE_FILE=.cache/coverage .venv/bin/python -m coverage report --show-missing --skip-covered

lint: setup ## look for what is unclean: lintr for R, ruff for Python
	@python3 tools/setup.py lintr
	@Rscript -e 'found <- unlist(lapply(c(".", "bench", "tools"), function(path) lintr::lint_dir(path)), FALSE)' \
	  -e 'class(found) <- "lints"; print(found); quit(status = length(found) > 0)'
	@.venv/bin/python -m pip install --quiet ruff
	@.venv/bin/ruff check --no-cache --config inst/python/pyproject.toml inst tests bench tools

check: setup ## run R CMD check --as-cran, in .check/
	@tools/check.sh

bench: setup ## run the scripts in bench/, each against its peers
	@for script in $(wildcard bench/*.R); do echo "== $$script"; Rscript $$script || exit 1; done
	@for script in $(filter-out bench/_% bench/learnable% bench/label%,$(wildcard bench/*.py)); do \
	  echo "== $$script"; $(RETICULATE_PYTHON) $$script || exit 1; \
	done

bench-learnable: setup ## train learnable crops and their peers, 10 seeds each; takes hours
	@$(RETICULATE_PYTHON) bench/learnable_digits.py

docs: setup ## write NAMESPACE and man/ with roxygen2, and draw the README's pictures
	@python3 tools/setup.py roxygen2
	@Rscript -e 'roxygen2::roxygenise()'
	@python3 tools/setup.py
	@Rscript tools/figures.R
	@python3 tools/setup.py --browser
	@$(RETICULATE_PYTHON) tools/screenshots.py

site: setup ## build a site of the help pages and vignettes with pkgdown, in docs/, and follow its links
	@python3 tools/setup.py pkgdown
	@Rscript tools/site.R
	@python3 tools/links.py docs

clean: ## remove everything that make made
	rm -rf .cache .check .rlib .trixie .venv demo-output docs
