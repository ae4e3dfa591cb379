/* SPDX-License-Identifier: MIT */
/* Candidates for the last word of a command line.  See candidates.h. */
#include "cli/candidates.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/sandbox.h"
#include "cli/transfer.h"
#include "lib/api/limits.h"
#include "lib/api/state.h"
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/escape.h"
#include "lib/base/mem.h"

/* Who pressed a key must not wait for a daemon that hangs. */
#define PATIENCE_NS 200000000

struct line {
	struct cli *cli;
	candidate_fn fn;
	void *data;
	const char *last;   /* what is there of the last word */
	const char *before; /* of it, what stands before the candidates */
	unsigned offered;
	bool files;

	/* From the words before. */
	const struct cmd *cmd;
	const struct cmd *const *list; /* a command of this is wanted */
	const struct opt *pending; /* the last word is its value */
	int nargs;
	const char *first_arg;
	const char *workdir; /* that of the command in a sandbox, or NULL */
	bool dashes, lost;
};

static bool is_plain(const char *text)
{
	auto_buf struct buf shown = BUF_INIT;

	escape_line(&shown, text, strlen(text));
	return strcmp(buf_str(&shown), text) == 0;
}

/* `tail` comes right after the word. */
static void offer_any(struct line *l, const char *word, const char *tail,
		      const char *about)
{
	auto_free char *whole = xasprintf("%s%s%s", l->before, word, tail);
	auto_buf struct buf text = BUF_INIT;

	if (strncmp(whole, l->last, strlen(l->last)) != 0 || !word[0] ||
	    !is_plain(whole) || l->offered >= LIMIT_COMPLETIONS)
		return;
	l->offered++;
	if (about)
		escape_line(&text, about, strlen(about));
	l->fn(l->data, whole, buf_str(&text));
}

/* What would be read as an option is no name any more: somebody may have called
 * a template "--json". */
static void offer(struct line *l, const char *word, const char *tail,
		  const char *about)
{
	if (word[0] != '-' || l->before[0] || l->dashes)
		offer_any(l, word, tail, about);
}

static void offer_commands(struct line *l, const struct cmd *const *list)
{
	for (; *list; list++)
		if (!((*list)->flags & CMD_HIDDEN))
			offer(l, (*list)->name, "", (*list)->summary);
}

static void offer_options(struct line *l, const struct opt *opts)
{
	for (; opts && opts->type != OPT_END; opts++) {
		auto_free char *word = xasprintf("--%s", opts->name);

		if (!opts->hidden)
			offer_any(l, word, "", opts->help);
	}
}

static void offer_choices(struct line *l, const char *words)
{
	while (words && *words) {
		size_t n = strcspn(words, "|");
		auto_free char *word = xstrndup(words, n);

		offer(l, word, "", NULL);
		words += n + (words[n] == '|');
	}
}

static int64_t deadline(void)
{
	return clock_boot_ns() + fault_time("complete.wait", PATIENCE_NS);
}

static int get_items(struct line *l, const char *target, struct buf *body,
		     struct json_doc *doc, cJSON **ret)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	struct client *c = cli_client(l->cli, &ignored);

	if (!c)
		return -1;
	client_set_deadline(c, deadline());
	if (cli_get(l->cli, target, body, &ignored) < 0)
		return -1;
	return out_parse_array(doc, body, ret, &ignored);
}

/* The items of a list of the daemon: `key`, described by `about`. */
static void offer_items(struct line *l, const char *target, const char *key,
			const char *about)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *item;
	cJSON *items;

	if (get_items(l, target, &body, &doc, &items) < 0)
		return;
	cJSON_ArrayForEach(item, items) {
		auto_buf struct buf word = BUF_INIT, text = BUF_INIT;

		out_field_text(item, key, strlen(key), &word);
		out_field_text(item, about, strlen(about), &text);
		offer(l, buf_str(&word), "", buf_str(&text));
	}
}

static void offer_sandboxes(struct line *l, const char *tail)
{
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const cJSON *item;
	cJSON *items;

	if (get_items(l, API "/sandboxes", &body, &doc, &items) < 0)
		return;
	cJSON_ArrayForEach(item, items) {
		auto_buf struct buf id = BUF_INIT, name = BUF_INIT;
		auto_buf struct buf text = BUF_INIT;

		out_field_text(item, "id", 2, &id);
		out_field_text(item, "name", 4, &name);
		buf_addf(&text, "%s%s", buf_str(&name), name.len ? " " : "");
		out_field_text(item, "state", 5, &text);
		buf_addch(&text, ' ');
		out_field_text(item, "image", 5, &text);
		offer(l, buf_str(&id), tail, buf_str(&text));
		offer(l, buf_str(&name), tail, buf_str(&id));
	}
}

