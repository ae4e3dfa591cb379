/* SPDX-License-Identifier: MIT */
/*
 * Searching in a file that is being viewed: first in the window that is here,
 * then, piece by piece, in the rest of it, around its end.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "tui/files.h"

#define PIECE (4 << 20)

void files_hunt_end(struct files *f)
{
	buf_release(&f->hunt.what);
	f->hunt = (struct files_hunt){ 0 };
}

static void found(struct files *f, uint64_t at)
{
	files_hunt_end(f);
	pager_go(&f->pager, at);
}

static void ask(struct model *m, struct files *f);

static void nowhere(struct model *m, struct files *f)
{
	files_hunt_end(f);
	model_say(m, "%s is not in it", field_text(&f->search));
}

static void piece_arrived(struct model *m, struct request *r)
{
	struct files *f = r->data;
	struct files_hunt *h = &f->hunt;
	size_t n = r->reply.len, at, keep;

	if (!h->on || h->asked != r->from || !files_is_for(f, r) ||
	    !f->view_path || strcmp(f->view_path, r->about) != 0)
		return;
	if (r->err.code != SVM_OK) {
		files_hunt_end(f); /* the error says why */
		return;
	}
	at = pager_find(buf_str(&r->reply), 0, n, &h->what, h->back);
	if (at != SIZE_MAX) {
		found(f, r->from + at);
		return;
	}
	/* A match may lie across two pieces. */
	keep = h->what.len - 1;
	if (h->back)
		h->at = r->from;
	else
		h->at = n < r->most || n <= keep ? f->pager.size :
						   r->from + n - keep;
	ask(m, f);
}

/* The next piece, or the end of the search. */
static void ask(struct model *m, struct files *f)
{
	struct files_hunt *h = &f->hunt;
	uint64_t size = f->pager.size, end;
	struct request *r;

	if (h->back ? h->at == 0 : h->at >= size) {
		if (h->wrapped) {
			nowhere(m, f);
			return;
		}
		h->wrapped = true;
		h->at = h->back ? size : 0;
	}
	if (h->wrapped && (h->back ? h->at <= h->stop : h->at > h->stop)) {
		nowhere(m, f);
		return;
	}
	r = files_request(f, "GET", "", f->view_path, piece_arrived);
	r->ranged = true;
	if (h->back) {
		end = MIN(h->at + h->what.len - 1, size);
		r->from = end > PIECE ? end - PIECE : 0;
		r->most = (size_t)(end - r->from);
	} else {
		r->from = h->at;
		r->most = (size_t)MIN((uint64_t)PIECE, size - h->at);
	}
	h->asked = r->from;
	r->doing = xasprintf("search %s", f->view_path);
	request_send(m, r);
}

void files_search(struct model *m, struct files *f, bool back, bool here)
{
	struct pager *p = &f->pager;
	auto_buf struct buf what = BUF_INIT;
	size_t top = pager_top(p), len = p->window.len, at;
	size_t row = (size_t)(pager_row_at(p, top) - p->base);
	size_t next = (size_t)(pager_row_at(p, top + 1) - p->base);
	const char *data = buf_str(&p->window);

	files_hunt_end(f);
	pager_pattern(field_text(&f->search), p->hex, &what);
	if (!what.len || !len)
		return;
	next = here ? row : MIN(next, len);
	at = back ? pager_find(data, 0, MIN(row + what.len - 1, len), &what,
			       true) :
		    pager_find(data, next, len, &what, false);
	if (at == SIZE_MAX && pager_whole(p))
		at = back ? pager_find(data, row, len, &what, true) :
			    pager_find(data, 0, MIN(next + what.len - 1, len),
				       &what, false);
	if (at != SIZE_MAX) {
		found(f, p->base + at);
	} else if (pager_whole(p)) {
		nowhere(m, f);
	} else {
		f->hunt = (struct files_hunt){ .on = true, .back = back };
		f->hunt.stop = p->base + (back ? row : next);
		f->hunt.at = back ? p->base :
				    p->base + len - MIN(what.len - 1, len);
		f->hunt.what = what;
		what = (struct buf)BUF_INIT;
		ask(m, f);
	}
}
