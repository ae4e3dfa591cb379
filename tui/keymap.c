/* SPDX-License-Identifier: MIT */
/* Keys and actions.  See keymap.h. */
#include "tui/keymap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

static const struct {
	const char *name, *what;
} contexts[CTX_MAX] = {
#define CONTEXT(NAME, name, what) [CTX_##NAME] = { name, what },
#include "tui/keymap.def"
#undef CONTEXT
};

static const struct action_info actions[ACT_MAX] = {
#define CHANGES ACTION_CHANGES
#define DESTROYS ACTION_DESTROYS
#define GLOBAL ACTION_GLOBAL
#define SELECTED ACTION_SELECTED
#define ACTION(NAME, name, flags, brief, what) \
	[ACT_##NAME] = { name, flags, brief, what },
#include "tui/keymap.def"
#undef ACTION
#undef GLOBAL
#undef DESTROYS
#undef CHANGES
};

static const struct default_binding {
	enum context context;
	const char *keys;
	enum action action;
} defaults[] = {
#define BIND(CONTEXT, keys, ACTION) { CTX_##CONTEXT, keys, ACT_##ACTION },
#include "tui/keymap.def"
#undef BIND
};

#define KEYS_MAX 4 /* of a binding */

struct binding {
	enum context context;
	enum action action;
	struct key keys[KEYS_MAX];
	size_t n;
};

/* Those of a context stand together: they are looked up for every hint of
 * every frame. */
struct keymap {
	struct binding all[ARRAY_SIZE(defaults)];
	struct range {
		size_t first, n;
	} of[CTX_MAX];
};

const struct action_info *action_info(enum action a)
{
	return &actions[a];
}

enum action action_find(const char *name)
{
	for (int a = ACT_NONE + 1; a < ACT_MAX; a++)
		if (strcmp(actions[a].name, name) == 0)
			return (enum action)a;
	return ACT_NONE;
}

const char *context_name(enum context c)
{
	return contexts[c].name;
}

const char *context_what(enum context c)
{
	return contexts[c].what;
}

/* Words of keys; -1 at the first that is none, which is in *ret_bad. */
static int parse_keys(const char *text, struct binding *b, char **ret_bad)
{
	auto_free char *words = xstrdup(text);
	char *rest = NULL;

	b->n = 0;
	for (char *w = strtok_r(words, " ", &rest); w;
	     w = strtok_r(NULL, " ", &rest)) {
		if (b->n == KEYS_MAX || key_parse(w, &b->keys[b->n]) < 0) {
			*ret_bad = xstrdup(w);
			return -1;
		}
		b->n++;
	}
	return 0;
}

struct keymap *keymap_new(void)
{
	struct keymap *k = xcalloc(1, sizeof(*k));

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct binding *b = &k->all[i];
		struct range *of = &k->of[defaults[i].context];
		char *bad = NULL;

		if (!of->n)
			of->first = i;
		if (of->first + of->n++ != i)
			BUG("keymap.def: keys of %s in two places",
			    contexts[defaults[i].context].name);

		b->context = defaults[i].context;
		b->action = defaults[i].action;
		if (parse_keys(defaults[i].keys, b, &bad) < 0)
			BUG("keymap.def: no key '%s'", bad);
	}
	return k;
}

void keymap_free(struct keymap *k)
{
	free(k);
}

static bool has(const struct binding *b, struct key key)
{
	for (size_t i = 0; i < b->n; i++)
		if (key_is(b->keys[i], key.code, key.mods))
			return true;
	return false;
}

/* The i-th of a context; NULL after its last. */
static const struct binding *nth(const struct keymap *k, enum context c,
				 size_t i)
{
	return i < k->of[c].n ? &k->all[k->of[c].first + i] : NULL;
}

static const struct binding *find(const struct keymap *k, enum context c,
				  enum action a)
{
	const struct binding *b;

	for (size_t i = 0; (b = nth(k, c, i)); i++)
		if (b->action == a)
			return b;
	return NULL;
}

/* What a key is bound to, leaving out `but`. */
static const struct binding *find_key(const struct keymap *k, enum context c,
				      struct key key,
				      const struct binding *but)
{
	const struct binding *b;

	for (size_t i = 0; (b = nth(k, c, i)); i++)
		if (b != but && has(b, key))
			return b;
	return NULL;
}

static const struct binding *find_name(const struct keymap *k,
				       const char *name)
{
	const char *dot = strchr(name, '.');

	for (int c = CTX_NONE + 1; dot && c < CTX_MAX; c++)
		if (strlen(contexts[c].name) == (size_t)(dot - name) &&
		    strncmp(contexts[c].name, name,
			    (size_t)(dot - name)) == 0)
			return find(k, (enum context)c, action_find(dot + 1));
	return NULL;
}

bool keymap_has(const struct keymap *k, const char *name)
{
	return find_name(k, name);
}

/* Without a key for these, one would be shut in. */
static bool is_way_out(enum action a)
{
	return a == ACT_LEAVE || a == ACT_CLOSE || a == ACT_NO;
}

/* In a terminal the rest is for what runs there. */
static bool may_leave_terminal(struct key k)
{
	if (k.code >= KEY_NAMED)
		return k.code >= KEY_CODE_F1 || k.mods != 0;
	return k.mods & KEY_MOD_ALT ||
	       (k.mods & KEY_MOD_CTRL && k.code < 0x80 &&
		!strchr("cdhijmqsz{", (int)k.code | 0x20));
}

/* Why its keys can't be; 0 when they can. */
static int check_keys(const struct keymap *k, const struct binding *at,
		      struct svm_err *err)
{
	char text[KEY_NAME_MAX];

