/* SPDX-License-Identifier: MIT */
/*
 * Screens and dialogs: what each brings.
 *
 * A screen is one file, screen-NAME.c, with a `const struct screen`; its state
 * is a struct of its own that the model points to.  Views are pure: they read
 * the model and draw.  Everything else is called from update() and may change
 * the model, send requests and set effects.
 *
 * A dialog stands above a screen and has the keys while it is there.
 */
#ifndef SVM_TUI_SCREEN_H
#define SVM_TUI_SCREEN_H

#include "tui/canvas.h"
#include "tui/input.h"
#include "tui/keymap.h"
#include "tui/model.h"

struct fleet_table;
struct order;
struct pane_size;

struct area {
	int row, col, rows, cols;
};

struct screen {
	const char *name;  /* "sandboxes" */
	const char *title; /* in the navigation line; NULL: not there */

	/* Made with the model, gone with it. */
	void *(*make)(struct model *m);
	void (*release)(struct model *m, void *state);

	/* It becomes the one in view, or no longer is.  Either may be NULL. */
	void (*enter)(struct model *m, void *state);
	void (*leave)(struct model *m, void *state);

	void (*view)(const struct model *m, const void *state,
		     struct canvas *c, struct area a);

	/* After each update, with the area the view will get: list_settle(). */
	void (*settle)(struct model *m, void *state, struct area a);

	/* The contexts that hold, most specific first; without CTX_GLOBAL,
	 * which the frame adds unless `alone` is set. */
	void (*contexts)(const struct model *m, const void *state,
			 enum context ret[CONTEXT_CHAIN], bool *alone);

	/* Without contexts(): this one and CTX_LIST hold. */
	enum context context;

	/* True when it was for this screen. */
	bool (*act)(struct model *m, void *state, enum action a);

	/* Before the keymap: text fields and terminals take keys and pastes,
	 * and whoever wants the mouse.  Mouse positions are the canvas's.
	 * May be NULL. */
	bool (*input)(struct model *m, void *state,
		      const struct input_event *ev);

	/* Something in the fleet changed, or an event came (JSON object, NULL
	 * for the fleet as a whole).  May be NULL. */
	void (*event)(struct model *m, void *state, const cJSON *event);

	/* Its table of sandboxes, whose view is kept.  May be NULL. */
	struct fleet_table *(*table)(void *state);
	/* Without one: the order of its list, which is kept.  May be NULL. */
	struct order *(*order)(void *state);
	/* Its k-th size that the user can change, which is kept; false past
	 * the last, which is PANE_SIZES at most.  May be NULL. */
	bool (*size)(void *state, size_t k, struct pane_size *ret);

	/* What a command of the user's would act on: the object selected, or
	 * NULL.  May be NULL. */
	const cJSON *(*subject)(const struct model *m, const void *state);
	/* Nothing is selected, as nothing is there.  May be NULL: something
	 * always is, or no key is about it. */
	bool (*empty)(const struct model *m, const void *state);
	/* And the file that is selected in it.  May be NULL. */
	const char *(*path)(const struct model *m, const void *state);
	/* And all files that are marked there, NULL at the end, the caller's;
	 * NULL when none is.  May be NULL. */
	char **(*paths)(const struct model *m, const void *state);

	/* What is in view there, as a number: with another, messages about
	 * it are over.  May be NULL: it is always the same. */
	uint64_t (*place)(const struct model *m, const void *state);

	/* The left of the footer: appends text.  May be NULL. */
	void (*status)(const struct model *m, const void *state,
		       struct buf *out);

	/* A line being typed in the footer, and what stands before it; NULL
	 * when there is none.  May be NULL. */
	const struct field *(*typing)(const struct model *m,
				      const void *state,
				      const char **ret_label);

	/* It wants the whole terminal, without ribbon, navigation and footer.
	 * May be NULL. */
	bool (*full)(const struct model *m, const void *state);

	/* What would be lost by quitting now ("main.py is not saved"); NULL
	 * when nothing.  May be NULL. */
	const char *(*busy)(const struct model *m, const void *state);

	/* The program is ended by force: put what would be lost in a safe
	 * place, and append where it is.  May be NULL. */
	void (*rescue)(struct model *m, void *state, struct buf *say);

	/* When to be woken for a tick(), CLOCK_BOOTTIME ns; 0: never. */
	int64_t (*wake)(const struct model *m, const void *state);
	void (*tick)(struct model *m, void *state);
	bool behind; /* also while another one is in view */
};

extern const struct screen screen_dash, screen_sandboxes, screen_templates,
	screen_providers, screen_logs, screen_config, screen_events,
	screen_workspace;
/* Ask the daemon for its configuration; read that of this program again. */
void config_ask(struct model *m);
void config_changed(struct model *m);
/* `:sandboxes /text` */
void sandboxes_filter(struct model *m, const char *filter);
extern const struct screen *const screens[SCREEN_MAX]; /* model.c */

