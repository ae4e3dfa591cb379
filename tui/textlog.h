/* SPDX-License-Identifier: MIT */
/*
 * Lines that go on arriving: logs and events.  The newest LIMIT_TUI_LINES are
 * kept.  It follows until one scrolls up, and again from the end on; filters
 * and searches also what is still to come.  Who follows looks back: a search
 * goes up, to older lines, and so does the next one; the previous one goes
 * down.
 */
#ifndef SVM_TUI_TEXTLOG_H
#define SVM_TUI_TEXTLOG_H

#include "tui/screen.h"

struct frame_parts;

enum textlog_source { TEXTLOG_ANY, TEXTLOG_STDOUT, TEXTLOG_STDERR,
		      TEXTLOG_PTY, TEXTLOG_SYSTEM, TEXTLOG_SOURCES };
/* "all", "stdout", ... */
const char *textlog_source_name(enum textlog_source from);

struct textlog_line {
	char *text; /* owned; anything */
	char *raw;  /* as it was written; owned or NULL: as it is shown */
	char *tag;  /* before it, in the value colour; owned or NULL */
	bool bad;   /* of stderr, of a failure */
	int64_t wall_ns; /* when; 0: nobody knows */
	enum textlog_source from; /* TEXTLOG_ANY: nobody knows */
	uint64_t at;     /* of a log, 1 more than where it begins there; 0:
			  * nobody knows */
	size_t piece;    /* of the line that begins there, the how manieth */
	int64_t order;   /* where it belongs; of a log's lines never less than
			  * that of those before */
	size_t group;    /* what it is about, as its screen counts */
	char *about;     /* or its id; owned or NULL */
	char *json;      /* what it tells, to be copied; owned or NULL */
	size_t outcome;  /* from this byte on it is not cut: what stands before
			  * makes room; 0: nothing is said */
	bool fresh;      /* it came since one stopped following */
	bool alone;      /* what is around it isn't all here */
};

struct textlog {
	struct textlog_line *lines; /* a ring */
	size_t first, n;
	size_t top;         /* in what matches; when not following */
	bool paused;
	size_t missed;      /* of what is new and would be shown: not here */
	bool vague;         /* and more, of which nobody knows that */
	unsigned filters;   /* other ones each time it is counted */
	char none[96];      /* where they leave nothing; "": "no line
			     * matches" */
	size_t left;        /* columns scrolled */
	/* As of the last settle: lines that fit, which has the cursor. */
	size_t height, at;
	bool wrap;          /* long lines take several rows */
	bool times;         /* when and whence, before each */
	bool raw;           /* shown as it was written */
	bool json;          /* keys and values of JSON stand out */
	enum textlog_source from; /* these alone; TEXTLOG_ANY: all */
	size_t group;       /* these alone; 0: all */
	struct {
		bool set;
		int64_t least, most;
	} orders;           /* these alone; the rest waits for what belongs
			     * between */
	char *about;        /* owned; the same; NULL: all */
	const char *live;   /* while it follows; NULL: "following" */
	bool over;          /* nothing comes any more: `live` says why */
	/* Nothing is found before or behind the cursor, and not all there is
	 * is here: true when the rest is searched as it comes.  May be
	 * NULL. */
	bool (*beyond)(struct model *m, struct textlog *t, bool back);
	struct field search, only;
	enum { TEXTLOG_IDLE, TEXTLOG_SEARCH, TEXTLOG_ONLY } typing;
};

void textlog_release(struct textlog *t);
void textlog_clear(struct textlog *t);
void textlog_add(struct textlog *t, const char *text, size_t n,
		 const char *tag, bool bad); /* copies */
/* With all that is known of it; `about` has no text.  Copies. */
void textlog_add_line(struct textlog *t, const char *text, size_t n,
		      const struct textlog_line *about);

/* It came, but there is no room for it: one more that is new. */
void textlog_miss(struct textlog *t, const struct textlog_line *l);
/* Of the line with the cursor, in all n; n when there is none. */
size_t textlog_cursor(const struct textlog *t);
/* Others are shown from now on; who reads has the cursor where it was. */
void textlog_refilter(struct textlog *t, size_t cursor);

void textlog_settle(struct textlog *t, struct area inside);
/* `title` is its beginning: what is shown of the lines is added here, and so
 * is to `corner`, of the lower border, how many there are. */
void textlog_view(const struct model *m, const struct textlog *t,
		  struct canvas *c, struct area pane,
		  struct frame_parts *title, struct frame_parts *corner,
		  bool focused);
bool textlog_act(struct model *m, struct textlog *t, enum action a);
bool textlog_input(struct model *m, struct textlog *t,
		   const struct input_event *ev);
const struct field *textlog_typing(const struct textlog *t,
				   const char **ret_label);
void textlog_status(const struct textlog *t, struct buf *out);

/* The same for a screen whose state begins with a textlog. */
void textlog_screen_settle(struct model *m, void *state, struct area a);
bool textlog_screen_input(struct model *m, void *state,
			  const struct input_event *ev);
const struct field *textlog_screen_typing(const struct model *m,
					  const void *state,
					  const char **ret_label);
bool textlog_screen_empty(const struct model *m, const void *state);
void textlog_screen_status(const struct model *m, const void *state,
			   struct buf *out);

/* The i-th of all n. */
const struct textlog_line *textlog_line(const struct textlog *t, size_t i);

/* The line the cursor is on, or NULL. */
const struct textlog_line *textlog_current(const struct textlog *t);

/* Of a file's text, as wc -l counts them. */
size_t textlog_newlines(const struct buf *file);

/* Every line, to a local file; false with a message in the footer. */
bool textlog_save(struct model *m, const struct textlog *t,
		  const char *path);

#endif
