/* SPDX-License-Identifier: MIT */
/* Commands of the user's own: reading and expanding.  See command.h. */
#include "tui/command.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "tui/placeholder.h"

#define SANDBOX_WORDS "id", "name", "state", "image", "provider", \
		      "template", "network", "owner_id"

/* Where a command can be at home, and what can be selected there. */
static const struct scope {
	const char *name;
	enum context context;
	const char *words[10]; /* and NULL */
} scopes[] = {
	{ "global", CTX_GLOBAL, { NULL } },
	{ "sandboxes", CTX_SANDBOXES, { SANDBOX_WORDS, NULL } },
	{ "workspace", CTX_WORKSPACE, { SANDBOX_WORDS, NULL } },
	{ "files", CTX_FILES, { SANDBOX_WORDS, "path", NULL } },
	{ "logs", CTX_LOGS, { SANDBOX_WORDS, NULL } },
	{ "templates", CTX_TEMPLATES, { "name", "image", NULL } },
	{ "providers", CTX_PROVIDERS, { "name", NULL } },
};

static const struct scope *scope_of(enum context context)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if (scopes[i].context == context)
			return &scopes[i];
	return &scopes[0];
}

void commands_release(struct commands *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->list[i].name);
		free(c->list[i].origin);
		free(c->list[i].about);
		strv_free(c->list[i].argv);
	}
	free(c->list);
	*c = (struct commands){ NULL, 0 };
}

/* -- reading */

static struct command *named(struct commands *c, const char *name,
			     const char *origin)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->list[i].name, name) == 0)
			return &c->list[i];
	c->list = xreallocarray(c->list, c->n + 1, sizeof(*c->list));
	c->list[c->n] = (struct command){ .name = xstrdup(name),
					  .origin = xstrdup(origin),
					  .scope = CTX_GLOBAL,
					  .changes = true };
	return &c->list[c->n++];
}

static int set_key(struct command *c, const char *text, struct svm_err *err)
{
	if (key_parse(text, &c->key) < 0 || strlen(text) >= KEY_NAME_MAX)
		return svm_err_set(err, SVM_BAD_REQUEST, "'%.32s' is no key",
				   text);
	memcpy(c->key_name, text, strlen(text) + 1);
	return 0;
}

static int set_scope(struct command *c, const char *text, struct svm_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		if (strcmp(scopes[i].name, text) != 0)
			continue;
		c->scope = scopes[i].context;
		c->scoped = true;
		return 0;
	}
	return svm_err_set(err, SVM_BAD_REQUEST, "'%.32s' is not one of "
			   "global, sandboxes, workspace, files, logs, templates and "
			   "providers", text);
}

static int set_output(struct command *c, const char *text, struct svm_err *err)
{
	static const char *const names[] = { "terminal", "show", "none" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		c->output = (enum command_output)i;
		return 0;
	}
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "'%.32s' is not one of terminal, show and none",
			   text);
}

static int set_about(struct command *c, const char *text, struct svm_err *err)
{
	(void)err;
	free(c->about);
	c->about = xstrdup(text);
	return 0;
}

static int parse_flag(const char *text, bool *ret, struct svm_err *err)
{
	*ret = strcmp(text, "true") == 0;
	if (*ret || strcmp(text, "false") == 0)
		return 0;
	return svm_err_set(err, SVM_BAD_REQUEST, "'%.32s' is not true or "
			   "false", text);
}

static int set_confirm(struct command *c, const char *text,
		       struct svm_err *err)
{
	return parse_flag(text, &c->confirm, err);
}

static int set_changes(struct command *c, const char *text,
		       struct svm_err *err)
{
	return parse_flag(text, &c->changes, err);
}

static int set_run(struct command *c, char *const *values,
		   struct svm_err *err)
{
	if (!values[0] || !*values[0] ||
	    (!values[1] && strchr(values[0], ' ')))
		return svm_err_set(err, SVM_BAD_REQUEST, "must be a list, the "
				   "program first: [git, log]; there is no "
				   "shell that would take it apart");
	strv_free(c->argv);
	c->argv = strv_dup(values);
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct command *c, const char *text, struct svm_err *err);
} members[] = {
	{ "key", set_key }, { "scope", set_scope },
	{ "output", set_output }, { "about", set_about },
	{ "confirm", set_confirm }, { "changes", set_changes },
};

