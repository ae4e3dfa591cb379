/* SPDX-License-Identifier: MIT */
/*
 * Carries out the model's requests and streams, on threads beside the loop:
 * the client library waits.
 */
#ifndef SVM_TUI_FETCH_H
#define SVM_TUI_FETCH_H

#include "lib/base/loop.h"
#include "lib/client/client.h"
#include "tui/model.h"

struct fetch;

/* How to reach the daemon; strings are borrowed. */
struct fetch_options {
	const char *server, *api_key;
	/* As in client_options. */
	void (*on_started)(void *data, pid_t pid, const char *no_tcp);
	void (*on_starting)(void *data, bool under_way);
	int64_t (*on_wait)(void *data);
	void *data;
};

/* changed() is called in the loop's thread after the model was. */
struct fetch *fetch_new(struct loop *l, struct model *m,
			const struct fetch_options *o,
			void (*changed)(void *data), void *data);

/* Begin what the model has asked for since, end what it has closed. */
void fetch_sync(struct fetch *f);

unsigned long fetch_answers(const struct fetch *f); /* so far */

/* What waits ends with CANCELLED.  Streams go on. */
void fetch_cancel(struct fetch *f);

/* Waits for the threads; done() is not called any more. */
void fetch_free(struct fetch *f); /* accepts NULL */

/* A client for one thread, for as long as cancel_fd isn't readable. */
struct client *fetch_client(const struct fetch_options *o, bool autostart,
			    int64_t deadline_ns, int cancel_fd,
			    struct svm_err *err);

/* The streams' part: stream-link.c. */
struct stream_link;
struct stream_link *stream_link_new(struct loop *l, struct model *m,
				    struct stream *s,
				    const struct fetch_options *o,
				    void (*changed)(void *data), void *data);
void stream_link_stop(struct stream_link *k); /* it will end soon */
void stream_link_free(struct stream_link *k); /* waits for it */
bool stream_link_ended(struct stream_link *k);

#endif
