# cardfeed: live per-topic feeds inside nginx.  "make help" lists the targets.

MODULE   := build/ngx_http_cardfeed_module.so
CONTENT  ?= examples/content
PORT     ?= 8080
NGX_SRC  ?= /usr/share/nginx/src
CC       ?= cc
MINUTES  ?= 10
JOBS     ?= 2

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif

# Debian's packages: to build and run, to test, to lint, to measure.
BUILD_PACKAGES := gcc libc6-dev pkg-config nginx nginx-dev libyaml-dev \
	libxml2-dev liblmdb-dev libutf8proc-dev libxxhash-dev libmd4c-dev \
	libjansson-dev uuid-dev zlib1g-dev libbrotli-dev perl
TEST_PACKAGES := libcmocka-dev libxml-libxml-perl python3-feedparser \
	python3-yaml jing dpkg-dev brotli curl chromium chromium-driver
LINT_PACKAGES := clang-tidy cppcheck
BENCH_PACKAGES := wrk python3 hugo
FUZZ_PACKAGES := clang libclang-rt-14-dev

CORE     := $(filter-out ngx_cardfeed_module/ngx_%, \
	$(wildcard ngx_cardfeed_module/*.c))
HEADERS  := $(wildcard include/cardfeed/*.h ngx_cardfeed_module/*.h)
SOURCES  := $(wildcard ngx_cardfeed_module/*.c)
UNITS    := $(patsubst t/unit/%.c,build/unit/%,$(wildcard t/unit/test_*.c))
LIBS     := lmdb yaml-0.1 libxml-2.0 libutf8proc libxxhash jansson uuid \
	zlib libbrotlienc

CORE_CFLAGS = -std=c11 -O2 -g -Wall -Wextra -Wpointer-arith -Wconversion \
	-Wshadow -Werror -Iinclude -Ingx_cardfeed_module \
	$(shell pkg-config --cflags $(LIBS))
CORE_LIBS = $(shell pkg-config --libs $(LIBS)) -lmd4c -lpthread
TEST_LIBS = $(shell pkg-config --libs cmocka libbrotlidec)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer

.PHONY: all deps deps-test deps-lint deps-bench deps-fuzz build run test unit \
	integration soak bench bench-scale lint clean help

all: build

help:
	@echo 'make           build $(MODULE) against the installed nginx'
	@echo 'make deps      install what building and running needs (root or sudo)'
	@echo 'make build     the same as make'
	@echo 'make run       serve CONTENT ($(CONTENT)) on 127.0.0.1:PORT ($(PORT))'
	@echo 'make test      install what tests need, run all of them'
	@echo 'make unit, make integration   the two halves of them'
	@echo 'make soak      random changes and reloads for MINUTES ($(MINUTES)): feeds'
	@echo '               stay right, memory and descriptors flat'
	@echo 'make bench     measure responses; BENCH=--write puts them into docs/'
	@echo 'make bench-scale   measure scans, freshness and restarts; SCALE="1000 …"'
	@echo 'make lint      clang-tidy and cppcheck over all sources'
	@echo 'make clean     remove build/'

# --- packages ---------------------------------------------------------------

deps:
	@sh build-aux/install-packages.sh $(BUILD_PACKAGES)

deps-test:
	@sh build-aux/install-packages.sh $(BUILD_PACKAGES) $(TEST_PACKAGES)

deps-lint:
	@sh build-aux/install-packages.sh $(BUILD_PACKAGES) $(LINT_PACKAGES)

deps-bench:
	@sh build-aux/install-packages.sh $(BUILD_PACKAGES) $(BENCH_PACKAGES)

deps-fuzz:
	@sh build-aux/install-packages.sh $(BUILD_PACKAGES) $(FUZZ_PACKAGES)

# --- the module -------------------------------------------------------------

build: $(MODULE)

# Changes only when a source comes or goes: then nginx's Makefile is made anew.
.PHONY: FORCE
build/sources: FORCE
	@mkdir -p build
	@echo '$(SOURCES)' | cmp -s - $@ || echo '$(SOURCES)' > $@

# nginx's own configure writes into the directory it stands in, so it gets one
# of links; the module is named relatively, since nginx cannot take a path
# with spaces.  $(call configure,DIR,MODULE as seen from there)
define configure
	@test -x $(NGX_SRC)/configure || { \
	  echo 'nginx-dev is missing: run "make deps" first' >&2; exit 1; }
	@mkdir -p $(1)
	@ln -sfn $(NGX_SRC)/auto $(1)/auto
	@ln -sfn $(NGX_SRC)/src $(1)/src
	@ln -sfn $(NGX_SRC)/configure $(1)/configure
	cd $(1) && bash -c '. $(NGX_SRC)/conf_flags && \
	  ./configure "$${NGX_CONF_FLAGS[@]}" \
	  --with-cc-opt="-g -O2 -fstack-protector-strong -Wformat \
	    -Werror=format-security -D_FORTIFY_SOURCE=2" \
	  --with-ld-opt="-Wl,-z,relro -Wl,-z,now" \
	  --add-dynamic-module=$(2) > configure.log' \
	  || { tail -n 5 $(1)/configure.log >&2; exit 1; }
endef

build/nginx/objs/Makefile: config build/sources
	$(call configure,build/nginx,../..)

$(MODULE): build/nginx/objs/Makefile $(SOURCES) $(HEADERS)
	$(MAKE) -s -C build/nginx -f objs/Makefile modules
	@cp build/nginx/objs/ngx_http_cardfeed_module.so $@.new
	@mv $@.new $@

run: deps
	@$(MAKE) -s build
	@sh examples/run.sh '$(MODULE)' '$(CONTENT)' '$(PORT)'

# --- tests ------------------------------------------------------------------

test: deps-test
	@$(MAKE) -s build unit-programs
	@$(MAKE) -s unit
	@$(MAKE) -s integration

build/unit/core/%.o: ngx_cardfeed_module/%.c $(HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(CORE_CFLAGS) $(SANITIZE) -c -o $@ $<

build/unit/libcore.a: $(patsubst ngx_cardfeed_module/%.c, \
		build/unit/core/%.o,$(CORE))
	@rm -f $@
	@ar rcs $@ $^

build/unit/test_%: t/unit/test_%.c build/unit/libcore.a $(HEADERS) \
		$(wildcard t/unit/*.h)
	@$(CC) $(CORE_CFLAGS) -D_GNU_SOURCE $(SANITIZE) -o $@ $< build/unit/libcore.a \
	  $(CORE_LIBS) $(TEST_LIBS)

.PHONY: unit-programs
unit-programs: $(UNITS)

unit: $(UNITS)
	@failed=0; for t in $(UNITS); do \
	  echo "== $$t"; $$t || failed=1; \
	done; exit $$failed

integration: $(MODULE)
	prove -j$(JOBS) t/

soak: deps-test
	@$(MAKE) -s build
	@MINUTES='$(MINUTES)' perl t/soak

# --- fuzzing ----------------------------------------------------------------

# make deps-fuzz build/fuzz/fuzz_card_skim, then
# build/fuzz/fuzz_card_skim DIRECTORY-FOR-FINDINGS t/fuzz/seeds/card_skim
build/fuzz/core/%.o: ngx_cardfeed_module/%.c $(HEADERS)
	@mkdir -p $(@D)
	@clang $(CORE_CFLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/libcore.a: $(patsubst ngx_cardfeed_module/%.c, \
		build/fuzz/core/%.o,$(CORE))
	@rm -f $@
	@ar rcs $@ $^

build/fuzz/fuzz_%: t/fuzz/fuzz_%.c build/fuzz/libcore.a $(HEADERS) \
		$(wildcard t/unit/*.h)
	@clang $(CORE_CFLAGS) -D_GNU_SOURCE $(SANITIZE) -fsanitize=fuzzer -It/unit \
	  -o $@ $< build/fuzz/libcore.a $(CORE_LIBS)

# --- speed ------------------------------------------------------------------

CONTROL  := build/bench/ngx_http_cardfeed_control_module.so

bench: deps-bench
	@$(MAKE) -s $(MODULE) $(CONTROL)
	@python3 bench/bench $(BENCH)

# Sizes: SCALE="1000 10000 100000 1000000".
bench-scale: deps-bench
	@$(MAKE) -s $(MODULE) build/bench/parse
	@SCALE='$(SCALE)' python3 bench/scale $(BENCH)

build/bench/core/%.o: ngx_cardfeed_module/%.c $(HEADERS)
	@mkdir -p $(@D)
	@$(CC) $(CORE_CFLAGS) -c -o $@ $<

build/bench/parse: bench/yaml/parse.c $(patsubst ngx_cardfeed_module/%.c, \
		build/bench/core/%.o,$(CORE))
	@$(CC) $(CORE_CFLAGS) -D_GNU_SOURCE -o $@ $^ $(CORE_LIBS)

build/bench/nginx/objs/Makefile: bench/control/config
	$(call configure,build/bench/nginx,../../../bench/control)

$(CONTROL): build/bench/nginx/objs/Makefile $(wildcard bench/control/*.c)
	$(MAKE) -s -C build/bench/nginx -f objs/Makefile modules
	@cp build/bench/nginx/objs/$(@F) $@.new
	@mv $@.new $@

# --- care -------------------------------------------------------------------

lint: deps-lint build
	sh build-aux/lint.sh $(CORE_CFLAGS)

clean:
	rm -rf build
