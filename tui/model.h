/* SPDX-License-Identifier: MIT */
/*
 * The dashboard as data: all it knows and shows.  No descriptors, no
 * terminal, no clock: time is what it is told.
 *
 *	update_input(m, &event)    what the user did
 *	update_tick(m)             time went on
 *	request done, stream line  what the daemon said
 *		-> model, m->effects, m->requests
 *	frame_view(m, canvas)      model -> cells
 */
#ifndef SVM_TUI_MODEL_H
#define SVM_TUI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/defs.h"
#include "lib/base/err.h"
#include "lib/base/list.h"
#include "tui/canvas.h"
#include "tui/command.h"
#include "tui/field.h"
#include "tui/fleet.h"
#include "tui/host.h"
#include "tui/input.h"
#include "tui/keymap.h"
#include "tui/past.h"
#include "tui/request.h"
#include "tui/settings.h"

enum screen_id {
	SCREEN_DASH,
	SCREEN_SANDBOXES,
	SCREEN_TEMPLATES,
	SCREEN_PROVIDERS,
	SCREEN_LOGS,
	SCREEN_CONFIG,
	SCREEN_EVENTS,
	SCREEN_WORKSPACE, /* of one sandbox; not in the navigation */
	SCREEN_MAX
};

/* What the program is to do; taken and cleared after each update. */
enum effect {
	EFFECT_REDRAW = 1u << 0,
	EFFECT_REPAINT = 1u << 1, /* everything, as if nothing were there */
	EFFECT_QUIT = 1u << 2,
	EFFECT_SUSPEND = 1u << 3,
	EFFECT_BELL = 1u << 4,
	EFFECT_MOUSE = 1u << 5,   /* m->mouse changed */
	EFFECT_COPY = 1u << 6,    /* m->clipboard */
	EFFECT_EDITOR = 1u << 7,  /* m->editor */
	EFFECT_CANCEL = 1u << 8,  /* all requests that wait */
	EFFECT_STYLE = 1u << 9,   /* m->set.theme and .ascii, m->mouse */
	EFFECT_COMMAND = 1u << 10, /* m->command */
	EFFECT_SAVE_VIEW = 1u << 11,
	EFFECT_SAVE_SIZES = 1u << 14, /* the same file, and not a word */
	EFFECT_HOST = 1u << 12,   /* sample m->host, if it is this machine */
	EFFECT_SAVE_PAST = 1u << 13,
};

/* The daemon, as one sees it. */
enum link_state { LINK_CONNECTING, LINK_LIVE, LINK_LOST };

/* How long a message stays true: it goes when that ends, and sooner when its
 * time does.  All but two go as well when something else is in view than when
 * it was said; see message.h. */
enum toast_while {
	TOAST_HERE,
	TOAST_ANYWHERE,     /* one of the two */
	TOAST_LEFT,         /* a terminal was left */
	TOAST_LOOKING_BACK, /* in a terminal */
	TOAST_NO_DAEMON,    /* it doesn't answer; the other */
	TOAST_SAVING,       /* a file, however long that takes */
};

struct tui_settings {
	unsigned scrollback;    /* lines of a terminal */
	enum { CONFIRM_ALWAYS, CONFIRM_BULK, CONFIRM_NEVER } confirm;
	bool ascii;
	enum colour_mode colour;
	bool motion;            /* sparklines tick, things blink */
	bool words;             /* beside each symbol: ui.accessible */
	bool clipboard;         /* OSC 52 of a sandbox may set it */
	struct theme theme;
};

/* Of the panes of one screen. */
#define PANE_SIZES 2
struct sizes {
	int percent[PANE_SIZES]; /* 0: there is none */
};

/* How a table is shown; of fleet_table. */
struct view {
	char *name, *filter; /* owned; no name: of a screen */
	unsigned sort;
	bool invert;
	bool unsaved;        /* not as in the file */
	unsigned hidden, grouping;
	char **folded; /* names of groups */
	size_t n_folded;
};

/* A message, and when. */
struct said {
	char *text; /* owned */
	int64_t wall_ns;
};

struct model {
	int rows, cols;
	int64_t wall_ns, boot_ns; /* now */
	int utc_offset;           /* seconds, for showing times */

	enum screen_id screen, previous;
	void *state[SCREEN_MAX];
	struct dialog *dialog;    /* the one on top, or NULL */

	struct keymap *keymap;
	struct tui_settings set;
	bool read_only, mouse;
	bool focused;             /* the terminal has the focus */

	struct fleet fleet;
	struct host host;         /* sampled with what is in view */
	enum link_state link;
	bool silent;              /* it is there, and says nothing at all */
	int64_t heard_ns;         /* boot, when it last did */
	bool starts;              /* a request starts one when there is none */
	char *server;             /* for messages: its name */
	char *version;            /* the daemon's, or NULL */
	struct stream *events;
	/* Of GET /providers, /templates, /metrics, parsed; NULL before. */
	cJSON *providers, *templates, *metrics;
	int64_t metrics_at;       /* boot */
	bool fleet_asked, fleet_stale, metrics_asked, metrics_stale;
	bool providers_asked;     /* quietly */
	unsigned singles;         /* sandboxes asked for one by one */
	unsigned polling;         /* figures asked for */