static int no_member(struct svm_err *err)
{
	return svm_err_set(err, SVM_BAD_REQUEST, "is nothing of a command; "
			   "there are run, key, scope, output, confirm, "
			   "changes and about");
}

static int set_member(struct command *c, const char *member,
		      char *const *values, struct svm_err *err)
{
	if (strcmp(member, "run") == 0)
		return set_run(c, values, err);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (strcmp(members[i].name, member) != 0)
			continue;
		if (strv_len(values) != 1)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "takes one value, not a list");
		return members[i].set(c, values[0], err);
	}
	return no_member(err);
}

int commands_check_key(const char *key, struct svm_err *err)
{
	const char *dot = strrchr(key, '.'), *member = dot ? dot + 1 : "";
	bool is = strcmp(member, "run") == 0;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		is |= strcmp(members[i].name, member) == 0;
	if (is)
		return 0;
	(void)no_member(err);
	return svm_err_prefix(err, "commands.%.64s", key);
}

int commands_set(struct commands *c, const char *key, char *const *values,
		 const char *origin, struct svm_err *err)
{
	const char *dot = strrchr(key, '.');
	auto_free char *name = xstrndup(key, (size_t)(dot - key));

	if (set_member(named(c, name, origin), dot + 1, values, err) < 0)
		return svm_err_prefix(err, "%s: commands.%.64s", origin, key);
	return 0;
}

/* -- checking */

static bool knows(const struct scope *s, const char *word, size_t n)
{
	for (size_t i = 0; s->words[i]; i++)
		if (strlen(s->words[i]) == n &&
		    strncmp(s->words[i], word, n) == 0)
			return true;
	return false;
}

static bool knows_all(const struct scope *s, char *const *argv)
{
	size_t n = 0;

	for (; *argv; argv++)
		for (const char *w = placeholder_next(*argv, &n); w;
		     w = placeholder_next(w, &n))
			if (!knows(s, w, n))
				return false;
	return true;
}

/* Without one, it is at home where its words mean something. */
static void find_scope(struct command *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes) && !c->scoped && c->argv;
	     i++) {
		if (!knows_all(&scopes[i], c->argv))
			continue;
		c->scope = scopes[i].context;
		return;
	}
}

static int check_argument(const struct command *c, size_t i,
			  struct svm_err *err)
{
	const struct scope *s = scope_of(c->scope);
	bool program = placeholder_is_program(c->argv, i);
	size_t n = 0;

	for (const char *w = placeholder_next(c->argv[i], &n); w;
	     w = placeholder_next(w, &n)) {
		if (program)
			return svm_err_set(err, SVM_BAD_REQUEST, "{%.*s} in "
					   "what %s could run: a name could "
					   "be a command; give it as an "
					   "argument to a program that comes "
					   "first: [sh, -c, 'echo \"$1\"', "
					   "sh, '{%.*s}'], [bash, -x, --, "
					   "SCRIPT, '{%.*s}']", (int)n, w,
					   c->argv[0], (int)n, w, (int)n, w);
		if (!knows(s, w, n))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "nothing is called {%.*s} there",
					   (int)MIN(n, 32), w);
	}
	return i == 0 && placeholder_next(c->argv[0], &n) ?
		       svm_err_set(err, SVM_BAD_REQUEST, "the program must be "
				   "known beforehand") : 0;
}

/* Contexts that can hold together with the scope. */
static enum action meaning(const struct command *c, const struct keymap *keys)
{
	const enum context near[] = { c->scope, CTX_GLOBAL, CTX_LIST,
				      CTX_TABLE, CTX_PANES, CTX_DETAILS,
				      CTX_NONE };
	const enum context panes[] = { CTX_FILES, CTX_VIEWER, CTX_LEFT,
				       CTX_WORKSPACE, CTX_NONE };
	enum action a = keymap_find(keys, near, c->key);

	/* A global one may be hidden by what a screen does with the key. */
	return a == ACT_NONE && (c->scope == CTX_WORKSPACE ||
				 c->scope == CTX_FILES) ?
		       keymap_find(keys, panes, c->key) : a;
}

static bool same_key(const struct command *a, const struct command *b)
{
	return *a->key_name && *b->key_name && a->key.code == b->key.code &&
	       a->key.mods == b->key.mods &&
	       (a->scope == b->scope || a->scope == CTX_GLOBAL ||
		b->scope == CTX_GLOBAL);
}

