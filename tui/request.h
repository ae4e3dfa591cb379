/* SPDX-License-Identifier: MIT */
/*
 * What the model wants from the daemon.  Updates make requests and streams;
 * the program (app.c) carries them out beside the loop and brings the results
 * back.  A test brings its own.
 *
 *	struct request *r = request_new("GET", xstrdup("/api/v1/images"), done);
 *	request_send(m, r);
 *
 * done() is called once, in the loop's thread, with r->err set or r->reply
 * complete; the request is freed afterwards.  Replies are limited to
 * LIMIT_TUI_REPLY.  Requests that don't depend on each other may be answered
 * in any order.
 *
 * The method REQUEST_HANGUP is no request but SIGHUP to the daemon of this
 * user; it is done when the daemon has read its configuration again.
 * REQUEST_RUN runs `argv` on this machine: its output is the reply.
 * REQUEST_KEEP puts the body into the local file `download`, whole or not at
 * all, for this user's eyes.
 */
#ifndef SVM_TUI_REQUEST_H
#define SVM_TUI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/base/list.h"

struct model;
struct request;

#define REQUEST_HANGUP "SIGHUP"
#define REQUEST_RUN "RUN"
#define REQUEST_KEEP "KEEP"

typedef void (*request_fn)(struct model *m, struct request *r);

struct request {
	const char *method;
	char *target;     /* owned: "/api/v1/..." */
	struct buf body;
	bool has_body;
	/* Instead of body and reply: read from or written to a local file,
	 * however long.  Owned paths or NULL.  A file that is there is
	 * replaced when all has arrived, and left alone otherwise. */
	char *upload, *download;
	/* Of a new `download`, as far as the umask lets it; 0: as usual.  An
	 * upload has those of its file unless the target says others. */
	unsigned mode;
	/* A file is written only if it still has this ETag, or, with "", if
	 * it isn't there: else PRECONDITION.  NULL: whatever is there. */
	char *if_match;
	char *etag;       /* of the reply, or NULL; owned */
	char **argv;      /* of REQUEST_RUN; owned */
	int status;       /* of what was run, as a shell has it */
	request_fn done;
	char *about;      /* an id or a path, for done(); owned, may be NULL */
	void *data;       /* the same, borrowed */
	/* Called with data instead of done() when the program ends before;
	 * for data that is the request's own.  May be NULL. */
	void (*forget)(void *data);
	char *doing;      /* "kill sb-7f3a91c2": begins the message of an
			   * error that done() leaves unused; owned */
	size_t most;      /* of the reply, the rest is left; 0: all of it */
	bool ranged;      /* `most` bytes from `from` on are asked for */
	uint64_t from;
	int64_t whole;    /* of the reply: the file's bytes, or -1 */
	bool quiet;       /* not worth showing that it waits */
	bool cleanup;     /* goes on when what waits is cancelled */
	struct buf reply;
	struct svm_err err; /* .code SVM_OK when it worked */
	struct list link;
};

struct request *request_new(const char *method, char *target_owned,
			    request_fn done);
void request_free(struct request *r);
/* It was carried out: calls done(). */
void request_done(struct model *m, struct request *r);
void request_send(struct model *m, struct request *r); /* gives it away */

/* "/api/v1/sandboxes/ID" and what follows; the id is percent-encoded. */
char *request_sandbox(const char *id, const char *rest);

/* The reply as JSON: anything, an array, an object.  NULL, with r->err set,
 * when it is something else or r->err is set already.  The result is doc's
 * until it is stolen. */
cJSON *request_json(struct request *r, struct json_doc *doc);
cJSON *request_array(struct request *r, struct json_doc *doc);
cJSON *request_object(struct request *r, struct json_doc *doc);
cJSON *request_steal(struct json_doc *doc, cJSON *value); /* the caller's */

/*
 * A reply that goes on: lines of NDJSON, or the events of SSE.  Opened again
 * by itself when it breaks, until it is closed; events go on after the last
 * one that arrived.  The target of SSE has a query, `since`: what is on record
 * already is told before the stream is LIVE, what is news after.
 */
enum stream_state { STREAM_OPENING, STREAM_LIVE, STREAM_BROKEN, STREAM_ENDED };

struct stream {
	char *target; /* owned */
	char *body;   /* it is a POST with this; NULL: a GET; owned */
	bool sse;
	bool once;    /* don't open it again */
	bool pulse;   /* never silent for LIMIT_TUI_SILENCE while the daemon is
		       * well: sync_silent() is told */
	bool starting; /* a daemon is waited for that can tell it */
	/* A line, or an event's data. */
	void (*line)(struct model *m, struct stream *s, const char *text,
		     size_t n);
	void (*changed)(struct model *m, struct stream *s); /* or NULL */
	enum stream_state state;
	struct svm_err err; /* why it is BROKEN or ENDED */
	void *data;         /* the model's, borrowed */
	bool closed;        /* nobody wants it any more */
	void *link_data;    /* the program's */
	struct list link;
};

/* It belongs to the program, which frees it some time after it was closed;
 * nothing is called any more from then on, and `data` is the model's again. */
struct stream *stream_open(struct model *m, char *target_owned, bool sse,
			   void (*line)(struct model *m, struct stream *s,
					const char *text, size_t n));
void stream_close(struct model *m, struct stream *s); /* accepts NULL */
void stream_free(struct stream *s); /* for the program */

#endif
