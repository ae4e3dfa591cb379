/* SPDX-License-Identifier: MIT */
/*
 * Inside screen-workspace.c and workspace-*.c: one sandbox, its files, what is
 * in them, and its terminals.
 */
#ifndef SVM_TUI_WORKSPACE_H
#define SVM_TUI_WORKSPACE_H

#include "tui/copy-mode.h"
#include "tui/files.h"
#include "tui/panes.h"
#include "tui/terminal.h"

struct workspace {
	char *id;
	enum pane focus, had; /* had: as of the last settle */
	bool live;        /* keys go to the terminal */
	bool shell;       /* model_shell(): leaving it quits */
	bool hidden;      /* the terminal, until it has the focus */
	bool looked_back; /* in copy mode, as of the last settle */
	int64_t left_at;  /* when the leave key was pressed; boot */
	struct terminal *shown; /* or NULL */
	uint64_t written; /* its output, as of the last settle */
	struct key early[LIMIT_TUI_EARLY_KEYS]; /* typed before it was there */
	size_t n_early;
	struct files files;
	struct copy copy;
	struct panes panes;
	struct places at; /* as of the last settle */
	struct area terminal_area;
};

/* The keys that the program in a live terminal doesn't get. */
extern const enum context workspace_live_chain[];
/* Those that lead on from one that was left, or is over. */
extern const enum context workspace_left_chain[];

/* screen-workspace.c: NULL when it is gone. */
struct sandbox *workspace_sandbox(const struct model *m,
				  const struct workspace *w);
/* A zoomed terminal has the whole screen but one line, and no border. */
bool workspace_is_full(const struct workspace *w);

/* workspace-sessions.c: its terminals, ours and those that others opened. */
bool workspace_owns(const struct workspace *w, const struct terminal *t);
size_t workspace_count_terminals(const struct model *m,
				 const struct workspace *w);
/* A new one, or that of a session; the newest that there is, or a new one. */
void workspace_open_terminal(struct model *m, struct workspace *w,
			     const char *sid);
void workspace_last_terminal(struct model *m, struct workspace *w);
/* It was typed before the terminal was there. */
void workspace_keep_early(struct workspace *w, const struct input_event *ev);
/* A key for one that has ended; false when it does nothing there. */
bool workspace_ended_key(struct model *m, struct workspace *w, struct key k);
/* "s2*" of its title: that one has the keys. */
void workspace_choose_terminal(struct model *m, struct workspace *w,
			       const char *name);
bool workspace_act_terminal(struct model *m, struct workspace *w,
			    enum action a);
void workspace_event(struct model *m, void *state, const cJSON *event);

/* workspace-leave.c: true when it was the leave key, in its place. */
bool workspace_leave_key(struct model *m, struct workspace *w, struct key k);
/* When `shell --ui` ends because who left won't come back (boot; 0: not),
 * and its end; workspace_settle_shell() ends it with its terminal. */
int64_t workspace_leave_due(const struct model *m, const struct workspace *w);
void workspace_quit_shell(struct model *m, const struct workspace *w);
void workspace_settle_shell(struct model *m, struct workspace *w);

/* workspace-mouse.c */
bool workspace_mouse(struct model *m, struct workspace *w,
		     const struct input_event *ev);

/* workspace-view.c; and what of the sessions' names, or WORKSPACE_NEW, is at
 * this column of the terminal's border: the caller's, or NULL. */
#define WORKSPACE_NEW "+new"
char *workspace_title_word(const struct model *m, const struct workspace *w,
			   int col);
void workspace_view(const struct model *m, const void *state,
		    struct canvas *c, struct area a);

#endif
