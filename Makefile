# Real-time analytics: `make demo` runs the whole pipeline here, `make test` checks everything CI checks.
# Everything that is installed goes into this checkout: .venv, .cache, node_modules, build.

ifneq ($(filter 3.7% 3.80 3.81,$(MAKE_VERSION)),)
$(error GNU make $(MAKE_VERSION) knows no .SHELLFLAGS; this Makefile needs 3.82 or newer. On macOS: brew install make, then gmake $(MAKECMDGOALS))
endif

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# They decide where Python, pip and npm find and put things, and belong to the shell's other work.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONWARNINGS PYTHONSTARTUP PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT
unexport NODE_ENV NODE_PATH BASH_ENV
export PYTHONUTF8 := 1

# The targets that take a variable. It counts behind make only: ENV=prod of a shell does not decide what is destroyed.
variables := ENV FROM TO SOURCE ARGS FUZZ_SECONDS FUZZ_EXAMPLES JOB NAME KIND KEY
takes_ENV := backfill synth nist cost deploy diff destroy start stop smoke redrive forget
takes_FROM := backfill
takes_TO := backfill
takes_SOURCE := demo
takes_JOB := check watch
takes_NAME := new-job
takes_KIND := new-job
takes_KEY := new-job
takes_FUZZ_SECONDS := fuzz
takes_FUZZ_EXAMPLES := fuzz
takes_ARGS := demo backfill sql test unit synth-tests jobs e2e bench bench-functions cost deploy diff destroy start stop smoke redrive forget
from_the_shell = $(and $(filter environment%,$(origin $(1))),$(filter $(takes_$(1)),$(MAKECMDGOALS)))
$(foreach name,$(variables),$(if $(call from_the_shell,$(name)),$(error the shell holds $(name)='$($(name))', which does not count: unset $(name), and write make $(MAKECMDGOALS) $(name)=...)))

# Nor does it reach a target in any other way, as a prerequisite or through another make.
$(foreach name,$(variables),$(if $(filter environment%,$(origin $(name))),$(eval override $(name) :=)))

# The first Python on the path that is a 3.11; PYTHON=python3.11 names another, behind make or in the shell.
PYTHON ?= $(shell for p in python3.11 python3 python; do $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3.11)
PY := .venv/bin/python
MVN := mvn -B -q -ntp "-Dmaven.repo.local=$(CURDIR)/.cache/m2"

JAVA_SOURCES := $(shell find flink_jobs/java -name '*.java' 2>/dev/null)
APPLICATION_SOURCES := $(shell find contracts flink_jobs sql -name '*.py' -o -name '*.sql' 2>/dev/null)
PYTHON_CODE := app.py benchmarks config contracts flink_jobs lambdas local monitoring operations scripts stacks tests

VENV := .venv/.installed
JAR := build/maven/realtime-analytics.jar
ZIP := build/application.zip
FUZZ_CLASSPATH := build/maven/fuzz.classpath
OPENSEARCH := .cache/opensearch/.installed
KAFKA := .cache/kafka/.installed
# Where the demo's events come from: kinesis, msk or s3. Kafka is fetched for msk and for the tests only.
SOURCE := $(or $(SOURCE),kinesis)
SQL_CLIENT := .cache/sql-client/.installed
S3_FILESYSTEM := .cache/s3-filesystem/.installed
NODE := node_modules/.installed

# A shell's own USER is nobody to forget: only one that was written behind make counts.
person = $(if $(filter command,$(origin USER)),$(USER),$(error which user? make forget ENV=prod USER=42))
environment = $(or $(ENV),$(error which environment? make $@ ENV=dev))
say = @printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  Options go into ARGS: make demo ARGS='--events 50000 --seed 7 --keep'; make demo ARGS=--help"

.PHONY: demo
demo: setup package $(NODE) $(if $(filter msk,$(SOURCE)),$(KAFKA)) ## SOURCE=kinesis|msk|s3: the whole pipeline on this machine, from event to alert, and its reconciliation
	@$(PY) -m local.demo --source $(SOURCE) $(ARGS)

.PHONY: backfill
backfill: setup package $(if $(ENV),,$(NODE)) ## FROM=... TO=... (UTC): an archive's results once more; of the latest demo, or with ENV=dev on AWS
	@$(PY) -m $(if $(ENV),operations.backfill $(ENV),local.backfill) --from $(or $(FROM),$(error from when on? make backfill FROM=2026-11-24T00:00:00Z TO=2026-11-25T00:00:00Z)) --to $(or $(TO),$(error until when? make backfill FROM=... TO=...)) $(ARGS)

.PHONY: new-job
new-job: check-machine $(VENV) ## NAME=revenue KIND=sql|python KEY=category: the files of a job that runs (docs/add-a-job.md)
	@$(PY) -m scripts.new_job --name '$(or $(NAME),$(error which name? make new-job NAME=revenue KIND=sql KEY=category))' --kind '$(KIND)' --key '$(KEY)'
	@$(MAKE) --no-print-directory docs

