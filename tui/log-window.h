/* SPDX-License-Identifier: MIT */
/*
 * The log of one sandbox, of which a part is here: the newest lines at first,
 * older ones as one scrolls up to where they would be, newer ones again on the
 * way down.  No more than LIMIT_TUI_LINES are kept: what comes in at one end
 * goes at the other, while one reads.  All of it is the daemon's.
 */
#ifndef SVM_TUI_LOG_WINDOW_H
#define SVM_TUI_LOG_WINDOW_H

#include "tui/textlog.h"

enum log_window_asked { WINDOW_STILL, WINDOW_OLDER, WINDOW_NEWER };

struct log_window {
	struct textlog *text;
	char *id, *since; /* owned; id NULL: of several logs, nothing is asked
			   * for; since: as the daemon takes it, or NULL */
	enum log_window_asked asked;
	unsigned turn;   /* answers to an earlier one are nobody's */
	bool begun;      /* the first line is the first there is */
	bool cleared;    /* or the first since it was cleared */
	bool behind;     /* lines have come that are not here */
	bool rush;       /* to the beginning, not by a page */
	uint64_t last;   /* of the newest line that was told of, as textlog's
			  * `at` */
	uint64_t read;   /* the same when one stopped following */
};

void log_window_release(struct log_window *w);

/* Another log, or none; since is what one of these is, or NULL.  Copies. */
void log_window_begin(struct log_window *w, const char *id,
		      const char *since);

/* Its lines are another part of it now: nothing that was asked for fits. */
void log_window_forget(struct log_window *w);

/* A line has come, by itself. */
void log_window_line(struct log_window *w, const char *text,
		     const struct textlog_line *about);

/* After textlog_settle(): asks for what is wanted.  True: one follows, but
 * newer lines were let go, so it has to be opened anew. */
bool log_window_settle(struct model *m, struct log_window *w,
		       request_fn done);

/* What settle() asked for has come; r->about says which it was. */
void log_window_arrived(struct log_window *w, struct request *r);

void log_window_act(struct log_window *w, enum action a); /* beforehand */

/* "loading older...", "beginning of the log"; "" for neither. */
const char *log_window_place(const struct model *m,
			     const struct log_window *w);

/* An object of the daemon's as a line, or a string that is one; NULL when it
 * is neither. */
const char *log_window_parse(const cJSON *v, struct textlog_line *ret_about);

#endif
