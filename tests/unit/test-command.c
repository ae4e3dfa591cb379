/* SPDX-License-Identifier: MIT */
/* The user's own commands: what is accepted, what is run. */
#include "tests/unit/model-fixture.h"
#include "tui/placeholder.h"

static int set(struct commands *c, const char *key, const char *words,
	       struct svm_err *err)
{
	auto_free char *copy = xstrdup(words);
	char *values[16] = { NULL }, *rest = NULL;
	size_t n = 0;

	for (char *w = strtok_r(copy, ";", &rest); w;
	     w = strtok_r(NULL, ";", &rest))
		values[n++] = w;
	return commands_set(c, key, values, "c.yaml:3", err);
}

static void must(struct model *m, const char *key, const char *words)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (set(&m->commands, key, words, &err) < 0 )
		fail_msg("%s", err.msg);
}

static void check(struct model *m)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	if (commands_check(&m->commands, m->keymap, &err) < 0)
		fail_msg("%s", err.msg);
}

/* One command, "member=value" each; what is said about it. */
static void refused(const char *why, const char *const *members)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct keymap *keys = keymap_new();
	struct commands c = { NULL, 0 };
	int r = 0;

	for (; r == 0 && *members; members++) {
		auto_free char *key = xstrndup(*members,
					       strcspn(*members, "="));
		auto_free char *path = xasprintf("x.%s", key);

		r = set(&c, path, *members + strlen(key) + 1, &err);
	}
	if (r == 0)
		r = commands_check(&c, keys, &err);
	assert_int_equal(r, -1);
	if (!strstr(err.msg, why) || strncmp(err.msg, "c.yaml:3: commands.x",
					     20) != 0)
		fail_msg("expected <%s>, got <%s>", why, err.msg);
	commands_release(&c);
	keymap_free(keys);
}
#define REFUSED(why, ...) \
	refused(why, (const char *const[]){ __VA_ARGS__, NULL })

static void test_command__what_is_refused(void **state)
{
	(void)state;
	REFUSED("has no run:", "scope=global");
	REFUSED("must be a list", "run=ls -l");
	REFUSED("is nothing of a command", "run=a;b", "runs=a");
	REFUSED("takes one value", "run=a;b", "key=a;b");
	REFUSED("'nokey' is no key", "run=a;b", "key=nokey");
	REFUSED("'x' is not one of", "run=a;b", "scope=x");
	REFUSED("'x' is not one of", "run=a;b", "output=x");
	REFUSED("'x' is not true or false", "run=a;b", "confirm=x");
	REFUSED("nothing is called {nope}", "run=a;{nope}");
	REFUSED("nothing is called {id}", "scope=global", "run=a;{id}");
	REFUSED("nothing is called {id}", "scope=templates", "run=a;{id}");
	REFUSED("known beforehand", "scope=sandboxes", "run={name};x");
	REFUSED("'d' is kill there", "scope=sandboxes", "run=a;b", "key=d");
	REFUSED("'j' is down there", "scope=sandboxes", "run=a;b", "key=j");
	REFUSED("'q' is quit there", "run=a;b", "key=q");
}

/* A name must never become a program. */
static void test_command__no_name_reaches_an_interpreter(void **state)
{
	(void)state;
	REFUSED("a name could be a command", "scope=sandboxes",
		"run=sh;-c;echo {name}");
	REFUSED("a name could be a command", "scope=sandboxes",
		"run=/bin/bash;-o;pipefail;-ec;echo '{name}'");
	REFUSED("a name could be a command", "scope=sandboxes",
		"run=env;A=b;sh;-c;x{id}");
	REFUSED("a name could be a command", "scope=sandboxes",
		"run=python3.11;-c;print('{name}')");
	REFUSED("a name could be a command", "scope=sandboxes",
		"run=perl;-e;{name}");
}

