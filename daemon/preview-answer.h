/* SPDX-License-Identifier: MIT */
/*
 * The answer of a program in a sandbox, taken apart for the client of a
 * preview.  Bytes go in as they come; out comes what may be told: a head in
 * pieces, then the body without its framing.  It knows no socket and no
 * request.
 */
#ifndef SVM_DAEMON_PREVIEW_ANSWER_H
#define SVM_DAEMON_PREVIEW_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/http1.h"

struct preview_answer_events {
	/* One header that is for the client; all of them come before begin.
	 * Framing, hops and the type are left out, cookies are made the
	 * host's own. */
	void (*header)(void *data, const char *name, const char *value);
	/* length: -1 not known, HTTP_BODILESS none.  type may be NULL. */
	void (*begin)(void *data, int status, const char *type,
		      int64_t length);
	void (*body)(void *data, const char *p, size_t n);
};

enum preview_result {
	PREVIEW_MORE,     /* what was there has been told */
	PREVIEW_DONE,     /* the answer is complete */
	PREVIEW_SWITCHED, /* 101, asked for: see `in` */
	PREVIEW_BAD,      /* see `why`; nothing may follow */
};

struct preview_answer {
	const struct preview_answer_events *ev;
	void *data;
	const char *method;  /* of the request, borrowed */
	bool upgrade;        /* it asked for one */
	bool begun;          /* begin was called */
	const char *why;
	/* Input that is not told yet.  SWITCHED: the head to send to the
	 * client, then what the port said in the new protocol already. */
	struct buf in;
	/* its own */
	size_t scan;
	unsigned interim;
	bool chunked, until_close;
	uint64_t left;
	struct http1_chunked decoder;
	struct buf trailers; /* not for the client */
};

void preview_answer_init(struct preview_answer *a, const char *method,
			 bool upgrade, const struct preview_answer_events *ev,
			 void *data);
void preview_answer_release(struct preview_answer *a);

/* The port said this. */
enum preview_result preview_answer_take(struct preview_answer *a,
					const char *p, size_t n);
/* The port says no more: DONE or BAD. */
enum preview_result preview_answer_end(struct preview_answer *a);

#endif
