/* SPDX-License-Identifier: MIT */
/*
 * The logs of one sandbox, or of several in one, of which a part is here: the
 * newest lines at first, older ones as one scrolls up to where they would be,
 * newer ones again on the way down.  No more than LIMIT_TUI_LINES are kept:
 * what comes in at one end goes at the other, while one reads.  All of it is
 * the daemon's.
 *
 * Lines of several are in the order of their times.  Of each log a stretch
 * without gaps is here; what lies before the latest beginning of a stretch, or
 * behind the earliest end, isn't shown until all that belongs there is.
 *
 * Where a filter shows fewer lines than there is room for, older ones are
 * looked at by themselves, LIMIT_TUI_LOOK_PAGES at a time: see log-thin.h.
 */
#ifndef SVM_TUI_LOG_WINDOW_H
#define SVM_TUI_LOG_WINDOW_H

#include "tui/textlog.h"

#define LOG_WINDOW_MAX 16 /* sandboxes at once */
#define LOG_WINDOW_SAID 64 /* bytes */

enum log_window_asked { WINDOW_STILL, WINDOW_OLDER, WINDOW_NEWER };

/* `at` is textlog's, 0 where nothing is known; orders are too. */
struct log_stretch {
	char *id;     /* owned; a sandbox */
	uint64_t lo;  /* what begins before that isn't here */
	uint64_t hi;  /* nor what begins behind that */
	/* Of the line before lo, the first piece that is here; 0: none.  Of
	 * the one behind hi, how many pieces are. */
	size_t lo_piece, hi_piece;
	int64_t lo_order, hi_order; /* of the lines there */
	bool begun;   /* nothing is before */
	bool trimmed; /* something was here and had to go */
	bool behind;  /* something is behind */
	bool thin_lo, thin_hi; /* of what was let go for others, or wasn't
			        * kept, the filter shows nothing: before the
			        * first that isn't alone, behind the last */
	uint64_t last; /* of the newest line that was told of */
	int64_t last_order;
	uint64_t read; /* `last` when one stopped following */
};

struct log_window {
	struct textlog *text;
	struct log_stretch of[LOG_WINDOW_MAX];
	size_t n;
	char *since;     /* owned; as the daemon takes it, or NULL */
	enum log_window_asked asked;
	size_t asked_of; /* which of them */
	unsigned turn;   /* answers to an earlier one are nobody's */
	bool cleared;    /* what is before was cleared */
	bool behind;     /* lines have come that are not here */
	bool rush;       /* to the beginning, not by a page */
	enum log_window_asked wanted; /* where one just went */
	struct {
		enum log_window_asked to; /* what is searched comes from there;
					   * WINDOW_STILL: nothing is */
		bool followed; /* before that */
		bool whole;    /* nothing was missing on the other side */
		bool met;      /* some line has it, and be it where one is */
		bool turning;  /* not found: on the way to the other end */
		bool around;   /* from there on */
	} hunt;
	unsigned filters; /* those of the text that this is for */
	size_t pages;     /* that may be looked at for what they show */
	bool looking;     /* what was asked for is such a page */
	size_t looked;    /* lines they were applied to */
	bool all_pass;    /* all that is here is shown */
	bool unseen;      /* something new wasn't kept, as it isn't shown */
	bool anew;        /* nothing of it fits: all has to be opened again */
};

void log_window_release(struct log_window *w);

/* Others, none yet; since is what one of these is, or NULL.  Copies. */
void log_window_begin(struct log_window *w, const char *since);
void log_window_add(struct log_window *w, const char *id);

/* What comes by itself begins anew, perhaps behind lines that nobody told of:
 * these are asked for. */
void log_window_gap(struct log_window *w, size_t i);

/* Its lines are another part of it now: nothing that was asked for fits. */
void log_window_forget(struct log_window *w);

/* A line of the i-th has come, by itself.  Copies. */
void log_window_line(struct log_window *w, size_t i, const char *text,
		     const struct textlog_line *about);

/* Before it settles: what the filters show may be other lines now. */
void log_window_refilter(struct log_window *w);

/* After textlog_settle(): asks for what is wanted.  True: one follows, but
 * newer lines were let go, so all have to be opened anew. */
bool log_window_settle(struct model *m, struct log_window *w,
		       request_fn done);

/* What settle() asked for has come; r->about says which it was. */
void log_window_arrived(struct model *m, struct log_window *w,
			struct request *r);

/* Beforehand.  It ends a search, and Escape and ^C end the looking for what a
 * filter shows: true when they were for that alone. */
bool log_window_act(struct log_window *w, enum action a);

/* What is searched in the text isn't before or behind the cursor.  False when
 * all there is is here, else what is missing in that direction is loaded until
 * it is found; then the rest, to go on from the other end. */
bool log_window_hunt(struct log_window *w, bool back);

/* Where lines are that the filter was not applied to; WINDOW_STILL: nowhere,
 * or there is none. */
enum log_window_asked log_window_unseen(const struct log_window *w);

/* "loading older...", "beginning of the log"; "" for neither. */
const char *log_window_place(const struct model *m,
			     const struct log_window *w,
			     char out[LOG_WINDOW_SAID]);

#endif
