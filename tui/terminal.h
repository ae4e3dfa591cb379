/* SPDX-License-Identifier: MIT */
/*
 * A terminal in a sandbox, as the model sees it: the emulator with what it
 * wrote, the bytes that are to go there, and how the session is.  link.h
 * connects it with the daemon.
 */
#ifndef SVM_TUI_TERMINAL_H
#define SVM_TUI_TERMINAL_H

#include "tui/emu.h"
#include "tui/input.h"
#include "tui/model.h"

enum terminal_state {
	TERMINAL_OPENING,
	TERMINAL_LIVE,
	TERMINAL_LOST,   /* the connection; it is made again */
	TERMINAL_EXITED, /* the command ended */
	TERMINAL_FAILED, /* it can't be had; see `why` */
};

struct terminal {
	struct list link; /* model->terminals */
	char *sandbox;
	char *sid;        /* NULL until the daemon said it */
	unsigned number;  /* "s1": of those of its sandbox, as long as it is
			   * there */
	enum terminal_state state;
	int exit_code;
	char *why;
	bool read_only;   /* nothing goes there; the daemon sees to it too */
	int64_t lost_ns;  /* boot, since when it is LOST; 0: it isn't */
	struct emu *emu;
	/* What was typed; LIMIT_TUI_TYPED at most, and LIMIT_TUI_WAITING
	 * without a connection: it is sent once there is one again.  What
	 * doesn't fit is dropped and counted; of a paste, everything from
	 * there on. */
	struct buf typed;
	size_t dropped;
	bool dropped_away; /* for want of a connection */
	bool pasting, cut;
	int rows, cols;   /* wanted */
	/* Another viewer set the size of the session: the emulator has that
	 * one until something is typed here. */
	bool theirs;
	uint64_t offset;  /* bytes of its output that we had */
	uint64_t replay_end; /* those before that were written before us */
	bool bell;        /* rang while nobody looked */
	int64_t begun_ns, lasted_ns; /* boot; 0: it was there before us */
	/* Where the view is: the first line shown, when it is scrolled back. */
	bool scrolled;
	uint64_t top;
	bool wanted;      /* it was looked at: before, it isn't connected */
	bool closed;      /* nobody wants it any more */
	bool kill;        /* and its session neither */
	void *link_data;  /* link.c's */
};

/* On the model's list, and wanted; sid NULL makes a new session. */
struct terminal *terminal_new(struct model *m, const char *sandbox,
			      const char *sid, int rows, int cols);
/* All of them are as the model: read-only, or not. */
void terminals_settle(struct model *m);
/* As many lines as are set by now, in all of them. */
void terminals_keep(struct model *m);
void terminal_free(struct terminal *t); /* for link.c, once closed */

/* Nothing runs in it any more, or never did. */
bool terminal_is_over(const struct terminal *t);

/* Its sandbox is there and isn't being destroyed, as far as one knows. */
bool terminal_has_sandbox(const struct model *m, const struct terminal *t);

/* Bytes typed that wait for a connection; the status has them. */
size_t terminal_waiting(const struct terminal *t);

bool terminals_wait(const struct model *m); /* one of them has such */

/* No connection will come: what waits for it counts as dropped. */
void terminal_give_up(struct terminal *t);

void terminal_resize(struct terminal *t, int rows, int cols);

/* Another viewer resized the session. */
void terminal_resized(struct terminal *t, int rows, int cols);

/* Who types has the size. */
void terminal_take_size(struct terminal *t);

/* Output arrived. */
void terminal_write(struct terminal *t, const void *data, size_t n);
/* Old output, shown again: what it asks was answered then, and who asked would
 * take another answer for something typed. */
void terminal_replay(struct terminal *t, const void *data, size_t n);

/* A key, mouse, paste or focus for the program inside; mouse positions are
 * the terminal's own.  False for mouse events it doesn't want. */
bool terminal_input(struct terminal *t, const struct input_event *ev);
void terminal_type(struct terminal *t, const void *data, size_t n);

/* Look back by lines (negative: towards the past); 0 is back to now. */
void terminal_scroll(struct terminal *t, int lines);

/* Draw it, with its cursor when it has the keys. */
void terminal_view(const struct terminal *t, struct canvas *c, int row,
		   int col, int rows, int cols, bool focused);

/* "[exited 3 in 4m  r restart  Enter close]", "[another viewer 80x24]",
 * "[reconnecting 2 s  3 bytes waiting]", "[read only]": appended, as much as
 * these columns hold, and the keys as they are bound. */
void terminal_status(const struct model *m, const struct terminal *t,
		     int width, struct buf *out);
/* When that will be another text, boot; 0: not by time. */
int64_t terminal_status_wake(const struct model *m, const struct terminal *t);

#endif