/* A word that begins with a name is no option and nobody's home: a sandbox may
 * call a file "-rf", and fish quotes no "~" (and shows no "./" unasked). */
static bool needs_dir(const struct line *l, const char *name)
{
	return !l->before[0] && !l->last[0] && (*name == '-' || *name == '~');
}

/* Paths in a sandbox that begin with `path`. */
static void offer_paths(struct line *l, const char *sandbox, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 0;
	auto_free char *dir = xstrndup(path, n);
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct client *c = cli_client(l->cli, &ignored);
	const cJSON *item;
	cJSON *items;

	if (!c)
		return;
	client_set_deadline(c, deadline());
	auto_free char *id = sandbox_resolve(l->cli, sandbox, &ignored);
	auto_free char *there = dir[0] == '/' || !l->workdir ? xstrdup(dir) :
						xasprintf("%s/%s", l->workdir,
							  dir);
	auto_free char *abs = sandbox_abs_path(l->cli, id, there);
	auto_free char *target = id ? files_target(id, "/list", abs) : NULL;

	if (!target || get_items(l, target, &body, &doc, &items) < 0)
		return;
	cJSON_ArrayForEach(item, items) {
		auto_buf struct buf name = BUF_INIT, word = BUF_INIT;

		out_field_text(item, "name", 4, &name);
		/* Of nothing typed, `abs` ends in a slash. */
		buf_addf(&word, "%s%s", needs_dir(l, buf_str(&name)) ? abs :
				dir, buf_str(&name));
		if (name.len && (buf_str(&name)[0] != '.' || path[n] == '.'))
			offer(l, buf_str(&word),
			      cJSON_IsTrue(out_field(item, "is_dir", 6)) ?
				      "/" : "",
			      NULL);
	}
}

/* "ID:" before a path, or a sandbox whose path comes next. */
static void offer_sandbox_path(struct line *l)
{
	const char *path = NULL;
	auto_free char *id = sandbox_split(l->cli, l->last, &path);

	if (!id) {
		offer_sandboxes(l, ":");
		l->files = true;
		return;
	}
	auto_free char *before = xstrndup(l->last, (size_t)(path - l->last));

	l->before = before;
	offer_paths(l, id, path);
	l->before = "";
}

/* Labels that are there, to be set anew or removed; a value is nobody's
 * business but the user's. */
static void offer_labels(struct line *l, const char *sandbox)
{
	auto_err struct svm_err ignored = SVM_ERR_INIT;
	auto_buf struct buf body = BUF_INIT;
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct client *c = cli_client(l->cli, &ignored);
	const cJSON *item;

	if (!c || !*sandbox || strchr(l->last, '='))
		return;
	/* "." and what is no id stand for the sandbox in use. */
	if (l->cli->in_use && (strcmp(sandbox, ".") == 0 ||
			       strchr(sandbox, '=') ||
			       sandbox[strlen(sandbox) - 1] == '-'))
		sandbox = l->cli->in_use;
	client_set_deadline(c, deadline());
	auto_free char *id = sandbox_resolve(l->cli, sandbox, &ignored);
	auto_free char *target = id ? sandbox_path(id, "") : NULL;

	if (!id || cli_get(l->cli, target, &body, &ignored) < 0 ||
	    out_parse_object(&doc, &body, &ignored) < 0)
		return;
	cJSON_ArrayForEach(item, json_get(doc.root, "metadata")) {
		if (!item->string || !cJSON_IsString(item))
			continue;
		offer(l, item->string, "=", item->valuestring);
		offer(l, item->string, "-", "remove it");
	}
}

static void offer_events(struct line *l)
{
#define EVENT_TYPE(NAME, name, what) offer(l, name, "", what);
#include "lib/api/event-type.def"
#undef EVENT_TYPE
}

static void offer_settings(struct line *l)
{
	const struct entries *e = l->cli->entries;
	const char *name, *about, *choices;

	for (size_t i = 0;
	     e->setting && (name = e->setting(i, &about, &choices)); i++)
		offer(l, name, "", about);
}