/* Without a scope, it is where its words are known. */
static void test_command__at_home_where_its_words_are(void **state)
{
	static const struct {
		const char *run;
		enum context at;
	} homes[] = {
		{ "a;b", CTX_GLOBAL }, { "a;{id}", CTX_SANDBOXES },
		{ "a;{path};{id}", CTX_FILES }, { "a;{image}", CTX_SANDBOXES },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		struct model *m = fixture_model(24, 80);

		must(m, "x.run", homes[i].run);
		check(m);
		assert_int_equal(m->commands.list[0].scope, homes[i].at);
		must(m, "x.scope", "logs");
		if (homes[i].at != CTX_FILES) {
			check(m);
			assert_int_equal(m->commands.list[0].scope, CTX_LOGS);
		}
		fixture_free(m);
	}
}

static void test_command__parts_are_known_alone(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;

	(void)state;
	assert_int_equal(commands_check_key("x.run", &err), 0);
	assert_int_equal(commands_check_key("x.key", &err), 0);
	assert_int_equal(commands_check_key("x.runs", &err), -1);
	assert_string_equal(err.msg, "commands.x.runs: is nothing of a "
				     "command; there are run, key, scope, "
				     "output, confirm, changes and about");
}

static void test_command__programs_of_any_kind(void **state)
{
	static const char *const ran[] = {
		"run=perl;-E;print '{name}'", "run=node;-p;'{name}'",
		"run=node;--eval;'{name}'", "run=php;-r;echo '{name}';",
		"run=awk;/{name}/", "run=gawk;-F;:;-e;{name}",
		"run=sed;-n;s/{name}/x/p", "run=python3;-cprint('{name}')",
		"run=sh;-c;--;{name}", "run=bash;-o;pipefail;-c;--;{name}",
		"run=bash;-o;pipefail;-c;-x;{name}", "run=busybox;sh;{name}",
		"run=busybox;awk;{name}", "run=python3;{name}",
		"run=sudo;-u;me;lua5.4;-e;{name}",
		"run=perl;-I;lib;-E;{name}", "run=sed;-f;a.sed;-e;{name}",
		"run=sed;-f;a.sed;--expression={name}", "run=sed;p;-e;{name}",
		"run=sed;p;-ne{name}",
		"run=node;-r;m;-p;{name}", "run=node;--require;m;--eval;{name}",
		"run=php;-c;ini;-r;{name}", "run=gawk;-f;l;--source;{name}",
		"run=php;-d;auto_prepend_file={name};x.php",
		"run=pwsh;-File;x;-Command;{name}",
		"run=fish;--init-command;x;--command;{name}",
		"run=fish;-c;x;-c;{name}", "run=bash-static;-c;{name}",
		"run=zsh-5.9;-c;{name}", "run=python3-dbg;-c;{name}",
		"run=/opt/python3.11-dbg;{name}", "run=deno;eval;{name}",
		"run=deno;eval;--ext;ts;{name}", "run=bun;run;{name}",
		"run=wezterm;start;{name}", "run=wezterm;{name}",
		"run=wezterm;-n;start;{name}", "run=wezterm;start;--;{name}",
		"run=expect;-c;{name}", "run=expect;-c;x;{name}",
		"run=env;-S;{name}", "run=env;-iS{name}",
		"run=env;--split-string={name}", "run=env;-S;sh -c;{name}",
		"run=xterm;-e;{name}", "run=kitty;{name}",
		"run=gnome-terminal;--;{name}",
		"run=bash;-o;pipefail;{name}", "run=bash;+o;history;{name}",
		"run=bash;-oc;pipefail;{name}", "run=sh;-;{name}",
		"run=python3;-W;ignore;{name}", "run=awk;-F;:;{name}",
		"run=lua;-e;x;{name}", "run=find;.;-exec;sh;-c;{name};;",
		"run=sh;-c;\"$@\";sh;bash;-c;{name}",
		"run=python3;each.py;sh;{name}", "run=busybox;sh;-c;{name}",
		"run=su;-c;{name}", "run=flock;l;-c;{name}",
		"run=vim;--cmd;{name}", "run=vim;-c{name}",
		"run=emacs;-eval;{name}", "run=gdb;-ex;{name}",
		"run=env;BASH_ENV={name};bash;x.sh", "run=env;ENV={name};a",
		"run=env;PATH={name};a", "run=sudo;LD_PRELOAD={name};a",
		"run=env;PYTHONSTARTUP={name};a", "run=env;IFS={name};a",
		"run=env;NODE_OPTIONS={name};a", "run=env;GIT_EDITOR={name};a",
		"run=stacyvm-x;sh;-c;{name}", "run=env;SHELL={name};a", "run=env;MANPAGER={name};a",
	};
	static const char *const taken[] = {
		"python3;show.py;{name}", "sh;-c;echo \"$1\";sh;{name}",
		"sh;-c;echo \"$@\";sh;--name={name}",
		"awk;-v;n={name};{print n}", "sed;p;--;{name}",
		"env;N={name};sh;-c;echo $N",
		"/usr/bin/stacyvm;exec;{id};--;python3;{name}",
		"git;log;-c;{name}", "vim;-R;{name}", "ls;-S;{name}",
		"bash;-x;--;show.sh;-c;{name}", ("bash;-ec;cat \"$1\" | sh;sh;"
		"{name}"), "find;{name};-exec;sh;-c;cat \"$1\";sh;{name};;",
		"perl;-I;lib;-ne;print;{name}", "perl;x.pl;--eval={name}",
		"node;-r;m;-p;process.argv[1];{name}", "php;-f;x.php;{name}",
		"gawk;-f;l;{name}", "sed;-n;-e;p;{name}", "awk;{ print };{name}",
		"python3;-m;json.tool;{name}", "busybox;sh;x.sh;{name}",
		"deno;run;--;x.ts;{name}", "xterm;-e;less;{name}",
		"env;FILE_PATH={name};sh;x.sh", "sed;-n;--;p;{name}",
		"wezterm;start;--;less;{name}", "wezterm;-e;less;{name}",
		"tmux;new;-c;{name}", "fish;-c;cat $argv;{name}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ran); i++)
		REFUSED("a name could be a command", "scope=sandboxes",
			ran[i]);
	struct model *m = fixture_model(24, 80);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		commands_release(&m->commands);
		must(m, "x.scope", "sandboxes");
		must(m, "x.run", taken[i]);
		check(m);
	}
	fixture_free(m);
}

