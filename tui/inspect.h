/* SPDX-License-Identifier: MIT */
/* The details of one sandbox, in tabs: Info, Stats, Logs, Net, Posture,
 * JSON.  What its environment is the daemon tells nobody. */
#ifndef SVM_TUI_INSPECT_H
#define SVM_TUI_INSPECT_H

#include "tui/list.h"
#include "tui/screen.h"

enum inspect_tab {
	INSPECT_INFO,
	INSPECT_STATS,
	INSPECT_LOGS,
	INSPECT_NET,
	INSPECT_POSTURE,
	INSPECT_JSON,
	INSPECT_MAX
};

struct inspect {
	enum inspect_tab tab;
	size_t top;         /* first line shown */
	size_t lines, height;
	/* The Logs tab: the last lines of `id`. */
	char *id;
	struct stream *stream;
	char **log;
	size_t n_log;
};

void inspect_release(struct model *m, struct inspect *x);
void inspect_leave(struct model *m, struct inspect *x);

/* s may be NULL in all of these. */
void inspect_settle(struct model *m, struct inspect *x,
		    const struct sandbox *s, struct area inside);
void inspect_view(const struct model *m, const struct inspect *x,
		  const struct sandbox *s, struct canvas *c, struct area a,
		  bool focused);

/* Tabs always; moving when the details have the keys. */
bool inspect_act(struct inspect *x, enum action a, bool focused);

#endif