static void offer_setting_values(struct line *l, const char *key)
{
	const struct entries *e = l->cli->entries;
	const char *name, *about, *choices;

	for (size_t i = 0;
	     e->setting && (name = e->setting(i, &about, &choices)); i++)
		if (key && strcmp(name, key) == 0)
			offer_choices(l, choices);
}

/* Whose paths are wanted, or NULL. */
static const char *sandbox_of(const struct line *l)
{
	const char *id = l->cli->in_use;

	return id && (!l->first_arg || strcmp(l->first_arg, ".") == 0) ?
		       id : l->first_arg;
}

static void offer_values(struct line *l, enum opt_complete kind,
			 const char *part)
{
	switch (kind) {
	case COMPLETE_SANDBOX:
		if (l->cmd && l->cmd->complete_then == COMPLETE_REMOTE_PATH &&
		    strchr(part, ':'))
			offer_sandbox_path(l);
		else
			offer_sandboxes(l, "");
		if (l->cmd && l->cmd->complete_then == COMPLETE_LABEL &&
		    l->cli->in_use)
			offer_labels(l, l->cli->in_use);
		break;
	case COMPLETE_SANDBOX_PATH:
		offer_sandbox_path(l);
		break;
	case COMPLETE_REMOTE_PATH:
		if (sandbox_of(l))
			offer_paths(l, sandbox_of(l), part);
		break;
	case COMPLETE_IMAGE:
		offer(l, "host", "", "this machine's own /usr, read-only");
		offer_items(l, API "/images", "ref", "digest");
		break;
	case COMPLETE_TEMPLATE:
		offer_items(l, API "/templates", "name", "description");
		break;
	case COMPLETE_PROVIDER:
		offer_items(l, API "/providers", "name", "description");
		break;
	case COMPLETE_STATE:
		for (unsigned s = 0; s < SANDBOX_STATE_MAX; s++)
			offer(l, sandbox_state_name(s), "", NULL);
		break;
	case COMPLETE_EVENT:
		offer_events(l);
		break;
	case COMPLETE_SETTING:
		offer_settings(l);
		break;
	case COMPLETE_CHOICE:
		offer_setting_values(l, l->first_arg);
		break;
	case COMPLETE_THEME:
		offer_setting_values(l, "ui.theme");
		break;
	case COMPLETE_WORDS:
		offer_choices(l, l->cmd ? l->cmd->words : NULL);
		break;
	case COMPLETE_LABEL:
		if (l->first_arg)
			offer_labels(l, l->first_arg);
		break;
	case COMPLETE_FILE:
		l->files = true;
		break;
	case COMPLETE_NONE:
		break;
	}
}

static const struct opt *find_long(const struct line *l, const char *name,
				   size_t n)
{
	const struct opt *o = l->cmd ? opts_find(l->cmd->opts, name, n) : NULL;

	return o ? o : opts_find(global_opts, name, n);
}

/* The option whose value is the next word, or NULL. */
static const struct opt *wants_value(const struct line *l, const char *word)
{
	const struct opt *o = NULL;

	if (strncmp(word, "--", 2) == 0) {
		if (!strchr(word, '='))
			o = find_long(l, word + 2, strlen(word + 2));
		return o && o->arg && o->type != OPT_OPTIONAL ? o : NULL;
	}
	for (const char *c = word + 1; *c; c++) {
		o = l->cmd ? opts_find_letter(l->cmd->opts, *c) : NULL;
		if (!o)
			o = opts_find_letter(global_opts, *c);
		if (!o || o->arg)
			return o && !c[1] ? o : NULL;
	}
	return NULL;
}

/* Which daemon is asked is said by the line itself, and where a command
 * runs. */