.PHONY: check
check: $(if $(JOB),$(VENV) $(JAR),check-machine) ## JOB=revenue: what matters for one job, in seconds; without: names what the machine lacks
	@$(if $(JOB),$(PY) -m local.job_check $(JOB))

.PHONY: watch
watch: $(VENV) $(JAR) ## JOB=revenue: checks the job at every save, over one warm cluster
	@$(PY) -m local.job_check $(or $(JOB),$(error which job? make watch JOB=revenue)) --watch

.PHONY: sql
sql: setup package $(SQL_CLIENT) ## Flink's SQL client on the streams of a demo that runs (make demo ARGS=--keep), to try a query
	@$(PY) -m local.sql_client $(ARGS)

.PHONY: test
test: check-tests setup ## everything that CI checks
	@$(MAKE) --no-print-directory -j2 --output-sync=line lint package
	@$(MAKE) --no-print-directory unit synth-tests jobs e2e
	$(call say,all checks passed)

.PHONY: setup
setup: check-machine $(VENV) $(OPENSEARCH) ## installs into this checkout; a second call skips what is done

.PHONY: check-machine
check-machine:
	@PYTHON='$(PYTHON)' bash scripts/check_system.sh

.PHONY: check-tests
check-tests: ## as check, and the browser that the end-to-end tests drive
	@PYTHON='$(PYTHON)' bash scripts/check_system.sh tests

.PHONY: package
package: check-machine $(ZIP) ## build/application.zip, as the managed service wants it

.PHONY: synth
synth: package $(NODE) ## templates of every environment (ENV=dev: of one), offline, into build/cdk
	@$(PY) -m scripts.synth $(ENV)

.PHONY: lint
lint: check-machine $(VENV) $(NODE) ## ruff, mypy strict, bandit, sqlfluff, markdownlint
	$(call say,lint)
	@.venv/bin/ruff check $(PYTHON_CODE)
	@.venv/bin/ruff format --check $(PYTHON_CODE)
	@.venv/bin/mypy $(PYTHON_CODE)
	@.venv/bin/bandit -q -r -ll -c pyproject.toml $(filter-out tests,$(PYTHON_CODE))
	@.venv/bin/sqlfluff lint sql
	@$(PY) -m scripts.docs --check
	@$(PY) -m scripts.redshift --check
	@node_modules/.bin/markdownlint-cli2

.PHONY: format
format: check-machine $(VENV) ## formats Python and SQL
	@.venv/bin/ruff check --fix $(PYTHON_CODE)
	@.venv/bin/ruff format $(PYTHON_CODE)
	@.venv/bin/sqlfluff fix sql

.PHONY: unit
unit: check-machine $(VENV) $(NODE) ## unit tests: seconds, no JVM
	$(call say,unit tests)
	@$(PY) -m pytest -n 2 tests/unit $(ARGS)

.PHONY: fuzz
fuzz: check-machine $(VENV) $(FUZZ_CLASSPATH) ## foreign bytes for every reader; FUZZ_SECONDS=60 each in Java, FUZZ_EXAMPLES=5000 each in Python
	$(call say,fuzz targets in Java)
	@$(PY) -m scripts.fuzz --seconds $(or $(FUZZ_SECONDS),60)
	$(call say,fuzz tests in Python)
	@HYPOTHESIS_PROFILE=fuzz FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),5000) $(PY) -m pytest -n 2 tests/unit -m fuzz

.PHONY: synth-tests
synth-tests: synth ## templates against cdk-nag, cfn-lint, every security promise, their snapshots, and the calls that are made
	$(call say,synth tests)
	@$(PY) -m pytest tests/synth tests/iam $(ARGS)

.PHONY: snapshots
snapshots: package ## writes tests/synth/snapshots anew: read the difference before you commit it
	@$(PY) -m pytest tests/synth/test_snapshots.py tests/synth/test_docs.py --update-snapshots

.PHONY: jobs
jobs: setup package $(KAFKA) ## the jobs on a Flink mini cluster against an independent oracle
	$(call say,job tests)
	@$(PY) -m pytest -n 3 --dist loadfile tests/jobs $(ARGS)

.PHONY: e2e
e2e: check-tests setup package $(NODE) $(KAFKA) $(SQL_CLIENT) $(S3_FILESYSTEM) ## the whole pipeline on local parts, and its page in Chromium
	$(call say,end-to-end tests)
	@$(PY) -m pytest -n 2 --dist loadfile tests/e2e $(ARGS)

.PHONY: screenshots
screenshots: setup package $(NODE) ## docs/page/*.png, of a run with faults injected; needs Chromium
	@$(PY) -m scripts.screenshots

.PHONY: bench
bench: setup package ## ARGS='--beside COMMIT': what the jobs cost beside plain Python, Polars and the queries as first written; over an hour
	@$(PY) -m pytest -q tests/benchmarks
	@$(PY) -m benchmarks $(ARGS)

