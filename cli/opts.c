/* SPDX-License-Identifier: MIT */
/* Option parsing from tables.  See opts.h. */
#include "cli/opts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/nearest.h"
#include "lib/base/duration.h"
#include "lib/base/mem.h"

#define G(t, l, n, m, a, h) \
	{ t, l, n, offsetof(struct cli, m), a, h, COMPLETE_NONE, false }

const struct opt global_opts[] = {
	G(OPT_FLAG, 'h', "help", help, NULL, "show help and exit"),
	G(OPT_STRING, 0, "server", server, "URL",
	  "daemon to talk to: unix:/path or http://host:port"),
	G(OPT_STRING, 0, "api-key", api_key, "KEY",
	  "key for a daemon that wants one (better: STACYVM_API_KEY)"),
	{ OPT_STRING, 0, "api-key-file", offsetof(struct cli, api_key_file),
	  "FILE", "read the key from a file", COMPLETE_FILE, false },
	G(OPT_OPTIONAL, 0, "json", json, "FIELDS",
	  "print JSON, all fields or only these"),
	G(OPT_STRING, 0, "format", format, "TEMPLATE",
	  "print each item by a template: '{{id}} {{state}}'"),
	G(OPT_FLAG, 0, "plain", plain, NULL,
	  "tab-separated columns, nothing cut"),
	G(OPT_FLAG, 0, "no-header", no_header, NULL, "no heading line"),
	G(OPT_FLAG, 'q', "quiet", quiet, NULL,
	  "ids only; no notices or progress"),
	G(OPT_FLAG, 'v', "verbose", verbose, NULL, "say more on stderr"),
	G(OPT_CHOICE, 0, "color", color, "auto|always|never",
	  "colours and other attributes of text"),
	G(OPT_FLAG, 0, "no-color", no_color, NULL, "the same as --color=never"),
	G(OPT_FLAG, 0, "no-pager", no_pager, NULL,
	  "print what is long straight to the terminal"),
	G(OPT_FLAG, 0, "no-input", no_input, NULL, "never ask anything"),
	G(OPT_DURATION, 0, "timeout", timeout, "D",
	  "give up after this long (exit status 124)"),
	G(OPT_CHOICE, 0, "progress", progress, "auto|plain|none",
	  "how what takes long shows its progress"),
	OPTS_END,
};

const struct opt *opts_find(const struct opt *opts, const char *name, size_t n)
{
	for (; opts && opts->type != OPT_END; opts++)
		if (strlen(opts->name) == n &&
		    strncmp(opts->name, name, n) == 0)
			return opts;
	return NULL;
}

const struct opt *opts_find_letter(const struct opt *opts, char letter)
{
	for (; opts && opts->type != OPT_END; opts++)
		if (opts->letter && opts->letter == letter)
			return opts;
	return NULL;
}

static void list_add(char ***list, const char *value)
{
	size_t n = *list ? strv_len(*list) : 0;

	*list = xreallocarray(*list, n + 2, sizeof(char *));
	(*list)[n] = xstrdup(value);
	(*list)[n + 1] = NULL;
}

static int parse_number(const char *text, int64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	long long v = strtoll(text, &end, 10);

	if (*end || v > INT32_MAX)
		return -1;
	*ret = v;
	return 0;
}

/* "512", "512m", "512MiB", "2g" in MiB. */
static int parse_mebibytes(const char *text, int64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	long long v = strtoll(text, &end, 10);
	int unit = tolower((unsigned char)*end);

	if (v > INT32_MAX)
		return -1;
	if (unit == 'm' || unit == 'g') {
		v *= unit == 'g' ? 1024 : 1;
		end++;
		if (strcasecmp(end, "b") == 0 || strcasecmp(end, "ib") == 0)
			end += strlen(end);
	}
	if (*end)
		return -1;
	*ret = v;
	return 0;
}

static bool is_choice(const char *words, const char *value)
{
	size_t n = strlen(value);

	for (;;) {
		size_t len = strcspn(words, "|");

		if (len == n && strncmp(words, value, n) == 0)
			return true;
		if (!words[len])
			return false;
		words += len + 1;
	}
}

static int bad_value(const struct opt *o, const char *value, const char *want,
		     struct svm_err *err)
{
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "bad value '%s' for --%s: %s", value, o->name,
			   want);
}

static int store(const struct opt *o, void *base, const char *value,
		 struct svm_err *err)
{
	void *at = (char *)base + o->off;
	int64_t ns;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)at = true;
		return 0;
	case OPT_STRING:
	case OPT_OPTIONAL:
		*(const char **)at = value;
		return 0;
	case OPT_LIST:
		list_add(at, value);
		return 0;
	case OPT_NUMBER:
		if (parse_number(value, at) < 0)
			return bad_value(o, value, "not a whole number", err);
		return 0;
	case OPT_COUNT:
		if (parse_number(value, at) < 0 || *(int64_t *)at == 0)
			return bad_value(o, value, "not a whole number from 1",
					 err);
		return 0;
	case OPT_MEBIBYTES:
		if (parse_mebibytes(value, at) < 0 || *(int64_t *)at == 0)
			return bad_value(o, value,
					 "not a size (512, 512m, 2g)", err);
		return 0;
	case OPT_DURATION:
		if (duration_parse(value, &ns) < 0 || ns < 0)
			return bad_value(o, value,
					 "not a duration (30s, 10m, 1h30m)",
					 err);
		*(const char **)at = value;
		return 0;
	case OPT_CHOICE:
		if (!is_choice(o->arg, value))
			return bad_value(o, value, o->arg, err);
		*(const char **)at = value;
		return 0;
	case OPT_END:
		break;
	}
	BUG("option --%s has no type", o->name);
}

