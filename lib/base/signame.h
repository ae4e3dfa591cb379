/* SPDX-License-Identifier: MIT */
/* Names of signals. */
#ifndef SVM_BASE_SIGNAME_H
#define SVM_BASE_SIGNAME_H

/* "KILL" for 9; NULL when it has no name. */
const char *signame(int signo);

/* "KILL", "SIGKILL", "kill" or "9": the number, or -EINVAL. */
int signame_parse(const char *text);

#endif
