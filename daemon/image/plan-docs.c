/* SPDX-License-Identifier: MIT */
/* The documents of an archive.  See plan-docs.h. */
#include "daemon/image/plan-docs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/mem.h"

bool plan_docs_wants(const char *name)
{
	size_t n = strlen(name);

	if (strncmp(name, "blobs/sha256/", 13) == 0)
		return !strchr(name + 13, '/');
	if (strchr(name, '/'))
		return n > 10 && strcmp(name + n - 10, "/layer.tar") == 0;
	return strcmp(name, "oci-layout") == 0 ||
	       (n > 5 && strcmp(name + n - 5, ".json") == 0);
}

struct plan_doc *plan_docs_find(const struct plan_docs *d, const char *name)
{
	for (size_t i = 0; name && i < d->n; i++)
		if (strcmp(d->v[i].name, name) == 0)
			return &d->v[i];
	return NULL;
}

int plan_docs_add(struct plan_docs *d, const char *name, char *target,
		  char *text, size_t len, struct svm_err *err)
{
	struct plan_doc *old = plan_docs_find(d, name);

	if (d->n >= LIMIT_IMAGE_DOCUMENTS ||
	    d->bytes + len > 4 * (size_t)LIMIT_IMAGE_JSON) {
		free(target);
		free(text);
		return svm_err_set(err, SVM_TOO_LARGE,
				   "the archive has too many JSON files");
	}
	if (old) {
		free(old->target);
		free(old->text);
		old->target = target;
		old->text = text;
		old->len = len;
	} else {
		d->v = xreallocarray(d->v, d->n + 1, sizeof(*d->v));
		d->v[d->n++] = (struct plan_doc){ xstrdup(name), target, text,
						  len };
	}
	d->bytes += len;
	return 0;
}

void plan_docs_release(struct plan_docs *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].name);
		free(d->v[i].target);
		free(d->v[i].text);
	}
	free(d->v);
	*d = (struct plan_docs)PLAN_DOCS_INIT;
}

char *plan_clean_name(const char *dir, const char *name)
{
	auto_free char *whole = xasprintf("%s/%s", dir && *name != '/' ?
						   dir : "", name);
	auto_buf struct buf out = BUF_INIT;

	for (const char *p = whole; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			char *slash = out.len ? strrchr(out.data, '/') : NULL;

			if (!out.len)
				return NULL;
			buf_truncate(&out, slash ? (size_t)(slash - out.data) :
						   0);
		} else if (n && !(n == 1 && *p == '.')) {
			if (out.len)
				buf_addch(&out, '/');
			buf_add(&out, p, n);
		}
		p += n;
		p += *p == '/';
	}
	return buf_steal(&out);
}

int plan_doc_parse(const struct plan_doc *doc, const char *name, bool list,
		   struct json_doc *ret, struct buf *text, struct svm_err *err)
{
	if (!doc || !doc->text)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the archive has no '%.128s'", name);
	buf_addstr(text, list ? "{\"list\":" : "");
	buf_add(text, doc->text, doc->len);
	buf_addstr(text, list ? "}" : "");
	if (json_parse_object(ret, text->data, text->len, err) < 0)
		return svm_err_prefix(err, "'%.128s'", name);
	return 0;
}

char *plan_blob_name(const struct digest *d)
{
	char text[DIGEST_TEXT + 1];

	digest_format(d, text);
	return xasprintf("blobs/sha256/%s", text + strlen(DIGEST_PREFIX));
}

int plan_docs_parse_blob(const struct plan_docs *docs, const char *name,
			 const struct digest *want, struct json_doc *ret,
			 struct buf *text, struct svm_err *err)
{
	const struct plan_doc *doc = plan_docs_find(docs, name);

	if (doc && doc->text) {
		struct digest have = digest_of(doc->text, doc->len);

		if (!digest_equal(&have, want))
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "'%.128s' does not match its digest",
					   name);
	}
	return plan_doc_parse(doc, name, false, ret, text, err);
}