struct parser {
	const struct cmd *cmd;
	void *values;
	struct cli *cli;
	int argc, next;
	char **argv;
	struct svm_err *err;
};

static int unknown_option(const struct parser *p, const char *arg, size_t n)
{
	auto_free char *word = xstrndup(arg, n);
	struct nearest near = { .word = word + strspn(word, "-") };

	for (const struct opt *o = p->cmd->opts; o && o->type; o++)
		nearest_offer(&near, o->name);
	for (const struct opt *o = global_opts; o->type; o++)
		nearest_offer(&near, o->name);
	svm_err_set(p->err, SVM_BAD_REQUEST, "unknown option '%s'%s%s%s", word,
		    near.best ? ". Did you mean '--" : "",
		    near.best ? near.best : "", near.best ? "'?" : "");
	return -1;
}

/* The command's own options shadow the global ones of the same name. */
static int take(struct parser *p, const struct opt *o, bool global,
		const char *value)
{
	void *base = global ? (void *)p->cli : p->values;

	if (o->type == OPT_FLAG && value)
		return svm_err_set(p->err, SVM_BAD_REQUEST,
				   "--%s takes no value", o->name);
	if (o->type == OPT_OPTIONAL && !value)
		value = "";
	if (o->type != OPT_FLAG && !value) {
		if (p->next >= p->argc)
			return svm_err_set(p->err, SVM_BAD_REQUEST,
					   "--%s needs a value (%s)", o->name,
					   o->arg);
		value = p->argv[p->next++];
	}
	return store(o, base, value, p->err);
}

static int parse_long(struct parser *p, const char *arg)
{
	const char *eq = strchr(arg, '=');
	size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
	const struct opt *o = opts_find(p->cmd->opts, arg + 2, n - 2);
	bool global = !o;

	if (global)
		o = opts_find(global_opts, arg + 2, n - 2);
	if (!o)
		return unknown_option(p, arg, n);
	return take(p, o, global, eq ? eq + 1 : NULL);
}

/* -it, -wDIR, -w DIR */
static int parse_letters(struct parser *p, const char *arg)
{
	for (const char *c = arg + 1; *c; c++) {
		const struct opt *o = opts_find_letter(p->cmd->opts, *c);
		bool global = !o;

		if (global)
			o = opts_find_letter(global_opts, *c);
		if (!o)
			return unknown_option(p, arg, strlen(arg));
		if (o->type != OPT_FLAG)
			return take(p, o, global, c[1] ? c + 1 : NULL);
		if (take(p, o, global, NULL) < 0)
			return -1;
	}
	return 0;
}

/* With a sandbox in use `exec uname -a` is what people type, and what a shell
 * would do.  Another one is named before "--", or this one anyhow. */
static bool is_command_in_use(const struct parser *p, const char *word)
{
	const char *next = p->next + 1 < p->argc ? p->argv[p->next + 1] : "";

	return p->cli->in_use && p->cmd->command_at == 2 &&
	       p->cmd->complete == COMPLETE_SANDBOX &&
	       strcmp(next, "--") != 0 && strcmp(word, ".") != 0 &&
	       strcmp(word, p->cli->in_use) != 0;
}

int opts_parse(const struct cmd *cmd, void *values, struct cli *cli, int argc,
	       char **argv, int *ret_argc, int *ret_dashes,
	       struct svm_err *err)
{
	struct parser p = { cmd, values, cli, argc, 0, argv, err };
	int kept = 0;

	*ret_dashes = -1;
	while (p.next < argc) {
		char *arg = argv[p.next];
		bool option = arg[0] == '-' && arg[1];

		if (option && strcmp(arg, "--") == 0) {
			*ret_dashes = kept;
			p.next++;
			break;
		}
		if (!option && cmd->command_at && kept + 1 == cmd->command_at)
			break;
		if (!option && !kept && is_command_in_use(&p, arg)) {
			*ret_dashes = 0;
			break;
		}
		p.next++;
		if (!option) {
			argv[kept++] = arg;
			continue;
		}
		if ((arg[1] == '-' ? parse_long(&p, arg) :
				     parse_letters(&p, arg)) < 0)
			return -1;
	}
	while (p.next < argc)
		argv[kept++] = argv[p.next++];
	argv[kept] = NULL; /* options were taken out, or argv[argc] */
	*ret_argc = kept;
	return 0;
}

void opts_release(const struct opt *opts, void *values)
{
	for (; opts && opts->type != OPT_END; opts++) {
		char ***list = (void *)((char *)values + opts->off);

		if (opts->type == OPT_LIST) {
			strv_free(*list);
			*list = NULL;
		}
	}
}
