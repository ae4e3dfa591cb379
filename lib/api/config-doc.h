/* SPDX-License-Identifier: MIT */
/*
 * A configuration file as its entries, each with the bytes where it stands:
 * what config-text.c edits by.  Mappings, scalars and lists of scalars in
 * YAML; anchors, aliases and tags are refused, as the daemon's reader does.
 */
#ifndef SVM_API_CONFIG_DOC_H
#define SVM_API_CONFIG_DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct config_entry {
	char *path;       /* "server.port"; "" is the root, entry 0 */
	size_t parent;    /* its index */
	enum { ENTRY_NULL, ENTRY_SCALAR, ENTRY_LIST, ENTRY_SECTION } kind;
	bool flow;        /* a list or section in brackets */
	size_t children;
	size_t line, column; /* of the key; from 1, and in characters from 0 */
	size_t key, colon; /* bytes: where the key starts; behind its colon */
	size_t start, end; /* the value's bytes */
	struct buf value; /* a scalar's text; a list's items, each with NUL */
};

struct config_doc {
	const char *text; /* borrowed */
	size_t n_text;
	struct config_entry *entries;
	size_t n;
	bool closed;      /* "..." ends it */
};
#define CONFIG_DOC_INIT { NULL, 0, NULL, 0, false }
#define auto_config_doc CLEANUP(config_doc_release)

/* Whether a scalar without quotes says nothing.  Who reads the configuration
 * and who edits it must be of one opinion. */
bool config_doc_is_null(const char *plain);

/* `name` is for messages: "NAME:LINE: why". */
int config_doc_read(struct config_doc *doc, const char *name, const char *text,
		    size_t n, struct svm_err *err);
void config_doc_release(struct config_doc *doc);

/* NULL when there is none. */
const struct config_entry *config_doc_find(const struct config_doc *doc,
					   const char *path);

#endif