static char **expand(struct model *m, const char *words, const char *json,
		     struct svm_err *err)
{
	cJSON *subject = cJSON_Parse(json);

	commands_release(&m->commands);
	must(m, "x.scope", "sandboxes");
	must(m, "x.run", words);
	check(m);
	char **argv = command_expand(&m->commands.list[0], subject, NULL, err);
	cJSON_Delete(subject);
	return argv;
}

static void test_command__words_are_text_and_nothing_else(void **state)
{
	struct model *m = fixture_model(24, 80);
	auto_err struct svm_err err = SVM_ERR_INIT;
	char **argv = expand(m, "a;{id};-n={name};{{id}};{};{a b;sh;-c;"
			     "echo \"$1\";sh;--;{name}",
			     "{\"id\":\"sb-1\",\"name\":\"$(rm -rf /);"
			     "\\u001b{id}\"}", &err);
	static const char name[] = "$(rm -rf /);\033{id}";

	(void)state;
	assert_non_null(argv);
	assert_string_equal(argv[1], "sb-1");
	auto_free char *joined = xasprintf("-n=%s", name);
	assert_string_equal(argv[2], joined);
	assert_string_equal(argv[3], "{{id}}");
	assert_string_equal(argv[4], "{}");
	assert_string_equal(argv[5], "{a b");
	assert_string_equal(argv[8], "echo \"$1\"");
	assert_string_equal(argv[11], name);
	assert_null(argv[12]);
	strv_free(argv);
	fixture_free(m);
}