.PHONY: bench-functions
bench-functions: package ## what a cold start of each Lambda function costs; a minute
	@$(PY) -m benchmarks.functions $(ARGS)

.PHONY: nist
nist: package ## what the NIST 800-53 rules say, into build/nist-*.md: a report, not a gate
	@$(PY) -m scripts.nist $(ENV)

.PHONY: cost
cost: package $(NODE) ## ENV=dev: what it costs a month, line by line, running and stopped; needs no account
	@$(PY) -m operations.cost $(call environment) $(ARGS)

.PHONY: deploy
deploy: package $(NODE) ## ENV=dev: checks account, prerequisites and losses, deploys every stack, starts the job
	@$(PY) -m operations.deploy $(call environment) $(ARGS)

.PHONY: diff
diff: package $(NODE) ## ENV=dev: what a deployment would change
	@$(PY) -m operations.diff $(call environment) $(ARGS)

.PHONY: destroy
destroy: package $(NODE) ## ENV=dev: deletes the stacks; asks first
	@$(PY) -m operations.destroy $(call environment) $(ARGS)

.PHONY: start stop
start stop: check-machine $(VENV) ## ENV=dev: starts or stops the application, without a deployment
	@$(PY) -m operations.application $@ $(call environment) $(ARGS)

.PHONY: smoke
smoke: check-machine $(VENV) ## ENV=dev: sends a canary event and waits for its result
	@$(PY) -m operations.smoke $(call environment) $(ARGS)

.PHONY: redrive
redrive: check-machine $(VENV) ## ENV=dev: dead letters; ARGS='replay --dry-run', 'show --id ID', 'events --reason future', ...
	@$(PY) -m operations.redrive $(or $(ARGS),list) $(call environment)

.PHONY: forget
forget: check-machine $(VENV) ## ENV=prod USER=42: removes a person from the index and the dead letters
	@$(PY) -m operations.forget $(call environment) --user $(call person) $(ARGS)

.PHONY: docs
docs: check-machine $(VENV) ## writes the derived pages of docs/
	@$(PY) -m scripts.docs
	@$(PY) -m scripts.redshift

.PHONY: lock
lock: $(VENV) ## writes requirements/dev.lock from dev.in
	@$(PYTHON) -m venv .cache/pip-tools && .cache/pip-tools/bin/pip install -q pip-tools==7.5.2
	@.cache/pip-tools/bin/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements/dev.lock requirements/dev.in

.PHONY: clean
clean: ## removes everything that was installed or built
	@rm -rf .venv .cache build node_modules .run .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV): requirements/dev.lock | check-machine
	$(call say,Python packages into .venv (about 2 minutes))
	@test ! -L .venv || { echo '.venv is a link: it would be emptied for whoever else uses it; remove the link' >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@set -o pipefail; .venv/bin/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements/dev.lock \
	  | grep --line-buffered -E '^(Collecting|Building|Installing|Successfully)' | cut -c1-100
	@touch $@

$(JAR): pom.xml .mvn/jvm.config $(JAVA_SOURCES) $(wildcard tests/vectors/*.json) | check-machine
	$(call say,Java part and connector jar; JUnit tests (first time about 1 minute))
	@$(MVN) clean package
	@touch $@

$(FUZZ_CLASSPATH): $(JAR)
	@$(MVN) test-compile dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/$@

$(ZIP): $(JAR) $(APPLICATION_SOURCES) scripts/package.py scripts/class_files.py config/runtimes.py | $(VENV)
	@$(PY) -m scripts.package

$(OPENSEARCH): local/standins/opensearch/pom.xml | check-machine
	$(call say,OpenSearch from Maven (first time about 1 minute))
	@mkdir -p $(@D)
	@$(MVN) -f $< dependency:copy-dependencies "-DoutputDirectory=$(CURDIR)/$(@D)/lib"
	@touch $@

$(KAFKA): local/standins/kafka/pom.xml | check-machine
	$(call say,Kafka from Maven (first time about 1 minute))
	@mkdir -p $(@D)
	@$(MVN) -f $< dependency:copy-dependencies "-DoutputDirectory=$(CURDIR)/$(@D)/lib"
	@touch $@

$(SQL_CLIENT): local/standins/sql_client/pom.xml | check-machine
	$(call say,Gateway of Flink's SQL client from Maven)
	@mkdir -p $(@D)
	@$(MVN) -f $< dependency:copy-dependencies "-DoutputDirectory=$(CURDIR)/$(@D)"
	@touch $@

$(S3_FILESYSTEM): local/standins/s3_filesystem/pom.xml | check-machine
	$(call say,Flink's file system for S3 from Maven)
	@mkdir -p $(@D)
	@$(MVN) -f $< dependency:copy-dependencies "-DoutputDirectory=$(CURDIR)/$(@D)/plugins/s3-fs-hadoop"
	@touch $@

$(NODE): package.json package-lock.json | check-machine
	$(call say,npm packages)
	@npm ci --include=dev --silent --no-fund --no-audit
	@touch $@
