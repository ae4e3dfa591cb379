/* SPDX-License-Identifier: MIT */
/*
 * The agent's tar reader: any bytes as an archive.  What it accepts as an
 * entry comes out the same after it was written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/ustar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct ustar_entry *e)
{
	auto_buf struct buf out = BUF_INIT;
	struct ustar_reader r = { 0 };
	struct ustar_entry again;
	const char *p;
	int kind;

	ustar_add_header(&out, e);
	p = out.data;
	kind = ustar_read(&r, (const unsigned char *)p, &again);
	if (kind == USTAR_EXTRA) {
		if (ustar_read_extra(&r, &again, p + USTAR_BLOCK,
				     (size_t)again.size) < 0)
			abort();
		p += USTAR_BLOCK + again.size + ustar_padding(again.size);
		kind = ustar_read(&r, (const unsigned char *)p, &again);
	}
	/* An empty name makes a header that may be no header. */
	if (kind != USTAR_ENTRY || strcmp(again.path, e->path) != 0 ||
	    strcmp(again.target, e->target) != 0 || again.type != e->type ||
	    again.size != e->size || again.mode != e->mode)
		abort();
	ustar_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ustar_reader r = { 0 };

	while (size >= USTAR_BLOCK) {
		struct ustar_entry e;
		int kind = ustar_read(&r, data, &e);
		uint64_t skip = 0;

		data += USTAR_BLOCK;
		size -= USTAR_BLOCK;
		if (kind < 0 || kind == USTAR_END)
			break;
		if (kind == USTAR_EXTRA || kind == USTAR_ENTRY)
			skip = e.size + ustar_padding(e.size);
		if (kind == USTAR_ENTRY && strlen(e.path) < 32768 &&
		    strlen(e.target) < 32768)
			check_again(&e);
		if (skip > size || (kind == USTAR_EXTRA &&
				    ustar_read_extra(&r, &e,
						     (const char *)data,
						     (size_t)e.size) < 0))
			break;
		data += skip;
		size -= skip;
	}
	ustar_release(&r);
	return 0;
}