static void test_command__a_name_in_a_line_is_plain(void **state)
{
	static const char *const lines[] = {
		"ssh;host;cat;{name}", "watch;ls;--;{name}", "make;F={name}",
		"psql;-c;select '{name}'", "strange;-x{name}", "rsync;h:{name};.",
		"awk;-v;a=b{name};1", "x=y;a.b={name}", "x;a={name}b",
	};
	static const char *const pieces[] = {
		"cat;{name}", "cat;--file={name}", "env;F={name};cat",
		"git;log;--grep={name};{name}",
		"stacyvm;cp;{id}:/x/{name};.",
	};
	static const char *const evil[] = { "a b", "$(x)", "`x`", "a;b", "a'b",
					    "a\\\"b", "a|b", "a\\nb", "~x",
					    "a*", "a\\\\b", "#x", "!x" };
	struct model *m = fixture_model(24, 80);

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(evil); k++) {
		auto_free char *json = xasprintf("{\"name\":\"%s\"}", evil[k]);

		for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
			auto_err struct svm_err err = SVM_ERR_INIT;

			assert_null(expand(m, lines[i], json, &err));
			assert_non_null(strstr(err.msg, "could be a command"));
		}
		for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
			auto_err struct svm_err err = SVM_ERR_INIT;
			char **argv = expand(m, pieces[i], json, &err);

			assert_non_null(argv);
			strv_free(argv);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		char **argv = expand(m, lines[i],
				     "{\"name\":\"gr\u00fcn/a-1.txt\"}", &err);

		assert_non_null(argv);
		strv_free(argv);
	}
	auto_err struct svm_err err = SVM_ERR_INIT;
	assert_null(expand(m, "ssh;h;--;{name}", "{\"name\":\"-x\"}", &err));
	assert_non_null(strstr(err.msg, "for an option"));
	fixture_free(m);
}

/* Each ends where its memory does (under ASan that is seen). */
static void test_command__braces_that_hold_no_word(void **state)
{
	static const char *const braces[] = { "{", "a{", "{{", "{{{", "{a",
					      "{}", "}{", "{{id}}{" };
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(braces); i++) {
		auto_free char *text = xstrdup(braces[i]);

		assert_null(placeholder_next(text, &n));
	}
	assert_non_null(placeholder_next("{{{id}{id}", &n));
	assert_int_equal(n, 2);
}

static void test_command__a_name_is_no_option(void **state)
{
	struct model *m = fixture_model(24, 80);
	auto_err struct svm_err err = SVM_ERR_INIT, none = SVM_ERR_INIT;
	static const char evil[] = "{\"name\":\"--output=/etc/passwd\"}";
	char **argv = expand(m, "a;{name}", evil, &err);

	(void)state;
	assert_null(argv);
	assert_non_null(strstr(err.msg, "take for an option"));
	argv = expand(m, "a;-x;--;{name}", evil, &none);
	assert_non_null(argv);
	strv_free(argv);
	argv = expand(m, "a;x{name}", evil, &none);
	assert_string_equal(argv[1], "x--output=/etc/passwd");
	strv_free(argv);
	fixture_free(m);
}

/* The "--" before a script ends the options of what runs it. */
static void test_command__whose_options_are_ended(void **state)
{
	static const struct {
		const char *words;
		bool taken;
	} all[] = {
		{ "bash;-x;--;show.sh;{name}", false },
		{ "bash;-x;--;show.sh;--;{name}", true },
		{ "bash;-x;--;show.sh;--;x;{name}", true },
		{ "sudo;--;bash;show.sh;{name}", false },
		{ "sudo;--;sed;p;{name}", false },
		{ "sudo;--;bash;show.sh;--;{name}", true },
		{ "sh;-c;cat \"$@\";sh;{name}", false },
		{ "sh;-c;cat \"$@\";sh;--;{name}", true },
		{ "sh;-c;cat \"$@\";sh;--;x;{name}", true },
		{ "sh;-c;\"$@\";sh;sudo;--;bash;x.sh;{name}", false },
		{ "python3;show.py;--;{name}", true },
		{ "deno;run;--;x.ts;{name}", false },
		{ "wezterm;start;--;less;{name}", false },
		{ "wezterm;start;--;less;--;{name}", true },
		{ "sed;-n;--;p;{name}", true },
		{ "awk;--;{ print };{name}", true },
		{ "stacyvm;exec;sb-1;--;python3;x.py;{name}", true },
		{ "rm;--;{name};x", true },
	};
	struct model *m = fixture_model(24, 80);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		char **argv = expand(m, all[i].words, "{\"name\":\"-rf\"}",
				     &err);

		if (!argv != !all[i].taken)
			fail_msg("%s: %s", all[i].words,
				 err.msg ? err.msg : "taken");
		if (!argv)
			assert_non_null(strstr(err.msg, "for an option"));
		strv_free(argv);
	}
	fixture_free(m);
}