	/* Each screen's at the next start, and those with a name. */
	struct view begin[SCREEN_MAX], views[LIMIT_TUI_VIEWS];
	size_t n_views;
	struct sizes sizes[SCREEN_MAX]; /* as they were last kept */
	bool sized[SCREEN_MAX];         /* and not as in the file */
	char *dropped[LIMIT_TUI_VIEWS]; /* names the file has to lose */
	size_t n_dropped;

	struct past past[PAST_MAX];
	bool past_lost;           /* it can't be written: nothing more is */

	char *toast;
	bool toast_bad, toast_brief;
	bool toast_new;           /* said in this update */
	bool toast_whole;         /* no key came since */
	enum toast_while toast_while;
	int64_t toast_until;      /* boot */
	uint64_t place;           /* of what is in view, a number */
	struct said said[LIMIT_TUI_MESSAGES]; /* the oldest first */
	size_t n_said;
	char *home;               /* is "~" where there is no room, or NULL */

	unsigned effects;
	struct list requests;     /* to be sent */
	struct list streams;
	struct list terminals;    /* see terminal.h */
	unsigned waiting;         /* requests not yet answered */
	unsigned batches;         /* see batch.h; under way */
	struct list spawns;       /* see spawning.h; under way */
	struct spawning *spawn_failed; /* in the background, or NULL */
	char *made; /* the id of what was waited for: to be selected, or NULL */
	struct buf clipboard;
	/* EFFECT_EDITOR: open this local file, then call done: ok, or err
	 * says why not. */
	struct {
		char *path;       /* owned */
		struct svm_err err;
		void (*done)(struct model *m, void *data, bool ok);
		void *data;
	} editor;
	bool quitting;            /* ^C was pressed once */
	int64_t start_ns;         /* boot; 0: nobody waits for the start */
	int64_t start_step_ns;    /* boot; of the step under way */
	char *farewell;           /* to be said at the end, or NULL: as ever */
	int status;               /* to end with */
	struct commands commands; /* the user's own */
	unsigned commands_running;
	char **command;           /* EFFECT_COMMAND: run this here */
	char ***commands_more;    /* and these, one after the other; NULL
				   * ends them */
	const struct settings_ops *settings; /* or NULL: none to change */
	struct label_undo *label_undo; /* or NULL; see label-undo.h */
	struct config_change undo[LIMIT_TUI_UNDO];
	size_t n_undo;
};

struct model *model_new(int rows, int cols);
void model_free(struct model *m); /* accepts NULL */
void model_free_cleanup(struct model **m);
#define auto_model CLEANUP(model_free_cleanup)

/* Begin: ask for everything, follow the events. */
void model_start(struct model *m);

void model_resize(struct model *m, int rows, int cols);

/* To another screen.  `model_open` is the workspace of one sandbox. */
void model_show(struct model *m, enum screen_id screen);
enum workspace_focus { WORKSPACE_FILES, WORKSPACE_EDITOR, WORKSPACE_TERMINAL,
		       WORKSPACE_NEW_TERMINAL };
void model_open(struct model *m, const char *id, enum workspace_focus focus);
/* Its terminal on the whole screen, as `stacyvm shell --ui`: when that is left
 * or ends, so does the program. */
void model_shell(struct model *m, const char *id);
/* Screen 5 with this sandbox's output. */
void model_logs(struct model *m, const char *id);
void model_logs_marked(struct model *m); /* merged */

/* A message in the footer, for some seconds, and among those that were said;
 * escaped when it is shown. */
void model_say(struct model *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* How far something is: only in the footer. */
void model_progress(struct model *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same, gone with the next key and sooner: what a key just did. */
void model_hint(struct model *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
void model_complain(struct model *m, const struct svm_err *err,
		    const char *doing);
/* The message just said is true for so long. */
void model_said_while(struct model *m, enum toast_while w);
/* That has ended. */
void model_unsay(struct model *m, enum toast_while w);
void model_unsay_all(struct model *m);
/* What is in view is another thing. */
void model_unsay_here(struct model *m);

/* Nothing may be changed: says so and returns true. */
bool model_refuses(struct model *m, enum action a);

/* Text for the clipboard, and word of it. */
void model_copy(struct model *m, const char *text, size_t n,
		const char *what);
void model_copy_json(struct model *m, const cJSON *o, const char *what);

/* Ask the daemon again: for everything, or what is named. */
void model_refresh(struct model *m);
void sync_sandbox(struct model *m, const char *id);
/* The daemon said something at that time, or, on the stream that is never
 * silent when it is well, nothing from then until now; boot. */
void sync_heard(struct model *m, int64_t at_ns);
void sync_silent(struct model *m, int64_t since_ns, int64_t now_ns);
void sync_templates(struct model *m);
void sync_providers(struct model *m);
/* For figures: no more than one at a time, and no word of it. */
void sync_providers_quietly(struct model *m);

void update_input(struct model *m, const struct input_event *ev);
void update_act(struct model *m, enum action a); /* as if a key did it */
void update_tick(struct model *m);
/* When the next tick is due, CLOCK_BOOTTIME ns: a minute at most, for the
 * clock in the ribbon. */
int64_t update_wake(const struct model *m);
void update_settle(struct model *m); /* after anything else changed it */

/* The contexts that hold now. */
void update_contexts(const struct model *m, enum context ret[CONTEXT_CHAIN]);
/* And below the dialog. */
void update_screen_contexts(const struct model *m,
			    enum context ret[CONTEXT_CHAIN]);

void frame_view(const struct model *m, struct canvas *c);

#endif