static void note_option(struct line *l, const struct opt *o, const char *value)
{
	static const char *const names[] = { "server", "api-key",
					     "api-key-file" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (o == opts_find(global_opts, names[i], strlen(names[i])))
			*(const char **)((char *)l->cli + o->off) = value;
	if (strcmp(o->name, "workdir") == 0)
		l->workdir = value;
}

/* At the console the sandbox in use need not be written: see opts.c. */
static void note_in_use(struct line *l, const char *word, const char *next)
{
	const char *id = l->cli->in_use;
	bool here = id && l->cmd && l->cmd->command_at == 2 && !l->nargs &&
		    l->cmd->complete == COMPLETE_SANDBOX;
	bool dashes = strcmp(word, "--") == 0;

	if (here && (dashes || (strcmp(word, ".") != 0 &&
				strcmp(word, id) != 0 &&
				strcmp(next, "--") != 0)))
		l->nargs = 1;
}

static void note_word(struct line *l, const char *word)
{
	if (l->list) {
		const struct cmd *found = cmd_find(l->list, word);

		l->lost = !found || (found->flags & CMD_HIDDEN);
		l->cmd = found;
		l->list = found ? found->subs : NULL;
	} else if (l->nargs++ == 0) {
		l->first_arg = word;
	}
}

/* The command of the sandbox's own has begun: all options are its. */
static bool in_command(const struct line *l)
{
	return l->cmd && l->cmd->command_at && l->nargs >= l->cmd->command_at;
}

static void read_words(struct line *l, int argc, char **words)
{
	for (int i = 0; i + 1 < argc && !l->lost; i++) {
		const char *word = words[i];
		const char *eq = strchr(word, '=');

		if (l->dashes || in_command(l) || word[0] != '-' ||
		    !word[1]) {
			if (!l->dashes && !l->list)
				note_in_use(l, word, words[i + 1]);
			note_word(l, word);
			continue;
		}
		if (strcmp(word, "--") == 0) {
			note_in_use(l, word, "");
			l->dashes = true;
			continue;
		}
		const struct opt *o = wants_value(l, word);

		if (o && i + 2 == argc)
			l->pending = o;
		else if (o)
			note_option(l, o, words[++i]);
		else if (eq && (o = find_long(l, word + 2,
					      (size_t)(eq - word) - 2)))
			note_option(l, o, eq + 1);
	}
}

static void offer_value_of(struct line *l, const struct opt *o,
			   const char *part)
{
	if (o->type == OPT_CHOICE)
		offer_choices(l, o->arg);
	else
		offer_values(l, o->complete, part);
}

/* --name=VALUE as one word. */
static void offer_attached(struct line *l, const char *eq)
{
	auto_free char *before = xstrndup(l->last,
					  (size_t)(eq - l->last) + 1);
	const struct opt *o = find_long(l, l->last + 2,
					(size_t)(eq - l->last) - 2);

	if (!o || !o->arg)
		return;
	l->before = before;
	offer_value_of(l, o, eq + 1);
	l->before = "";
}

static void offer_argument(struct line *l)
{
	const struct cmd *cmd = l->cmd;

	if (cmd->command_at && l->nargs + 1 >= cmd->command_at) {
		/* A command line of the sandbox's own: its files, but what
		 * programs there are is not known. */
		if (cmd->complete == COMPLETE_SANDBOX && l->last[0] != '-' &&
		    (in_command(l) || strchr(l->last, '/')))
			offer_values(l, COMPLETE_REMOTE_PATH, l->last);
		return;
	}
	if (l->dashes && !cmd->complete)
		return;
	if (cmd->max_args >= 0 && l->nargs >= cmd->max_args)
		return;
	if (cmd == &cmd_help)
		offer_commands(l, cmds);
	/* A program's path, in the sandbox in use. */
	if (cmd->command_at && l->cli->in_use && strchr(l->last, '/'))
		offer_values(l, COMPLETE_REMOTE_PATH, l->last);
	offer_values(l, l->nargs == 0 || (!cmd->complete_then &&
					  cmd->max_args < 0) ?
				cmd->complete : cmd->complete_then,
		     l->last);
}

bool candidates_offer(struct cli *cli, int argc, char **words,
		      candidate_fn fn, void *data)
{
	struct line l = { .cli = cli, .fn = fn, .data = data, .before = "",
			  .last = argc ? words[argc - 1] : "", .list = cmds };
	const char *eq = strchr(l.last, '=');

	cli->no_autostart = true;
	cli->progress = "none"; /* the line that is typed has the screen */
	read_words(&l, argc, words);
	if (l.lost)
		return false;
	if (l.pending) {
		offer_value_of(&l, l.pending, l.last);
	} else if (l.last[0] == '-' && !l.dashes && !in_command(&l)) {
		if (strncmp(l.last, "--", 2) == 0 && eq) {
			offer_attached(&l, eq);
			return l.files;
		}
		offer_options(&l, l.cmd ? l.cmd->opts : NULL);
		offer_options(&l, global_opts);
	} else if (l.list) {
		offer_commands(&l, l.list);
	} else {
		offer_argument(&l);
	}
	return l.files;
}
