/* SPDX-License-Identifier: MIT */
/*
 * Text out of bytes: pieces of at most LIMIT_EXEC_CHUNK bytes that never cut
 * a UTF-8 character; its beginning waits for the rest, per stream.
 */
#ifndef SVM_DAEMON_EXEC_CHUNK_H
#define SVM_DAEMON_EXEC_CHUNK_H

#include <stdbool.h>
#include <stddef.h>

struct exec_chunk {
	char carry[2][4];
	unsigned char n[2];
};

typedef void (*exec_chunk_fn)(void *data, bool is_stderr, const char *p,
			      size_t n);
void exec_chunk_add(struct exec_chunk *c, bool is_stderr, const char *p,
		    size_t n, exec_chunk_fn emit, void *data);
void exec_chunk_finish(struct exec_chunk *c, exec_chunk_fn emit, void *data);

#endif
