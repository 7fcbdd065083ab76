# ngx_kuzzle: build, run and test.  "make help" lists the targets.

SHELL       := /bin/bash
.DEFAULT_GOAL := all

NGINX_BIN   ?= /usr/sbin/nginx
NGINX_SRC   ?= /usr/share/nginx/src
BUILD       ?= $(CURDIR)/build
CC          ?= cc

PORT        ?= 7512
MQTT_PORT   ?= 1883
WORKERS     ?= auto
API         ?= auto
LISTEN      ?=
DATA        ?= $(CURDIR)/data
SECONDS     ?= 30

SO          := $(BUILD)/ngx_kuzzle_module.so
OBJS        := $(BUILD)/objs
SRCS        := ngx_kuzzle_module.c $(shell find src -name '*.[ch]' | LC_ALL=C sort)
CFLAGS_KZ   := -g -O2 -fPIC -Wall -Wextra -Werror

MODULES_DIR  = $(shell $(NGINX_BIN) -V 2>&1 | grep -o -- '--modules-path=[^ ]*' | cut -d= -f2)
ENABLED_DIR  = $(dir $(shell $(NGINX_BIN) -V 2>&1 | grep -o -- '--conf-path=[^ ]*' | cut -d= -f2))modules-enabled

.PHONY: all help deps deps-test run install test unit clients bench lint \
	fuzz sanitize soak coverage clean

all: $(SO)

help:
	@echo 'make            build build/ngx_kuzzle_module.so'
	@echo 'make run        run nginx in the foreground (PORT WORKERS DATA API LISTEN)'
	@echo 'make test       all tests'
	@echo 'make install    into nginx (DESTDIR)'
	@echo 'make coverage   implemented and known API actions'
	@echo 'make bench | lint | fuzz SECONDS=n | sanitize | soak | clean'


# Debian packages that are missing are installed; nothing else is touched.

deps:
	@conf/deps.sh build

deps-test: deps
	@conf/deps.sh test


# nginx is configured once; again when a source file appears or goes.

$(OBJS)/files: FORCE
	@mkdir -p $(OBJS)
	@{ echo '$(SRCS) $(CFLAGS_KZ)'; $(NGINX_BIN) -V 2>&1; } | cmp -s - $@ \
	    || { echo '$(SRCS) $(CFLAGS_KZ)'; $(NGINX_BIN) -V 2>&1; } > $@

FORCE:

$(OBJS)/Makefile: config $(OBJS)/files
	@test -x $(NGINX_SRC)/configure \
	    || { echo 'nginx-dev is missing: "make deps" installs it'; exit 1; }
	cd $(NGINX_SRC) && { test ! -f conf_flags || . ./conf_flags; } \
	    && ./configure --with-cc-opt='$(CFLAGS_KZ)' --with-ld-opt='-fPIC' \
	        "$${NGX_CONF_FLAGS[@]}" --add-dynamic-module=$(CURDIR) \
	        --builddir=$(OBJS) > $(OBJS)/configure.log \
	    || { cat $(OBJS)/configure.log; exit 1; }

$(SO): $(OBJS)/Makefile $(SRCS)
	@$(MAKE) --no-print-directory -f $(OBJS)/Makefile -C $(NGINX_SRC) modules
	@cp $(OBJS)/ngx_kuzzle_module.so $@.new && mv $@.new $@


run: deps
	@$(MAKE) --no-print-directory $(SO)
	@NGINX_BIN=$(NGINX_BIN) MODULE=$(SO) PORT=$(PORT) LISTEN='$(LISTEN)' \
	    WORKERS=$(WORKERS) DATA='$(DATA)' API=$(API) exec conf/run.sh

install: $(SO)
	install -d $(DESTDIR)$(MODULES_DIR) $(DESTDIR)$(ENABLED_DIR)
	install -m 644 $(SO) $(DESTDIR)$(MODULES_DIR)/ngx_kuzzle_module.so.new
	mv $(DESTDIR)$(MODULES_DIR)/ngx_kuzzle_module.so.new \
	    $(DESTDIR)$(MODULES_DIR)/ngx_kuzzle_module.so
	install -m 644 conf/60-mod-kuzzle.conf $(DESTDIR)$(ENABLED_DIR)/


test: deps-test
	@$(MAKE) --no-print-directory $(SO) unit clients
	@KZ_UNIT_DIR=$(BUILD)/unit prove -It/lib t/

unit: $(OBJS)/Makefile
	@$(MAKE) --no-print-directory -C t/unit OBJS=$(OBJS) BUILD=$(BUILD)/unit build

clients:
	@$(MAKE) --no-print-directory -C t/clients BUILD=$(BUILD)

bench: deps-test
	@$(MAKE) --no-print-directory $(SO)
	@$(MAKE) --no-print-directory -C t/bench BUILD=$(BUILD)/bench all echo
	@KZ_BUILD=$(BUILD) t/bench/run.pl

lint:
	@t/lint.pl $(SO)

coverage: $(SO)
	@t/coverage.pl

fuzz: deps-test
	@$(MAKE) --no-print-directory $(OBJS)/Makefile
	@$(MAKE) --no-print-directory -C t/fuzz OBJS=$(OBJS) BUILD=$(BUILD)/fuzz \
	    SECONDS=$(SECONDS) run

sanitize: deps-test
	@$(MAKE) --no-print-directory clients
	@t/sanitize.sh

soak: deps-test
	@$(MAKE) --no-print-directory $(SO) unit clients
	@KZ_SOAK=1 KZ_UNIT_DIR=$(BUILD)/unit prove -It/lib t/soak/

clean:
	rm -rf $(BUILD)