static struct model *with_command(const char *output)
{
	struct model *m = fixture_model(30, 100);

	must(m, "log.scope", "sandboxes");
	must(m, "log.key", "F5");
	must(m, "log.run", "git;log;--grep={id}");
	must(m, "log.output", output);
	must(m, "log.about", "what was done to it");
	must(m, "all.run", "stacyvm;list");
	must(m, "all.key", "M-a");
	check(m);
	return m;
}

static void test_command__path_of_a_file(void **state)
{
	struct model *m = fixture_model(30, 100);

	(void)state;
	must(m, "up.scope", "files");
	must(m, "up.key", "F6");
	must(m, "up.run", "stacyvm;cp;{id}:{path}");
	check(m);
	fixture_keys(m, "2 j f F6"); /* nothing is listed yet */
	assert_null(m->command);
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files/list",
		       SVM_OK, "[{\"name\":\"-x; $(id)\","
		       "\"path\":\"/workspace/-x; $(id)\"}]");
	fixture_keys(m, "F6");
	assert_string_equal(m->command[2],
			    "sb-7f3a91c2:/workspace/-x; $(id)");
	fixture_free(m);
}

static size_t running(const struct model *m)
{
	struct list *pos, *tmp;
	size_t n = 0;

	list_for_each_safe(pos, tmp, &m->requests)
		n += list_entry(pos, struct request, link)->argv != NULL;
	return n;
}

/* It is asked, and says how many; no more at once than of one. */
static void test_command__all_that_are_marked(void **state)
{
	struct model *m = with_command("show");

	(void)state;
	fixture_keys(m, "2 A F5");
	assert_shown(m, "RUN log FOR 5 MARKED?");
	fixture_keys(m, "n");
	assert_int_equal(running(m), 0);
	fixture_keys(m, "F5 y");
	assert_int_equal(running(m), 2);
	for (int i = 0; i < 4; i++) {
		struct request *r = fixture_request(m, REQUEST_RUN);

		r->status = i == 1 ? 3 : 0;
		buf_addf(&r->reply, "said %s\n", r->argv[2]);
		list_remove(&r->link);
		m->waiting--;
		request_done(m, r);
		request_free(r);
	}
	assert_int_equal(m->commands_running, 1);
	fixture_answer(m, REQUEST_RUN, "log", SVM_CANCELLED, "cancelled");
	assert_int_equal(m->commands_running, 0);
	assert_shown(m, "log: ran for 3 of 5, 2 failed and are marked");
	assert_shown(m, "== sb-7f3a91c2");
	assert_shown(m, "said --grep=sb-7f3a91c2");
	assert_shown(m, ": exit status 3");
	fixture_free(m);
}

