/* SPDX-License-Identifier: MIT */
/* GET /images, DELETE /images/{ref}, POST /images/prune. */
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/http/http.h"
#include "daemon/image/image.h"
#include "daemon/image/internal.h"
#include "daemon/store.h"
#include "lib/base/mem.h"

void api_images_list(struct http_req *r, void *app)
{
	struct image_store *s = ((struct daemon *)app)->images;
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	json_open(&w, NULL, '[');
	for (struct list *p = s->images.next; p != &s->images; p = p->next)
		image_write(s, list_entry(p, struct image, link), &w, NULL);
	json_close(&w, ']');
	http_reply_json(r, 200, &out);
}

/* Images on their way out: hidden at once, gone when the row is. */
struct removal {
	struct image_store *store;
	struct http_req *req; /* NULL when the client left */
	struct list images;
	bool prune;
	int64_t removed, bytes;
};

static void on_gone(struct http_req *r)
{
	((struct removal *)http_data(r))->req = NULL;
}

static void answer(struct removal *m, const struct svm_err *err)
{
	auto_buf struct buf out = BUF_INIT;
	struct json_writer w = json_writer(&out);

	if (!m->req)
		return;
	if (err) {
		http_reply_error(m->req, err);
		return;
	}
	json_open(&w, NULL, '{');
	if (m->prune) {
		json_int(&w, "removed", m->removed);
		json_int(&w, "bytes", m->bytes);
	} else {
		json_str(&w, "status", "removed");
	}
	json_close(&w, '}');
	http_reply_json(m->req, 200, &out);
}

static void on_stored(void *data, const struct svm_err *err,
		      const struct store_event *events, size_t n)
{
	struct removal *m = data;
	struct image_store *s = m->store;
	struct list *pos, *tmp;

	if (!err)
		events_publish(s->daemon->events, events, n);
	list_for_each_safe(pos, tmp, &m->images) {
		struct image *i = list_entry(pos, struct image, link);

		if (err) {
			list_remove(&i->link);
			image_insert(s, i);
		} else {
			image_free(i);
		}
	}
	if (!err)
		images_sweep(s);
	images_end(s);
	answer(m, err);
	free(m);
}

/* Bytes of layers that stay with nobody else. */
static int64_t freed_by(const struct image_store *s, const struct image *gone)
{
	int64_t bytes = 0;

	for (size_t k = 0; k < gone->n; k++) {
		bool shared = false;

		for (struct list *p = s->images.next; p != &s->images;
		     p = p->next) {
			struct image *i = list_entry(p, struct image, link);

			for (size_t j = 0; j < i->n; j++)
				shared |= digest_equal(&i->layers[j].diff,
						       &gone->layers[k].diff);
		}
		if (!shared)
			bytes += gone->layers[k].size;
	}
	return bytes;
}

static struct removal *removal_new(struct image_store *s, struct http_req *r,
				   bool prune)
{
	struct removal *m = xcalloc(1, sizeof(*m));

	m->store = s;
	m->req = r;
	m->prune = prune;
	list_init(&m->images);
	http_set_data(r, m);
	http_on_gone(r, on_gone);
	return m;
}

static void take(struct removal *m, struct store_txn *t, struct image *i)
{
	list_remove(&i->link);
	list_append(&m->images, &i->link);
	store_delete_image(t, i->ref);
	image_add_event(t, EVENT_IMAGE_DELETED, i);
	m->removed++;
	m->bytes += freed_by(m->store, i);
}

static void commit(struct removal *m, struct store_txn *t)
{
	images_begin(m->store);
	store_commit(t, on_stored, m);
}

/* A second name for the same layers may go. */
static bool has_twin(const struct image_store *s, const struct image *i)
{
	for (struct list *p = s->images.next; p != &s->images; p = p->next) {
		const struct image *o = list_entry(p, struct image, link);

		if (o != i && image_same_layers(o, i))
			return true;
	}
	return false;
}

void api_images_delete(struct http_req *r, void *app)
{
	struct image_store *s = ((struct daemon *)app)->images;
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct image *i = image_find(s, http_param(r, "ref"), &err);

	if (i && image_in_use(s, i) && !has_twin(s, i)) {
		svm_err_set(&err, SVM_CONFLICT,
			    "the image '%s' is in use by a live sandbox",
			    i->ref);
		svm_err_hint(&err, "stacyvm list, then stacyvm kill ID");
	}
	if (err.code) {
		http_reply_error(r, &err);
		return;
	}
	struct removal *m = removal_new(s, r, false);
	struct store_txn *t = store_begin(s->daemon->store);
	take(m, t, i);
	commit(m, t);
}

void api_images_prune(struct http_req *r, void *app)
{
	struct image_store *s = ((struct daemon *)app)->images;
	struct removal *m = removal_new(s, r, true);
	struct store_txn *t = store_begin(s->daemon->store);
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &s->images) {
		struct image *i = list_entry(pos, struct image, link);

		if (!image_in_use(s, i))
			take(m, t, i);
	}
	commit(m, t);
}
