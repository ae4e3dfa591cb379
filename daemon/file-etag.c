/* SPDX-License-Identifier: MIT */
/* ETags of files, and what they are good for.  See file-etag.h. */
#include "daemon/file-etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/http/http.h"
#include "lib/api/msg.h"

void file_etag(const struct agent_file *f, char out[FILE_ETAG_SIZE])
{
	(void)snprintf(out, FILE_ETAG_SIZE,
		       "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", f->ino,
		       f->size, (uint64_t)f->mtime_ns);
}

static bool hex(const char **p, uint64_t *ret)
{
	const char *start = *p;
	uint64_t v = 0;

	for (; **p && strchr("0123456789abcdef", **p); (*p)++)
		v = v << 4 | (uint64_t)(**p <= '9' ? **p - '0' :
						     **p - 'a' + 10);
	*ret = v;
	return *p > start && *p - start <= 16;
}

static bool parse(const char *text, struct agent_file *ret)
{
	uint64_t mtime;

	if (*text++ != '"' || !hex(&text, &ret->ino) || *text++ != '-' ||
	    !hex(&text, &ret->size) || *text++ != '-' || !hex(&text, &mtime))
		return false;
	ret->mtime_ns = (int64_t)mtime;
	return strcmp(text, "\"") == 0;
}

static int ask(enum frame_write_if kind, const struct agent_file *f,
	       struct buf *payload, enum frame_type *ret)
{
	msg_add_u32(payload, kind);
	msg_add_u64(payload, f->ino);
	msg_add_u64(payload, f->size);
	msg_add_u64(payload, (uint64_t)f->mtime_ns);
	*ret = FRAME_WRITE_IF;
	return 0;
}

int file_etag_wants_new(const struct http_req *r, bool *ret,
			struct svm_err *err)
{
	const char *none = http_header(r, "If-None-Match");

	if (none && strcmp(none, "*") != 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "If-None-Match must be '*' here: the file "
				   "has to be new");
	*ret = none;
	return 0;
}

int file_etag_condition(struct http_req *r, struct buf *payload,
			enum frame_type *ret, struct svm_err *err)
{
	const char *match = http_header(r, "If-Match");
	struct agent_file f = { 0 };
	bool new = false;

	*ret = FRAME_WRITE;
	if (match && http_header(r, "If-None-Match"))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "If-Match and If-None-Match exclude each "
				   "other");
	if (file_etag_wants_new(r, &new, err) < 0)
		return -1;
	if (new)
		return ask(FRAME_IF_NEW, &f, payload, ret);
	if (!match)
		return 0;
	if (strcmp(match, "*") == 0)
		return ask(FRAME_IF_THERE, &f, payload, ret);
	if (strchr(match, ','))
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "If-Match takes one ETag, or '*'");
	/* RFC 9110 13.1.1: a weak one, or another's, is no match. */
	if (!parse(match, &f))
		return svm_err_set(err, SVM_PRECONDITION,
				   "If-Match: no file has the ETag %.80s",
				   match);
	return ask(FRAME_IF_SAME, &f, payload, ret);
}
