# Thin: everything is done by Meson and the scripts in tools/.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CAPS ?= no
LOAD ?= all

.PHONY: run build deps test lint bench install golden fuzz clean

run: build
	@$(BUILD)/src/doorward

build: deps
	@tools/build $(BUILD)

deps:
	@tools/deps

test: build
	@tools/test $(BUILD)

lint: deps
	@tools/lint

bench: build
	@bench/run $(BUILD) $(LOAD)

install: build
	@meson configure $(BUILD) --prefix $(PREFIX) >/dev/null
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --quiet
	@CAPS=$(CAPS) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) tools/install-capabilities

golden: build
	@tools/golden $(BUILD)

fuzz: deps
	@tools/fuzz

clean:
	@rm -rf $(BUILD) build-*
