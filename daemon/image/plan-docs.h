/* SPDX-License-Identifier: MIT */
/*
 * The small files of an archive that a plan is made of.  Pure; every byte of
 * them is hostile.
 */
#ifndef SVM_DAEMON_IMAGE_PLAN_DOCS_H
#define SVM_DAEMON_IMAGE_PLAN_DOCS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/err.h"
#include "lib/base/json.h"

/* By clean name (no "./", no "//"); a link has a target, clean and relative to
 * the archive's root, instead of text. */
struct plan_docs {
	struct plan_doc {
		char *name;
		char *target; /* or NULL */
		char *text;
		size_t len;
	} *v;
	size_t n;
	size_t bytes;
};

#define PLAN_DOCS_INIT { NULL, 0, 0 }

/* Would a file of that name be looked at? */
bool plan_docs_wants(const char *name);
/* Takes text and target.  TOO_LARGE over the limits; the last one of a name
 * wins. */
int plan_docs_add(struct plan_docs *d, const char *name, char *target,
		  char *text, size_t len, struct svm_err *err);
struct plan_doc *plan_docs_find(const struct plan_docs *d, const char *name);
void plan_docs_release(struct plan_docs *d);

/* "./a//b/" -> "a/b"; with dir, relative to it, ".." resolved textually
 * (these names are keys, never opened).  NULL when it leaves the top. */
char *plan_clean_name(const char *dir, const char *name);

/* "blobs/sha256/HEX" */
char *plan_blob_name(const struct digest *d);

/* Parse a document; NULL is an error that names it.  *text is what *ret lies
 * in.  list: an array, which becomes the member "list" of an object, as the
 * checks of lib/base/json.h are for objects. */
int plan_doc_parse(const struct plan_doc *doc, const char *name, bool list,
		   struct json_doc *ret, struct buf *text, struct svm_err *err);

/* The document `name`, which must have that digest. */
int plan_docs_parse_blob(const struct plan_docs *docs, const char *name,
			 const struct digest *want, struct json_doc *ret,
			 struct buf *text, struct svm_err *err);

#endif