/* What is drawn on, and where the keys go, for a dialog. */
struct dialog_ops {
	void (*release)(void *state);
	void (*view)(const struct model *m, const void *state,
		     struct canvas *c);
	enum context context;
	bool field; /* CTX_FIELD holds before `context`, keys are text */
	bool (*act)(struct model *m, void *state, enum action a);
	/* As a screen's, but without the mouse.  May be NULL. */
	bool (*input)(struct model *m, void *state,
		      const struct input_event *ev);
	/* A click inside, whose size is `in`; the place counts from there.
	 * May be NULL. */
	void (*click)(struct model *m, void *state, int row, int col,
		      struct area in);
	bool light; /* a click beside it closes it: nothing is lost */
};

/* Put it on top; the state becomes the dialog's. */
void dialog_push(struct model *m, const struct dialog_ops *ops, void *state);
void dialog_pop(struct model *m); /* releases its state */
/* The state of the dialog on top if it is of this kind, else NULL. */
void *dialog_top(const struct model *m, const struct dialog_ops *ops);

/* A box in the middle, cleared, with a border and title; what is inside. */
struct area dialog_box(struct canvas *c, int rows, int cols,
		       const char *title);
/* The row of it that is selected. */
void dialog_mark(const struct model *m, struct canvas *c, int row,
		 struct area inside);

/* Of forms: a line with a field (its hint while it is empty), `here` when it
 * is the one that is in, and the cursor then while one may type; text on as
 * many lines as there are, the last one cut; such is the command that does
 * the same. */
void form_field_view(struct canvas *c, int row, struct area in,
		     const char *label, const struct field *field,
		     const char *hint, bool here, bool typing);
void form_text_view(struct canvas *c, struct area in, struct cell pen,
		    const char *text);
/* How many rows it takes, and the bytes of its next one. */
int form_text_rows(const char *text, int cols);
size_t form_text_line(const char *text, size_t len, int cols);
void form_command_view(struct canvas *c, struct area in, const char *command);
/* Ask whether what was typed may be lost; then the form is closed. */
void form_leave_ask(struct model *m);

/*
 * Ask before something is lost.  `lines` end with NULL and are copied.  With
 * `name` the user has to type it; else No is highlighted.  yes() is called
 * with data, which release() frees in either case (may be NULL).
 */
struct confirm {
	const char *title; /* "KILL 2 SANDBOXES?" */
	const char *const *lines;
	const char *name;
	void (*yes)(struct model *m, void *data);
	void (*release)(void *data);
	void *data;
};
void confirm_ask(struct model *m, const struct confirm *c);

/* A list to choose from: the action menu.  run() gets the index. */
struct menu_item {
	const char *label; /* copied */
	char key[KEY_NAME_MAX];
	enum action action; /* carried out when chosen; ACT_NONE: run() */
	size_t own;         /* or a command of the user's: its number, from 1 */
	bool begin;         /* is selected at first */
};
void menu_open(struct model *m, const char *title,
	       const struct menu_item *items, size_t n,
	       void (*run)(struct model *m, size_t i, void *data), void *data,
	       void (*release)(void *data));

/* The n items, and behind them the user's own commands of this context; all
 * in all MENU_MAX. */
#define MENU_MAX 64
void menu_open_own(struct model *m, const char *title,
		   const struct menu_item *items, size_t n, enum context of);

/* The actions of these contexts, those that hold, and the user's own. */
void menu_actions(struct model *m, const char *title, const enum context *of);

/* One line asked for: a name, a duration.  done() isn't called on Escape.
 * `check` may be NULL; else it returns false with err set, which is shown. */
struct prompt {
	const char *title, *label, *text; /* copied */
	/* PAST_NONE: what is typed is nobody's business; PAST_LOCAL: a path
	 * here, and the whole of it is shown. */
	enum past_kind past;
	bool (*check)(const char *text, struct svm_err *err);
	/* The same, 0 or -1, for what the model knows.  May be NULL. */
	int (*fits)(const struct model *m, const char *text,
		    struct svm_err *err);
	const char *error; /* copied: why the same was refused; or NULL */
	/* What has this name already and would be lost, the caller's; NULL
	 * when nothing.  It is asked about.  May be NULL. */
	char *(*loses)(const struct model *m, const char *text);
	/* The local files that will be written, the caller's: what is there
	 * and is no file is refused, and what is one is asked about. */
	char **(*writes)(const char *text, const void *data);
	void (*done)(struct model *m, const char *text, void *data);
	void (*release)(void *data);
	void *data;
};
void prompt_open(struct model *m, const struct prompt *p);
/* What was typed as a local path: "~/x" is what people type.  The caller's. */
char *prompt_path(const char *text);
/* `writes` of who writes that alone. */
char **prompt_writes_it(const char *text, const void *data);

void help_open(struct model *m);    /* the keys of the contexts now */
void palette_open(struct model *m);
/* The spawn form; template may be NULL. */
void spawn_open(struct model *m, const char *template);
/* Name and labels of one, or of several what their labels are to become;
 * takes the ids.  Without any, nothing happens. */
void label_open(struct model *m, char **ids);
/* Its panel comes, and tells the time. */
int64_t spawn_wake(const struct model *m); /* 0: never */
void spawn_tick(struct model *m);

#endif
