/* SPDX-License-Identifier: MIT */
/*
 * How results are printed: tables for people, JSON, templates, ids.
 * Whatever comes from a sandbox or a daemon is escaped on its way to text.
 */
#ifndef SVM_CLI_OUT_H
#define SVM_CLI_OUT_H

#include <cjson/cJSON.h>

#include "cli/cmd.h"
#include "lib/base/buf.h"
#include "lib/base/json.h"

struct column {
	const char *title;
	const char *key; /* "metadata.task"; numbers and booleans as text */
	/* Or made from the whole item; appends raw text. */
	void (*show)(const struct cli *cli, const cJSON *item,
		     struct buf *out);
	enum { COLUMN_LEFT, COLUMN_RIGHT, COLUMN_STATE } kind;
};

/* Parse a reply that must be an array (or object); body is kept by the caller
 * until the document is released. */
int out_parse_array(struct json_doc *doc, struct buf *body, cJSON **ret,
		    struct svm_err *err);
int out_parse_object(struct json_doc *doc, struct buf *body,
		     struct svm_err *err);

/* Print the items as the global options say; with -q the field `id_key`. */
int out_items(const struct cli *cli, const cJSON *items,
	      const struct column *columns, size_t ncolumns,
	      const char *id_key, struct svm_err *err);

/* Get the array at `path` and print its items so. */
int out_list(struct cli *cli, const char *path, const struct column *columns,
	     size_t ncolumns, const char *id_key, struct svm_err *err);

/* The same for a stream: one JSON object per line, or rows of tab-separated
 * text, with the heading only where it is asked for. */
void out_lines(const struct cli *cli, const cJSON *items,
	       const struct column *columns, size_t ncolumns,
	       const char *id_key, bool heading);

/* The text of one cell, escaped; owned. */
char *out_cell(const struct cli *cli, const struct column *c,
	       const cJSON *item);
/* Of raw text, which is released; owned. */
char *out_escaped(struct buf *raw);

/* One object: JSON (all or chosen fields), a template, or "key: value". */
int out_object(const struct cli *cli, const cJSON *object,
	       struct svm_err *err);

/* Look "a.b" up; NULL when absent. */
const cJSON *out_field(const cJSON *item, const char *path, size_t n);
/* Its text: strings as they are, null as "", the rest as JSON. */
void out_field_text(const cJSON *item, const char *path, size_t n,
		    struct buf *out);

/* A template applied to one item, with a newline at the end. */
void out_template(const char *template, const cJSON *item, struct buf *out);

/* What was removed, one by one: a line at once, or with --json noted in `all`
 * and printed by out_removed_end(), if there is any: {"removed":["a","b"]}. */
void out_removed(const struct cli *cli, const char *name, struct buf *all);
void out_removed_end(const struct cli *cli, const struct buf *all);

/* JSON as it came or was made, and a newline; the same to who reads it, and
 * safe for a terminal. */
void out_json(const char *text);

/* Foreign text to a terminal, as far as its characters are whole; what is
 * left in `raw` waits for its rest, unless this is the last.  0, or -1 with
 * errno. */
int out_text(struct buf *raw, bool last);

/* Text helpers. */
void out_bytes(struct buf *out, double n);           /* "4.2 MiB" */
void out_ago(struct buf *out, int64_t ns);           /* "3m", "2h" */
bool out_color(const struct cli *cli);               /* on stdout */

#endif
