# Thin: everything is done by Meson and the scripts in tools/.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CAPS ?= no
LOAD ?= all

.PHONY: run build deps test lint bench install golden fuzz clean

run:
	@tools/deps build
	@tools/build $(BUILD) program
	@$(BUILD)/src/doorward

build:
	@tools/deps build
	@tools/build $(BUILD)

deps:
	@tools/deps

test:
	@tools/deps build test hosts page
	@tools/build $(BUILD)
	@tools/test $(BUILD)

lint:
	@tools/deps build lint
	@tools/lint

bench:
	@tools/deps build test bench
	@tools/build $(BUILD)
	@bench/run $(BUILD) $(LOAD)

install:
	@tools/deps build
	@tools/build $(BUILD) installed --prefix=$(PREFIX) --libdir=lib
	@CAPS=$(CAPS) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) tools/install $(BUILD)

golden: build
	@tools/deps test
	@tools/golden $(BUILD)

fuzz:
	@tools/deps build
	@tools/fuzz

clean:
	@rm -rf $(BUILD) build-*
