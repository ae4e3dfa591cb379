# stacyvm: `make quickstart` to see it work, `make help` for the rest.
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
-include config.mak                     # local overrides, ignored by git

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
MUSL_GCC ?= musl-gcc
PYTHON := /usr/bin/python3
B ?= build
comma := ,
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now
OPT ?= -O2 -g

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wwrite-strings -Wformat=2 -Wundef -Wimplicit-fallthrough -fno-common
base_cflags := -std=gnu17 -D_GNU_SOURCE -I. $(warnings)
ifdef DEVELOPER
base_cflags += -Werror
endif
ifdef FAULTS                            # fault points, for tests
base_cflags += -DSVM_FAULTS
B := build-faults
endif
ifdef SAN                               # make SAN=address,undefined check
base_cflags += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
HARDEN := -fPIE
B := build-$(subst $(comma),-,$(SAN))$(if $(FAULTS),-faults)
endif
ifneq ($(V),1)
Q = @printf '  %-5s %s\n' $1 $2;
endif
VERSION := $(shell cat VERSION 2>/dev/null || git describe --tags --always --dirty 2>/dev/null || echo 0.1.0)

# Rooms.  Each becomes one static library, so a wrong dependency fails to link.
base_src := $(wildcard lib/base/*.c)
api_src := $(wildcard lib/api/*.c)
client_src := $(wildcard lib/client/*.c)
providers_src := $(wildcard providers/*.c providers/*/*.c)
daemon_src := $(wildcard daemon/*.c daemon/*/*.c)
cli_src := $(filter-out cli/main.c,$(wildcard cli/*.c))
agent_src := $(wildcard agent/*.c)
# What the agent takes from lib/: no JSON, no threads, no log.
agent_lib_src := $(addprefix lib/base/,buf.c clock.c err.c fault.c fd.c glob.c \
	mem.c path.c proc.c rand.c) $(addprefix lib/api/,agent-setup.c frame.c msg.c)
test_src := $(wildcard tests/unit/test-*.c)
all_src := $(base_src) $(api_src) $(client_src) $(providers_src) $(daemon_src) \
	$(cli_src) cli/main.c $(test_src)

LIBS := -lcjson -lsqlite3 -lyaml -lseccomp -lwslay -lmd -lm -lpthread

obj = $(patsubst %.c,$(B)/%.o,$(1))
libs := $(addprefix $(B)/,libcli.a libdaemon.a libproviders.a libclient.a libapi.a libbase.a)

all: $(B)/stacyvm $(B)/stacyvm-agent    ## build everything (the default)

$(B)/stacyvm: $(B)/cli/main.o $(libs)
	$(call Q,LD,$@)$(CC) $(base_cflags) $(OPT) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/libbase.a: $(call obj,$(base_src))
$(B)/libapi.a: $(call obj,$(api_src))
$(B)/libclient.a: $(call obj,$(client_src))
$(B)/libproviders.a: $(call obj,$(providers_src)) $(B)/agent-embed.o
$(B)/libdaemon.a: $(call obj,$(daemon_src))
$(B)/libcli.a: $(call obj,$(cli_src))
$(B)/lib%.a:
	$(call Q,AR,$@)rm -f $@; $(AR) rcD $@ $^

$(B)/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	$(call Q,CC,$@)$(CC) $(base_cflags) $(OPT) $(HARDEN) -DSVM_VERSION='"$(VERSION)"' $(CFLAGS) -MMD -MP -c -o $@ $<

# The agent: static, musl, small; musl-gcc also when CC is clang.
agent_cflags := -std=gnu17 -D_GNU_SOURCE -I. $(warnings) -Os -g -fno-pie \
	-ffunction-sections -fdata-sections -fstack-protector-strong \
	$(if $(DEVELOPER),-Werror) $(if $(FAULTS),-DSVM_FAULTS)
agent_obj := $(patsubst %.c,$(B)/musl/%.o,$(agent_src) $(agent_lib_src))
$(B)/musl/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	$(call Q,MUSL,$@)$(MUSL_GCC) $(agent_cflags) -MMD -MP -c -o $@ $<
$(B)/stacyvm-agent: $(agent_obj)
	$(call Q,LD,$@)$(MUSL_GCC) -static -no-pie -Wl,--gc-sections -Wl,-z,noexecstack -s -o $@ $^
$(B)/agent-embed.o: $(B)/stacyvm-agent
	$(call Q,EMBED,$@)printf '%s\n' '.section .rodata' '.global agent_elf' '.global agent_elf_size' \
	'.balign 64' 'agent_elf: .incbin "$<"' '1: .balign 8' 'agent_elf_size: .quad 1b - agent_elf' \
	'.section .note.GNU-stack,"",%progbits' | $(CC) -c -x assembler -o $@ -

$(B)/.flags: FORCE                      # changed flags rebuild everything
	@mkdir -p $(@D); new='$(CC) $(base_cflags) $(OPT) $(HARDEN) $(CFLAGS) $(VERSION)'; \
	[ "$$new" = "$$(cat $@ 2>/dev/null)" ] || echo "$$new" >$@

# Unit tests: one program per file, linked with everything but main.
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(libs)
	$(call Q,LD,$@)$(CC) $(base_cflags) $(OPT) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)
unit_tests := $(patsubst %.c,$(B)/%,$(test_src))

check-unit: $(unit_tests)               ## unit tests alone
	@for t in $(unit_tests); do $$t || exit 1; done

clean:                                  ## remove what was built
	rm -rf build build-*

help:                                   ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 20

-include $(all_src:%.c=$(B)/%.d) $(agent_obj:.o=.d)
FORCE:
.PHONY: all check-unit clean help FORCE
