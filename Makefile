# What a person types; .ci/run types the same.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# One set of flags for every build, so that `make build` and `make test` share their objects.
SWIFT_BUILD := swift build -c release --explicit-target-dependency-import-check error
PYTEST := .venv/bin/python -m pytest -p no:cacheprovider

.PHONY: help setup build demo run test test-long lint bench fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what building, running and testing need (Debian 12)
	scripts/setup all

build: ## the release binary, .build/release/shirushi
	@scripts/setup build
	$(SWIFT_BUILD) --product shirushi

demo: ## sign a prescription, dispense it, verify both, show the audit
	scripts/demo

run: ## keep a development instance serving (var/run/home)
	scripts/run

test: ## build everything once, then unit, forgery and end-to-end tests (a sample of the long ones)
	@scripts/setup all
	$(SWIFT_BUILD) --build-tests
	swift test -c release --skip-build --skip '^(CoreTests|WebTests|EvidenceTests|OutboundTests|PKCS11Tests)\.'
	swift test -c release --skip-build --filter '^(WebTests|EvidenceTests|OutboundTests)\.' --skip '^WebTests\.Console'  # apart: clocks judge
	swift test -c release --skip-build --filter '^WebTests\.Console'
	swift test -c release --skip-build --filter '^PKCS11Tests\.'  # apart: other tests' threads keep its sessions waiting
	swift test -c release --skip-build --filter '^CoreTests\.'  # apart: one process loads a PKCS#11 module once
	scripts/forgery-check
	$(PYTEST) --numprocesses 3 --dist loadfile --ignore Tests/EndToEnd/test_overload.py Tests/EndToEnd
	$(PYTEST) Tests/EndToEnd/test_overload.py  # apart: it measures how much this machine can bear

test-long: ## the same with every long test at its full count
	SHIRUSHI_LONG=1 $(MAKE) test
	scripts/bench-custody --rounds 0 --cold 10000000 --key-type p-256  # some six hours
	scripts/bench-logins --long  # half an hour, and the verification of its log

lint: ## formatting and the house rules
	swift format lint --strict --parallel --recursive Package.swift Sources Tests
	.ci/checks

bench: build ## signatures per second and CPU each beside the raw token's, logins and token requests per second
	@scripts/setup all
	scripts/bench

fuzz: ## feed every fuzz target for SECONDS (600), under the address sanitiser
	@scripts/setup all
	scripts/fuzz $(or $(SECONDS),600)

clean: ## remove everything that was built or made, the demo's instances too
	rm -rf .build .venv var Tests/EndToEnd/__pycache__