static int check(const struct commands *all, const struct command *c,
		 const struct keymap *keys, struct svm_err *err)
{
	enum action a = *c->key_name ? meaning(c, keys) : ACT_NONE;

	if (!c->argv)
		return svm_err_set(err, SVM_BAD_REQUEST, "has no run: [program, "
				   "arguments]");
	for (size_t i = 0; c->argv[i]; i++)
		if (check_argument(c, i, err) < 0)
			return svm_err_prefix(err, "run");
	if (a != ACT_NONE)
		return svm_err_set(err, SVM_BAD_REQUEST, "key: '%s' is %s "
				   "there", c->key_name, action_info(a)->name);
	for (const struct command *b = all->list; b < c; b++)
		if (same_key(b, c))
			return svm_err_set(err, SVM_BAD_REQUEST, "key: '%s' is "
					   "commands.%.64s already",
					   c->key_name, b->name);
	return 0;
}

int commands_check(struct commands *c, const struct keymap *keys,
		   struct svm_err *err)
{
	for (size_t i = 0; i < c->n; i++)
		find_scope(&c->list[i]);
	for (size_t i = 0; i < c->n; i++)
		if (check(c, &c->list[i], keys, err) < 0)
			return svm_err_prefix(err, "%s: commands.%.64s",
					      c->list[i].origin,
					      c->list[i].name);
	return 0;
}

/* -- using */

bool command_holds(const struct command *c, enum context x)
{
	return c->scope == x || (c->scope == CTX_FILES && x == CTX_VIEWER);
}

const struct command *commands_find(const struct commands *c,
				    const enum context *chain, struct key k)
{
	for (; *chain != CTX_NONE; chain++)
		for (size_t i = 0; i < c->n; i++)
			if (command_holds(&c->list[i], *chain) &&
			    *c->list[i].key_name &&
			    c->list[i].key.code == k.code &&
			    c->list[i].key.mods == k.mods)
				return &c->list[i];
	return NULL;
}

/* argv[i] with its words in it; NULL with err set. */
static char *expand(const struct command *c, size_t i, const cJSON *subject,
		    const char *path, struct svm_err *err)
{
	auto_buf struct buf out = BUF_INIT;
	const char *arg = c->argv[i];
	size_t n = 0;

	for (const char *w; (w = placeholder_next(arg, &n)); arg = w + n + 1) {
		auto_free char *word = xstrndup(w, n);
		const char *text = path && strcmp(word, "path") == 0 ?
					   path : json_text(subject, word);

		if (!placeholder_takes_any(c->argv, i, w, n) &&
		    !placeholder_is_plain(text)) {
			svm_err_set(err, SVM_BAD_REQUEST, "{%s} is '%.64s', "
				    "which could be a command in what %.64s "
				    "makes of it", word, text, c->argv[0]);
			return NULL;
		}
		buf_add(&out, arg, (size_t)(w - 1 - arg));
		buf_addstr(&out, text);
	}
	buf_addstr(&out, arg);
	return buf_steal(&out);
}

/* Whether the text would be an option where a name was to be. */
static bool turned_option(const struct command *c, size_t i, const char *text)
{
	size_t n = 0;

	return text[0] == '-' &&
	       (!placeholder_is_ended(c->argv, i) ||
		placeholder_is_joined(c->argv, i)) &&
	       placeholder_next(c->argv[i], &n) == c->argv[i] + 1;
}

char **command_expand(const struct command *c, const cJSON *subject,
		      const char *path, struct svm_err *err)
{
	char **argv = xcalloc(strv_len(c->argv) + 1, sizeof(*argv));

	for (size_t i = 0; c->argv[i]; i++) {
		argv[i] = expand(c, i, subject, path, err);
		if (argv[i] && !turned_option(c, i, argv[i]))
			continue;
		if (argv[i])
			svm_err_set(err, SVM_BAD_REQUEST, "%s is '%.64s', "
				    "which the program would take for an "
				    "option; put -- before it", c->argv[i],
				    argv[i]);
		strv_free(argv);
		return NULL;
	}
	return argv;
}

void command_describe(const struct command *c, struct buf *out)
{
	if (c->about)
		buf_addstr(out, c->about);
	for (size_t i = 0; !c->about && c->argv[i]; i++)
		buf_addf(out, "%s%s", i ? " " : "", c->argv[i]);
}
