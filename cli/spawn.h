/* SPDX-License-Identifier: MIT */
/* What `spawn` takes, for `template spawn` and `template create` too. */
#ifndef SVM_CLI_SPAWN_H
#define SVM_CLI_SPAWN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/opts.h"
#include "lib/base/json.h"

struct spawn_opts {
	const char *image, *template, *ttl, *name, *provider, *network;
	const char *workdir, *exec_timeout;
	int64_t memory, vcpus, disk, pids;
	char **label, **env;
	bool rm, tty, interactive, no_stdin, wait;
};

extern const struct opt spawn_options[];

/* "K=V"s as an object; with from_here also "K", whose value is ours.  Nothing
 * when pairs is NULL. */
int spawn_add_pairs(const struct cli *cli, struct json_writer *w, const char *key,
		    char *const *pairs, bool from_here, struct svm_err *err);
/* Nothing when there is no value. */
void spawn_add_string(struct json_writer *w, const char *key, const char *v);
void spawn_add_number(struct json_writer *w, const char *key, int64_t v);

#endif
