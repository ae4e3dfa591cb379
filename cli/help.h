/* SPDX-License-Identifier: MIT */
/* Topics of `stacyvm help` that are tables; the manual has them too. */
#ifndef SVM_CLI_HELP_H
#define SVM_CLI_HELP_H

struct help_line {
	const char *name, *text;
};

extern const struct help_line help_exit_codes[]; /* ends with name NULL */
extern const struct help_line help_env[];

#endif