/* Files that are marked, each once; the viewer's file is one. */
static void test_command__marked_files(void **state)
{
	struct model *m = fixture_model(30, 100);
	static const char files[] = "/api/v1/sandboxes/sb-7f3a91c2/files";
	static const char *const paths[] = { "/workspace/a", "/workspace/b" };

	(void)state;
	must(m, "up.scope", "files");
	must(m, "up.key", "F6");
	must(m, "up.run", "stacyvm;cp;{id}:{path}");
	must(m, "up.output", "show");
	check(m);
	fixture_keys(m, "2 j f");
	fixture_answer(m, "GET", "/api/v1/sandboxes/sb-7f3a91c2/files/list",
		       SVM_OK, "[{\"name\":\"a\",\"path\":\"/workspace/a\"},"
		       "{\"name\":\"b\",\"path\":\"/workspace/b\"},"
		       "{\"name\":\"c\",\"path\":\"/workspace/c\"}]");
	fixture_keys(m, "Space Space F6");
	assert_shown(m, "RUN up FOR 2 MARKED?");
	fixture_keys(m, "y");
	assert_int_equal(running(m), 2);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct request *r = fixture_request(m, REQUEST_RUN);
		auto_free char *last = xasprintf("sb-7f3a91c2:%s", paths[i]);

		assert_string_equal(r->argv[2], last);
		assert_null(r->argv[3]);
		buf_addf(&r->reply, "it is %s\n", r->argv[2]);
		list_remove(&r->link);
		m->waiting--;
		request_done(m, r);
		request_free(r);
	}
	assert_shown(m, "up: ran for 2 of 2");
	/* With the file in view in front it is about that one. */
	fixture_keys(m, "Escape G Enter");
	fixture_answer(m, "GET", files, SVM_OK, "text");
	fixture_keys(m, "F6");
	assert_int_equal(running(m), 1);
	assert_string_equal(fixture_request(m, REQUEST_RUN)->argv[2],
			    "sb-7f3a91c2:/workspace/c");
	fixture_free(m);
}

static void test_command__marked_in_the_terminal(void **state)
{
	struct model *m = with_command("terminal");

	(void)state;
	fixture_keys(m, "2 Space Space F5 y");
	assert_true(m->effects & EFFECT_COMMAND);
	assert_string_equal(m->command[2], "--grep=sb-9d11ba00");
	assert_string_equal(m->commands_more[0][2], "--grep=sb-7f3a91c2");
	assert_null(m->commands_more[1]);
	fixture_free(m);
}

static void test_command__its_key_runs_it_on_what_is_selected(void **state)
{
	struct model *m = with_command("terminal");

	(void)state;
	fixture_keys(m, "7 F5"); /* at home elsewhere */
	assert_null(m->command);
	fixture_keys(m, "2 j F5");
	assert_true(m->effects & EFFECT_COMMAND);
	assert_string_equal(m->command[2], "--grep=sb-7f3a91c2");
	strv_free(m->command);
	m->command = NULL;
	fixture_keys(m, "7 M-a");
	assert_string_equal(m->command[1], "list");
	fixture_free(m);
}

static void test_command__in_workspace_and_logs(void **state)
{
	struct model *m = fixture_model(30, 100);

	(void)state;
	must(m, "w.scope", "workspace");
	must(m, "w.key", "F5");
	must(m, "w.run", "a;{id}");
	must(m, "l.scope", "logs");
	must(m, "l.key", "F5");
	must(m, "l.run", "b;{name}");
	check(m);
	fixture_keys(m, "2 j f F5");
	assert_string_equal(m->command[0], "a");
	assert_string_equal(m->command[1], "sb-7f3a91c2");
	strv_free(m->command);
	m->command = NULL;
	fixture_keys(m, "Escape 2 l F5");
	assert_string_equal(m->command[0], "b");
	assert_string_equal(m->command[1], "web");
	fixture_free(m);
	REFUSED("'u' is upload there", "scope=workspace", "run=a;b", "key=u");
}

static void test_command__typing_goes_before(void **state)
{
	struct model *m = fixture_model(30, 100);

	(void)state;
	must(m, "x.run", "a;b");
	must(m, "x.key", "Z");
	check(m);
	fixture_keys(m, "2 / Z");
	assert_null(m->command);
	fixture_keys(m, "Escape ? Z");
	assert_null(m->command);
	fixture_free(m);
}

