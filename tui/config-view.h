/* SPDX-License-Identifier: MIT */
/* The settings screen's state, and drawing it. */
#ifndef SVM_TUI_CONFIG_VIEW_H
#define SVM_TUI_CONFIG_VIEW_H

#include "tui/objects.h"
#include "tui/settings.h"

struct config_screen {
	struct objects list;
	cJSON *remote; /* as the daemon has it, or NULL */
	cJSON *local;  /* as file and environment have it, or NULL */
	cJSON *all;    /* what is shown: an array of {name, value, origin} */
	char *key;     /* what `draft` and `edit` are about */
	char *draft;   /* chosen but not applied */
	bool editing;
	struct field edit;
	char *error;   /* why the edit was refused */
};

void config_view(const struct model *m, const void *state, struct canvas *c,
		 struct area a);

/* The part of `a` that objects_settle() is to know of. */
struct area config_rows(struct area a);

/* A value as one types it; the caller's. */
char *config_text(const cJSON *value);

#endif
