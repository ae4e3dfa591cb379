# stacyvm: `make quickstart` to see it work, `make help` for the rest.
# All processors, unless the command line says how many.
MAKEFLAGS += --no-builtin-rules $(if $(filter 0,$(MAKELEVEL)$(filter-out all tests,$(MAKECMDGOALS))),-j$(shell nproc))
.DELETE_ON_ERROR:
-include config.mak                     # local overrides, ignored by git

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share
UNITDIR ?= $(PREFIX)/lib/systemd/user
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
MUSL_GCC ?= musl-gcc
PYTHON := /usr/bin/python3
B ?= build
comma := ,
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now -Wl,-z,pack-relative-relocs
OPT ?= $(if $(FAULTS)$(SAN),-O1,-O2) -g

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
ifdef SAN                               # make SAN=address,undefined tests
base_cflags += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
HARDEN := -fPIE
B := build-$(subst $(comma),-,$(SAN))$(if $(FAULTS),-faults)
endif
ifneq ($(V),1)
Q = @$(info $(empty)  $1	$2)
endif
# From the file a tarball has, else from git, else the next release.
VERSION := $(or $(shell cat VERSION 2>/dev/null),0.1.0$(addprefix \
	+git.,$(shell git rev-parse --short HEAD 2>/dev/null)))

