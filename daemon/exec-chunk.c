/* SPDX-License-Identifier: MIT */
/* Pieces of output that never cut a character.  See exec-chunk.h. */
#include "daemon/exec-chunk.h"

#include <string.h>

#include "lib/api/limits.h"
#include "lib/base/buf.h"
#include "lib/base/utf8.h"

void exec_chunk_add(struct exec_chunk *c, bool is_stderr, const char *p,
		    size_t n, exec_chunk_fn emit, void *data)
{
	auto_buf struct buf joined = BUF_INIT;
	unsigned char *carried = &c->n[is_stderr];

	if (*carried) {
		buf_add(&joined, c->carry[is_stderr], *carried);
		buf_add(&joined, p, n);
		p = joined.data;
		n = joined.len;
		*carried = 0;
	}
	while (n) {
		size_t take = MIN(n, (size_t)LIMIT_EXEC_CHUNK);
		size_t tail = utf8_tail(p, take);

		take -= tail;
		if (take)
			emit(data, is_stderr, p, take);
		p += take;
		n -= take;
		if (n == tail) {
			memcpy(c->carry[is_stderr], p, tail);
			*carried = (unsigned char)tail;
			break;
		}
	}
}

void exec_chunk_finish(struct exec_chunk *c, exec_chunk_fn emit, void *data)
{
	for (int i = 0; i < 2; i++) {
		if (c->n[i])
			emit(data, i, c->carry[i], c->n[i]);
		c->n[i] = 0;
	}
}
