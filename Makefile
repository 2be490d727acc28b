# parley: `make run` shows it at work, `make test` tests it; `make help` lists the rest.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
BUILD := build
CMAKE_RELEASE := $(BUILD)/build.ninja

.PHONY: help run test quick build setup sanitize bench fuzz fuzz-quick soak soak-sim format tidy docs clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: build ## the demo: two members find what they share in real public material
	@tools/demo

test: setup ## all tests: whole programs, all rooms under sanitizers, fuzz corpora
	@tools/run-tests

quick: setup ## unit tests only, without sanitizers
	@cmake --preset release >/dev/null
	@cmake --build $(BUILD) -j $(JOBS) --target unit-tests
	@ctest --test-dir $(BUILD) -L unit -j $(JOBS) --output-on-failure --no-tests=error

build: setup ## the program at build/parley
	@cmake --preset release >/dev/null
	@cmake --build $(BUILD) -j $(JOBS) --target parley

setup: ## install what building needs (as root or with sudo), or say what to type
	@tools/setup

bench: setup ## benchmarks: kernels, the whole protocol, and the medium pairs of real lists
	@tools/run-bench

fuzz: setup ## fuzz every target for a long time (FUZZ_SECONDS each, default 600)
	@tools/run-fuzz $${FUZZ_SECONDS:-600}

fuzz-quick: setup ## fuzz every target for 60 s
	@tools/run-fuzz 60

soak: build ## sessions, imports and crashes for an hour (SOAK_SECONDS)
	@tools/run-soak $${SOAK_SECONDS:-3600}

soak-sim: build ## simulated sessions under random faults on all cores (SIM_SESSIONS, default 1,000,000)
	@cmake --build $(BUILD) -j $(JOBS) --target parley_fast_sim
	@tools/run-soak-sim $${SIM_SESSIONS:-1000000}

format: setup ## clang-format all sources
	@git ls-files '*.cpp' '*.h' | xargs clang-format-19 -i

tidy: setup ## clang-tidy on what differs from the last commit (TIDY_ALL=1: everything)
	@cmake --preset release >/dev/null
	@tools/run-tidy

docs: build ## rewrite the command reference from the program's own help
	@tools/make-command-reference build/parley > docs/commands.md

clean: ## forget everything that was built
	rm -rf $(BUILD)
