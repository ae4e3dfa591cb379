/* SPDX-License-Identifier: MIT */
/* What `list` and `list --watch` share. */
#ifndef SVM_CLI_LIST_H
#define SVM_CLI_LIST_H

#include <cjson/cJSON.h>

#include "cli/out.h"

struct list_opts {
	char **filter;
	const char *sort;
	bool all, watch;
};

/* The state and what is left of its time are the third and the last. */
#define LIST_COLUMNS 6
extern const struct column list_columns[LIST_COLUMNS];

/* The list's route; static text. */
const char *list_target(const struct list_opts *o);

/* Drop what the filters do not want, and sort. */
void list_select(const struct list_opts *o, cJSON *items);

/* The exit status, or -1 with err. */
int list_watch(struct cli *cli, const struct list_opts *o,
	       struct svm_err *err);

#endif
