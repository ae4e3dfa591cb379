/* SPDX-License-Identifier: MIT */
/*
 * A cgroup of its own for the daemon of an unprivileged user.  On a desktop
 * it would sit in a session scope that belongs to root and could limit
 * nothing; the user's systemd makes a scope that is delegated.
 */
#ifndef SVM_CLIENT_SCOPE_H
#define SVM_CLIENT_SCOPE_H

#include <stdbool.h>

/* Would a scope help?  Only on pure cgroup v2 (`mount` has it), when our own
 * cgroup (as in /proc/self/cgroup: `own` is that file) is not ours to divide
 * and the user's bus answers below `runtime` (XDG_RUNTIME_DIR, may be NULL). */
bool scope_wanted(const char *mount, const char *own, const char *runtime);

/* Path of systemd-run; NULL when it is not installed.  Not owned. */
const char *scope_program(void);

/* argv that runs `argv` in a scope; free() the array alone. */
char **scope_argv(const char *program, char *const *argv);

#endif
