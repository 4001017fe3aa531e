# make help lists what there is to do.

SWIFT  ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= python3

# Warnings are errors here and in CI, not for those who depend on the package.
STRICT := -Xswiftc -warnings-as-errors --explicit-target-dependency-import-check error
SOURCES := Sources Tests Package.swift
MTCONV := .build/release/mtconv

BIN := $(DESTDIR)$(PREFIX)/bin
BASH_COMPLETIONS := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS := $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISH_COMPLETIONS := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

.DEFAULT_GOAL := help
.PHONY: help deps build demo demo-smollm2 test lint format debug unit-tests kernels docs smoke interop install uninstall clean

help: ## List these commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Compress the bundled model and show what came of it: no download
	@scripts/demo.sh

demo-smollm2: build ## The same with SmolLM2-135M-Instruct (downloads 93 MB once)
	@scripts/demo.sh smollm2

build: deps ## Build the release binary, .build/release/mtconv
	$(SWIFT) build -c release --product mtconv

# In the order that says soonest what is wrong.
test: ## Everything that CI runs
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory debug
	@$(MAKE) --no-print-directory unit-tests
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory kernels docs smoke
	@echo "all checks passed"

lint: ## Check the format of the sources
	$(SWIFT) format lint -s -p -r $(SOURCES)

format: ## Format the sources
	$(SWIFT) format -i -p -r $(SOURCES)

debug: deps ## Build everything for debugging, warnings as errors
	$(SWIFT) build --build-tests $(STRICT)

unit-tests: ## Run the tests that `make debug` built
	$(SWIFT) test --skip-build --parallel $(STRICT)

kernels: ## Check that the release binary holds its AVX2 and AVX-512 kernels
	Tests/Interop/check_kernels.sh $(MTCONV)

docs: ## Check links and commands in the documentation
	scripts/check-docs.sh $(MTCONV)

smoke: ## Run the demo and say only whether it works
	@DEMO_OUT=.build/smoke scripts/demo.sh > .build/smoke.log 2>&1 || { cat .build/smoke.log; exit 1; }
	@rm -rf .build/smoke
	@echo "demo works"

interop: build ## Check against transformers, gguf and llama.cpp (needs Tests/Interop/requirements.txt)
	PYTHON=$(PYTHON) Tests/Interop/run.sh

# An existing binary is taken as it is, so that `sudo make install` compiles nothing.
install: $(MTCONV) ## Install mtconv and its completions under PREFIX (default /usr/local)
	install -d "$(BIN)" "$(BASH_COMPLETIONS)" "$(ZSH_COMPLETIONS)" "$(FISH_COMPLETIONS)"
	install -m 755 $(MTCONV) "$(BIN)/mtconv"
	$(MTCONV) --generate-completion-script bash > "$(BASH_COMPLETIONS)/mtconv"
	$(MTCONV) --generate-completion-script zsh > "$(ZSH_COMPLETIONS)/_mtconv"
	$(MTCONV) --generate-completion-script fish > "$(FISH_COMPLETIONS)/mtconv.fish"

$(MTCONV):
	@$(MAKE) --no-print-directory build

uninstall: ## Remove what install put there
	rm -f "$(BIN)/mtconv" "$(BASH_COMPLETIONS)/mtconv" "$(ZSH_COMPLETIONS)/_mtconv" "$(FISH_COMPLETIONS)/mtconv.fish"

deps: ## Install missing system libraries
	@scripts/install-deps.sh

clean: ## Remove everything that was built
	rm -rf .build