# Rooms.  Each becomes one static library, so a wrong dependency fails to link.
base_src := $(wildcard lib/base/*.c)
api_src := $(wildcard lib/api/*.c)
client_src := $(wildcard lib/client/*.c)
providers_src := $(wildcard providers/*.c providers/*/*.c)
daemon_src := $(wildcard daemon/*.c daemon/*/*.c)
tui_src := $(wildcard tui/*.c)
cli_src := $(filter-out cli/main.c,$(wildcard cli/*.c))
agent_src := $(wildcard agent/*.c)
# What the agent takes from lib/: no JSON, no threads, no log.
agent_lib_src := $(addprefix lib/base/,buf.c clock.c err.c fault.c fd.c glob.c \
	loop.c mem.c path.c proc.c proc-tree.c rand.c ustar.c) $(addprefix lib/api/,agent-setup.c frame.c msg.c)
test_src := $(wildcard tests/unit/test-*.c)
fuzz_src := $(wildcard tests/fuzz/fuzz-*.c)
bench_src := $(wildcard tests/bench/*.c) # one program, and a floor
screen_src := $(wildcard tests/screen/*.c) # linked as tests are
room_src := $(base_src) $(api_src) $(client_src) $(providers_src) \
	$(daemon_src) $(tui_src) $(cli_src) cli/main.c
all_src := $(room_src) $(wildcard man/*.c) $(test_src) $(fuzz_src) $(bench_src) $(screen_src) tests/fuzz/replay.c

# Static what is big or only the daemon needs: every call of the program pays
# for symbols it resolves at start.
LIBS := -Wl,-Bstatic -lsqlite3 -lyaml -lseccomp -lmd -Wl,-Bdynamic \
	-lcjson -lwslay -lm -lpthread
# Dynamic, these alone would make each start a third longer.
TUI_LIBS := -Wl,-Bstatic -ltickit -ltermkey -lunibilium -lncursesw -ltinfo -Wl,-Bdynamic
# A test program takes what it uses of these.
TEST_LIBS := -Wl,--as-needed -lcmocka -lhttp_parser -lvterm

obj = $(patsubst %.c,$(B)/%.o,$(1))
libs := $(addprefix $(B)/,libcli.a libtui.a libdaemon.a libproviders.a libclient.a libapi.a libbase.a)

all: $(B)/stacyvm $(B)/stacyvm-agent $(B)/man/.made ## build everything (the default)

$(B)/stacyvm: $(B)/cli/main.o $(libs)
$(B)/man/make-pages: $(call obj,$(wildcard man/*.c)) $(libs)
$(B)/stacyvm $(B)/man/make-pages:; $(call Q,LD,$@)$(CC) $(base_cflags) $(OPT) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(TUI_LIBS) $(LIBS)

$(B)/libbase.a: $(call obj,$(base_src))
$(B)/libapi.a: $(call obj,$(api_src))
$(B)/libclient.a: $(call obj,$(client_src))
$(B)/libproviders.a: $(call obj,$(providers_src)) $(B)/agent-embed.o
$(B)/libdaemon.a: $(call obj,$(daemon_src))
$(B)/libtui.a: $(call obj,$(tui_src))
$(B)/libcli.a: $(call obj,$(cli_src))
$(B)/lib%.a:
	$(call Q,AR,$@)rm -f $@; $(AR) rcD $@ $^

$(B)/%.o: %.c $(B)/.flags
	$(call Q,CC,$@)$(CC) $(base_cflags) $(OPT) $(HARDEN) -DSVM_VERSION='"$(VERSION)"' $(CFLAGS) -MMD -MP -c -o $@ $<

$(call obj,$(all_src)): $(B)/.flags     # named: kept, and made again when missing
$(B)/cli/completion.o: $(wildcard completions/*) # which are in it

# The agent: static, musl, small; musl-gcc also when CC is clang.
agent_cflags := -std=gnu17 -D_GNU_SOURCE -I. $(warnings) -Os -g -fno-pie \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fstack-protector-strong \
	$(if $(DEVELOPER),-Werror) $(if $(FAULTS),-DSVM_FAULTS)
agent_obj := $(patsubst %.c,$(B)/musl/%.o,$(agent_src) $(agent_lib_src))
$(B)/musl/%.o: %.c $(B)/.flags
	$(call Q,MUSL,$@)$(MUSL_GCC) $(agent_cflags) -MMD -MP -c -o $@ $<
$(B)/stacyvm-agent: $(agent_obj)
	$(call Q,LD,$@)$(MUSL_GCC) -static -no-pie -Wl,--gc-sections -Wl,-z,noexecstack -s -o $@ $^
$(B)/agent-embed.o: $(B)/stacyvm-agent
	$(call Q,EMBED,$@)printf '%s\n' '.section .rodata' '.global agent_elf' '.global agent_elf_size' \
	'.balign 64' 'agent_elf: .incbin "$<"' '1: .balign 8' 'agent_elf_size: .quad 1b - agent_elf' \
	'.section .note.GNU-stack,"",%progbits' | $(CC) -c -x assembler -o $@ -

$(B)/.flags: FORCE                      # changed flags rebuild everything
	@mkdir -p $(sort $(dir $(call obj,$(all_src)) $(agent_obj))); new='$(CC) $(base_cflags) $(OPT) $(HARDEN) $(CFLAGS)'; \
	[ "$$new" = "$$(cat $@ 2>/dev/null)" ] || echo "$$new" >$@
$(B)/.version: FORCE                    # a new version only what names it
	@mkdir -p $(@D); [ '$(VERSION)' = "$$(cat $@ 2>/dev/null)" ] || echo '$(VERSION)' >$@
$(call obj,$(shell grep -ls SVM_VERSION $(room_src))): $(B)/.version

pages := $(patsubst man/%.in,%,$(wildcard man/*.in)) # the manual: see man/page.h
$(B)/man/.made: $(B)/man/make-pages man $(pages:%=man/%.in)
	$(call Q,MAN,$(@D))$< man $(@D) && touch $@

# Tests: each file of tests/unit is a program, linked with everything but main;
# each of tests/fuzz too, with replay.c as its main or with clang's libFuzzer.
$(B)/tests/%: $(B)/tests/%.o $(libs)
	$(call Q,LD,$@)$(CC) $(base_cflags) $(OPT) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(TUI_LIBS) $(LIBS)
$(B)/tests/fuzz/replay-%: $(B)/tests/fuzz/fuzz-%.o $(B)/tests/fuzz/replay.o $(libs)
	$(call Q,LD,$@)$(CC) $(base_cflags) $(OPT) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(TUI_LIBS) $(LIBS)
$(B)/tests/fuzz/libfuzzer-%: $(B)/tests/fuzz/fuzz-%.o $(libs)
	$(call Q,LD,$@)$(CC) $(base_cflags) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(TUI_LIBS) $(LIBS)
$(B)/tests/bench/bench: $(call obj,$(filter-out tests/bench/true.c,$(bench_src))) $(libs)
	$(call Q,LD,$@)$(CC) $(base_cflags) $(OPT) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(LIBS)
$(B)/tests/bench/true: tests/bench/true.c # the floor: static, does nothing
	$(call Q,MUSL,$@)mkdir -p $(@D); $(MUSL_GCC) -static -Os -s -o $@ $<
unit_tests := $(test_src:%.c=$(B)/%)
replays := $(fuzz_src:tests/fuzz/fuzz-%.c=$(B)/tests/fuzz/replay-%)
bench_tools := $(addprefix $(B)/tests/,bench/bench bench/true screen/driver)

tests: all $(unit_tests) $(replays) $(bench_tools) ## build the tests, run nothing

check: test-deps                        ## run every test, as root and unprivileged
	$(PYTHON) -B tests/run
check-full: test-deps                   ## the same and the matrix: clang, sanitizers, fuzzing
	tests/deps full
	$(PYTHON) -B tests/run --full
check-v2: all                           ## limits on pure cgroup v2, in a QEMU machine
	tests/deps v2
	$(PYTHON) -B tests/v2/run $(B)
check-unit: $(unit_tests)               ## unit tests alone
	$(PYTHON) -B tests/run --no-build --only unit
check-system: all $(bench_tools)       ## system tests alone, as who you are
	$(PYTHON) -B tests/run --no-build --only system
lint:                                   ## what the rules of the house say
	$(PYTHON) -B tests/lint/lint
FUZZ ?= $(patsubst tests/fuzz/fuzz-%.c,%,$(fuzz_src))
TIME ?= 60
fuzz: $(FUZZ:%=$(B)/tests/fuzz/replay-%) ## fuzz: FUZZ=target TIME=seconds
	@for f in $(FUZZ); do $(B)/tests/fuzz/replay-$$f -m $(TIME) tests/fuzz/corpus/$$f || exit 1; done
bench: all $(bench_tools)               ## measure, beside floors and peers (QUICK=1, BENCH="topics", INTO=README.md)
	tests/deps bench
	$(PYTHON) -B tests/bench/run $(if $(QUICK),--quick) $(INTO:%=--into %) --build $(B) $(BENCH)

quickstart: deps                        ## build, then run a program in a sandbox
	@$(MAKE) --no-print-directory -j2 all
	@tests/quickstart $(B)/stacyvm
deps:                                   ## install what building needs (Debian)
	@tests/deps build
deps-runtime:                           ## install what running needs
	@tests/deps runtime
test-deps:                              ## install what testing needs
	@tests/deps tests

install: all                            ## install to $(DESTDIR)$(PREFIX)
	install -Dm755 -t '$(DESTDIR)$(BINDIR)' $(B)/stacyvm $(B)/stacyvm-agent
	@for p in $(pages); do install -Dm644 -t '$(DESTDIR)$(MANDIR)/man'"$${p##*.}" "$(B)/man/$$p" || exit 1; done
	@for f in $(completions); do install -Dm644 "completions/$${f##*:}" '$(DESTDIR)$(COMPDIR)'/"$${f%%:*}" || exit 1; done
	@install -Dm644 -t '$(DESTDIR)$(UNITDIR)' daemon/service/stacyvm.socket
	@sed 's|@BINDIR@|$(BINDIR)|' daemon/service/stacyvm.service.in >'$(DESTDIR)$(UNITDIR)/stacyvm.service'
uninstall:                              ## remove what install put there
	rm -f $(addprefix '$(DESTDIR)$(BINDIR)'/,stacyvm stacyvm-agent) \
	$(addprefix '$(DESTDIR)$(UNITDIR)'/,stacyvm.service stacyvm.socket) \
	$(foreach f,$(pages),'$(DESTDIR)$(MANDIR)'/man$(subst .,,$(suffix $f))/$f) \
	$(foreach f,$(completions),'$(DESTDIR)$(COMPDIR)'/$(firstword $(subst :, ,$f)))
# where it goes:what it is
completions := $(foreach f,bash-completion/completions/stacyvm:stacyvm.bash \
	zsh/site-functions/_stacyvm:_stacyvm fish/vendor_completions.d/stacyvm.fish:stacyvm.fish, \
	$(if $(wildcard completions/$(lastword $(subst :, ,$f))),$f))

dist:                                   ## a tarball of what is committed
	@mkdir -p $(B)/dist && echo '$(VERSION)' >$(B)/dist/VERSION
	git archive --prefix='stacyvm-$(VERSION)/' --add-file=$(B)/dist/VERSION -o 'stacyvm-$(VERSION).tar.gz' HEAD
clean:                                  ## remove what was built
	rm -rf build build-* stacyvm-*.tar.gz
help:                                   ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

-include $(all_src:%.c=$(B)/%.d) $(agent_obj:.o=.d)
FORCE:
.PHONY: all tests check check-full check-v2 check-unit check-system lint fuzz bench \
	quickstart deps deps-runtime test-deps install uninstall dist clean help FORCE