static void test_command__output_is_shown(void **state)
{
	struct model *m = with_command("show");
	struct request *r;

	(void)state;
	fixture_keys(m, "2 j F5");
	r = fixture_request(m, REQUEST_RUN);
	assert_string_equal(r->argv[0], "git");
	r->status = 3;
	fixture_answer(m, REQUEST_RUN, "log", SVM_OK, "one\n\033[2Jtwo\n");
	assert_shown(m, "log: exit status 3");
	assert_shown(m, "^[[2Jtwo");
	fixture_keys(m, "Escape F5 F5 F5");
	assert_int_equal(m->commands_running, LIMIT_TUI_COMMANDS);
	assert_shown(m, "2 commands run already");
	fixture_answer(m, REQUEST_RUN, "log", SVM_NOT_FOUND,
		       "'git' is not in PATH");
	assert_shown(m, "log: 'git' is not in PATH");
	assert_int_equal(m->commands_running, 0);
	fixture_free(m);
}

static void test_command__asks_with_what_it_will_run(void **state)
{
	struct model *m = with_command("none");

	(void)state;
	must(m, "log.confirm", "true");
	fixture_keys(m, "2 j F5");
	assert_shown(m, "RUN log?");
	assert_shown(m, "git log --grep=sb-7f3a91c2");
	fixture_keys(m, "Enter"); /* No is the default */
	assert_null(fixture_request(m, REQUEST_RUN));
	fixture_keys(m, "F5 y");
	assert_non_null(fixture_request(m, REQUEST_RUN));
	/* It would end with us. */
	fixture_keys(m, "q");
	assert_shown(m, "A command of yours still runs");
	assert_false(m->effects & EFFECT_QUIT);
	fixture_keys(m, "n");
	fixture_answer(m, REQUEST_RUN, "log", SVM_OK, "");
	assert_shown(m, "log: exit status 0");
	fixture_free(m);
}

static void test_command__read_only(void **state)
{
	struct model *m = with_command("terminal");

	(void)state;
	m->read_only = true;
	fixture_keys(m, "2 j F5");
	assert_null(m->command);
	assert_shown(m, "read-only: log may change something");
	must(m, "log.changes", "false");
	fixture_keys(m, "F5");
	assert_non_null(m->command);
	fixture_free(m);
}

static void test_command__in_palette_and_help(void **state)
{
	struct model *m = with_command("terminal");

	(void)state;
	fixture_keys(m, "2 j ?");
	fixture_type(m, "what was done");
	assert_shown(m, "log: what was done to it");
	fixture_keys(m, "Escape :");
	fixture_type(m, "was done");
	assert_shown(m, "what was done to it");
	fixture_keys(m, "Enter");
	assert_non_null(m->command);
	assert_string_equal(m->command[0], "git");
	strv_free(m->command);
	m->command = NULL;
	fixture_keys(m, "x");
	for (int i = 0; i < 40; i++)
		fixture_keys(m, "Down"); /* the last */
	assert_shown(m, "log: what was done to it");
	fixture_keys(m, "Enter");
	assert_string_equal(m->command[0], "git");
	fixture_keys(m, "7 :");
	fixture_type(m, "was done");
	assert_not_shown(m, "what was done to it");
	fixture_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(test_command__##name)
	const struct CMUnitTest tests[] = {
		TEST(path_of_a_file),
		TEST(all_that_are_marked),
		TEST(marked_files),
		TEST(marked_in_the_terminal),
		TEST(what_is_refused),
		TEST(no_name_reaches_an_interpreter),
		TEST(at_home_where_its_words_are),
		TEST(parts_are_known_alone),
		TEST(programs_of_any_kind),
		TEST(a_name_in_a_line_is_plain),
		TEST(braces_that_hold_no_word),
		TEST(words_are_text_and_nothing_else),
		TEST(a_name_is_no_option),
		TEST(whose_options_are_ended),
		TEST(its_key_runs_it_on_what_is_selected),
		TEST(in_workspace_and_logs),
		TEST(typing_goes_before),
		TEST(output_is_shown),
		TEST(asks_with_what_it_will_run),
		TEST(read_only),
		TEST(in_palette_and_help),
#undef TEST
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
