/* SPDX-License-Identifier: MIT */
/*
 * The two ends of a command's stdin, stdout and stderr: pipes, or one
 * terminal for all three.
 */
#ifndef SVM_AGENT_ENDS_H
#define SVM_AGENT_ENDS_H

struct agent;
struct agent_exec;

struct ends {
	int child[3];  /* stdin, stdout, stderr */
	int parent[3]; /* non-blocking; -1: /dev/null, or stdout's terminal */
};

/* What m asks for.  -errno; *e is to be closed in either case. */
int ends_open(struct ends *e, const struct agent *a,
	      const struct agent_exec *m);
void ends_close(int v[3]);

#endif