	if (!at->n && is_way_out(at->action))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "needs a key: there would be no way out");
	for (size_t i = 0; i < at->n; i++) {
		struct key key = at->keys[i];

		if (actions[at->action].flags & ACTION_DESTROYS &&
		    key.mods & KEY_MOD_CTRL && key.code < KEY_NAMED)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "%s destroys something and may "
					   "not be on a Ctrl key",
					   actions[at->action].name);
		if (at->context == CTX_TERMINAL && !may_leave_terminal(key))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' is for what runs in the "
					   "terminal: choose a function key, "
					   "one with Alt, or one with Ctrl "
					   "that terminals don't need, as ^] "
					   "or ^G", key_name(key, text));
		const struct binding *other = find_key(k, at->context, key,
						       at);
		if (other)
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%s' is %s there",
					   key_name(key, text),
					   actions[other->action].name);
	}
	return 0;
}

/* Without looking at the others. */
static int set(struct keymap *k, const char *name, const char *keys,
	       struct svm_err *err)
{
	const struct binding *at = find_name(k, name);
	auto_free char *bad = NULL;
	struct binding wanted;

	if (!at) {
		svm_err_set(err, SVM_BAD_REQUEST,
			    "no such context and action");
		return svm_err_hint(err, "see them with:  stacyvm help keys");
	}
	wanted = *at;
	if (parse_keys(keys, &wanted, &bad) < 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "'%s' is no key, or there are more than %d",
				   bad, KEYS_MAX);
	k->all[at - k->all] = wanted;
	return 0;
}

static int blame(const struct keymap_change *c, struct svm_err *err)
{
	if (c->setting)
		svm_err_prefix(err, "%s", c->setting);
	else
		svm_err_prefix(err, "keys.%s", c->name);
	return c->origin ? svm_err_prefix(err, "%s", c->origin) : -1;
}

int keymap_change(struct keymap *k, const struct keymap_change *changes,
		  size_t n, struct svm_err *err)
{
	struct keymap changed = *k;

	for (size_t i = 0; i < n; i++)
		if (set(&changed, changes[i].name, changes[i].keys, err) < 0)
			return blame(&changes[i], err);
	for (size_t i = 0; i < n; i++)
		if (check_keys(&changed, find_name(&changed, changes[i].name),
			       err) < 0)
			return blame(&changes[i], err);
	*k = changed;
	return 0;
}

int keymap_set(struct keymap *k, const char *name, const char *keys,
	       struct svm_err *err)
{
	return keymap_change(k, &(struct keymap_change){ name, keys, NULL,
							 NULL }, 1, err);
}

enum action keymap_find(const struct keymap *k, const enum context *chain,
			struct key key)
{
	const struct binding *b;

	for (; *chain != CTX_NONE; chain++)
		if ((b = find_key(k, *chain, key, NULL)))
			return b->action;
	return ACT_NONE;
}

const char *keymap_key(const struct keymap *k, const enum context *chain,
		       enum action a, char out[KEY_NAME_MAX])
{
	out[0] = '\0';
	for (const enum context *c = chain; *c != CTX_NONE; c++) {
		const struct binding *b = find(k, *c, a);

		/* One that a nearer context has for something else is not
		 * what the user would get. */
		for (size_t i = 0; b && i < b->n; i++)
			if (keymap_find(k, chain, b->keys[i]) == a)
				return key_name(b->keys[i], out);
	}
	return out;
}

static void add_key(struct buf *keys, struct key key)
{
	char text[KEY_NAME_MAX];

	buf_addf(keys, "%s%s", keys->len ? " " : "", key_name(key, text));
}

bool keymap_binding(const struct keymap *k, enum context c, size_t i,
		    struct buf *keys, enum action *ret_action)
{
	const struct binding *b = nth(k, c, i);

	buf_clear(keys);
	for (size_t n = 0; b && n < b->n; n++)
		add_key(keys, b->keys[n]);
	if (b)
		*ret_action = b->action;
	return b;
}

/* Whether a context before `end` has the key for itself. */
static bool is_taken(const struct keymap *k, const enum context *chain,
		     const enum context *end, struct key key)
{
	for (; chain < end; chain++) {
		const enum context alone[] = { *chain, CTX_NONE };

		if (keymap_find(k, alone, key) != ACT_NONE)
			return true;
	}
	return false;
}

bool keymap_binding_there(const struct keymap *k, const enum context *chain,
			  size_t at, size_t i, struct buf *keys,
			  enum action *ret_action)
{
	const struct binding *b = nth(k, chain[at], i);

	buf_clear(keys);
	for (size_t n = 0; b && n < b->n; n++)
		if (!is_taken(k, chain, chain + at, b->keys[n]))
			add_key(keys, b->keys[n]);
	if (b)
		*ret_action = b->action;
	return b;
}

static void print_context(const struct keymap *k, enum context c,
			  struct buf *out)
{
	auto_buf struct buf keys = BUF_INIT;
	enum action a;

	buf_addf(out, "%s (keys.%s)\n", contexts[c].what, contexts[c].name);
	for (size_t i = 0; keymap_binding(k, c, i, &keys, &a); i++)
		buf_addf(out, "  %-16s %-16s %s\n", buf_str(&keys),
			 actions[a].name, actions[a].what);
	buf_addch(out, '\n');
}

void keymap_print(const struct keymap *k, struct buf *out)
{
	for (int c = CTX_NONE + 1; c < CTX_MAX; c++)
		print_context(k, (enum context)c, out);
}
