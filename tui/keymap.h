/* SPDX-License-Identifier: MIT */
/*
 * From keys to actions.  The tables are made from keymap.def; `keys.*` of the
 * configuration changes a copy.
 *
 * Where the focus is, several contexts hold at once, the most specific first:
 * { CTX_SANDBOXES, CTX_LIST, CTX_GLOBAL }.  The first that has the key wins.
 */
#ifndef SVM_TUI_KEYMAP_H
#define SVM_TUI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "tui/key.h"

enum context {
	CTX_NONE,
#define CONTEXT(NAME, name, what) CTX_##NAME,
#include "tui/keymap.def"
#undef CONTEXT
	CTX_MAX
};

enum action {
	ACT_NONE,
#define ACTION(NAME, name, flags, brief, what) ACT_##NAME,
#include "tui/keymap.def"
#undef ACTION
	ACT_MAX
};

enum action_flags {
	ACTION_CHANGES = 1u << 0,
	ACTION_DESTROYS = 1u << 1,
	ACTION_GLOBAL = 1u << 2,
	ACTION_SELECTED = 1u << 3,
};

struct action_info {
	const char *name;  /* "kill" */
	unsigned flags;    /* enum action_flags */
	const char *brief; /* for the footer, or NULL */
	const char *what;  /* a line for help and palette */
};
const struct action_info *action_info(enum action a);
enum action action_find(const char *name); /* ACT_NONE for another */

const char *context_name(enum context c);
const char *context_what(enum context c);

/* A chain of contexts ends with CTX_NONE. */
#define CONTEXT_CHAIN 8

struct keymap;

struct keymap *keymap_new(void);
void keymap_free(struct keymap *k); /* accepts NULL */

/* Is there that action in that context: "sandboxes.kill"? */
bool keymap_has(const struct keymap *k, const char *name);

/*
 * "sandboxes.kill" = "d Delete": these keys and no others, "" none at all.
 * BAD_REQUEST for an unknown context, action or key, for a key that another
 * action of the context has, for a destroying action on Ctrl with a letter,
 * and for a way out (leave, close, no) without a key.
 */
int keymap_set(struct keymap *k, const char *name, const char *keys,
	       struct svm_err *err);

/* Several at once, all or none: two actions can change places. */
struct keymap_change {
	const char *name, *keys;
	const char *origin; /* "FILE:LINE", for messages; may be NULL */
	const char *setting; /* in messages, in place of keys.NAME; or NULL */
};
int keymap_change(struct keymap *k, const struct keymap_change *changes,
		  size_t n, struct svm_err *err);

enum action keymap_find(const struct keymap *k, const enum context *chain,
			struct key key);

/* The first key of an action in these contexts, as text; "" without one. */
const char *keymap_key(const struct keymap *k, const enum context *chain,
		       enum action a, char out[KEY_NAME_MAX]);

/* The i-th binding of a context: its keys joined by blanks (in a cleared
 * buffer) and its action; false past the last. */
bool keymap_binding(const struct keymap *k, enum context c, size_t i,
		    struct buf *keys, enum action *ret_action);

/* The same of chain[at], without keys that an earlier one of the chain has:
 * what works where all of them hold. */
bool keymap_binding_there(const struct keymap *k, const enum context *chain,
			  size_t at, size_t i, struct buf *keys,
			  enum action *ret_action);

/* All of it as text: `stacyvm help keys`. */
void keymap_print(const struct keymap *k, struct buf *out);

#endif
