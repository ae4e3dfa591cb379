/* SPDX-License-Identifier: MIT */
/* An image as a row of the store, as JSON for the API and in events, and
 * back. */
#include <stdlib.h>
#include <string.h>

#include "daemon/events.h"
#include "daemon/image/internal.h"
#include "daemon/store.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

struct image *image_new(void)
{
	struct image *i = xcalloc(1, sizeof(*i));

	list_init(&i->link);
	return i;
}

void image_free(struct image *i)
{
	if (!i)
		return;
	list_remove(&i->link);
	image_config_release(&i->config);
	free(i->layers);
	free(i->ref);
	free(i);
}

void image_layer_name(const struct digest *d, char out[DIGEST_TEXT + 1])
{
	digest_format(d, out);
	out[strlen(DIGEST_PREFIX) - 1] = '-';
}

bool image_same_layers(const struct image *a, const struct image *b)
{
	if (a->n != b->n)
		return false;
	for (size_t k = 0; k < a->n; k++)
		if (!digest_equal(&a->layers[k].diff, &b->layers[k].diff))
			return false;
	return true;
}

void image_write(const struct image_store *s, const struct image *i,
		 struct json_writer *w, const char *key)
{
	char when[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(i->created_ns, when);
	json_open(w, key, '{');
	json_str(w, "ref", i->ref);
	json_str(w, "digest", i->digest);
	json_int(w, "size_bytes", i->size_bytes);
	json_str(w, "created_at", when);
	json_int(w, "layers", (int64_t)i->n);
	json_bool(w, "in_use", image_in_use(s, i));
	json_str(w, "architecture",
		 i->config.architecture ? i->config.architecture : "");
	json_str(w, "ids", i->full_ids ? "full" : "collapsed");
	json_close(w, '}');
}

void image_to_row(const struct image *i, struct store_image *row)
{
	auto_buf struct buf text = BUF_INIT;
	struct json_writer w = json_writer(&text);
	char diff[DIGEST_TEXT + 1];

	json_open(&w, NULL, '{');
	image_config_write(&i->config, &w);
	json_str(&w, "ids", i->full_ids ? "full" : "collapsed");
	json_open(&w, "layers", '[');
	for (size_t k = 0; k < i->n; k++) {
		json_open(&w, NULL, '{');
		digest_format(&i->layers[k].diff, diff);
		json_str(&w, "diff_id", diff);
		json_int(&w, "size", i->layers[k].size);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	*row = (struct store_image){
		.ref = xstrdup(i->ref),
		.digest = xstrdup(i->digest),
		.config = buf_steal(&text),
		.size_bytes = i->size_bytes,
		.created_ns = i->created_ns,
	};
}

static int read_layers(const cJSON *list, struct image *i,
		       struct svm_err *err)
{
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;

	if (n < 1 || n > LIMIT_IMAGE_LAYERS)
		return svm_err_set(err, SVM_INTERNAL, "the row has %d layers",
				   n);
	i->layers = xcalloc((size_t)n, sizeof(*i->layers));
	for (const cJSON *kid = list->child; kid; kid = kid->next) {
		struct image_layer *l = &i->layers[i->n++];
		const char *diff = "";

		if (json_get_string(kid, "diff_id", &diff, err) < 0 ||
		    json_get_int(kid, "size", 0, INT64_C(1) << 52, &l->size,
				 err) < 0)
			return -1;
		if (digest_parse(diff, &l->diff) < 0)
			return svm_err_set(err, SVM_INTERNAL,
					   "the row has a layer '%.80s'",
					   diff);
	}
	return 0;
}

static int fill(const struct store_image *row, const cJSON *config,
		struct image *i, struct svm_err *err)
{
	const char *ids = "";
	struct digest d;

	if (digest_parse(row->digest, &d) < 0)
		return svm_err_set(err, SVM_INTERNAL,
				   "the row has the digest '%.80s'",
				   row->digest);
	digest_format(&d, i->digest);
	if (json_get_string(config, "ids", &ids, err) < 0 ||
	    image_config_read(config, &i->config, err) < 0)
		return -1;
	i->full_ids = strcmp(ids, "full") == 0;
	return read_layers(json_get(config, "layers"), i, err);
}

int image_from_row(const struct store_image *row, struct image **ret,
		   struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	struct image *i;

	if (json_parse_object(&doc, row->config, strlen(row->config), err) < 0)
		return -1;
	i = image_new();
	i->ref = xstrdup(row->ref);
	i->size_bytes = row->size_bytes;
	i->created_ns = row->created_ns;
	if (fill(row, doc.root, i, err) < 0) {
		image_free(i);
		return -1;
	}
	*ret = i;
	return 0;
}

void image_add_event(struct store_txn *t, enum event_type type,
		     const struct image *i)
{
	auto_buf struct buf data = BUF_INIT;
	struct json_writer w = json_writer(&data);

	json_open(&w, NULL, '{');
	json_str(&w, "ref", i->ref);
	json_str(&w, "digest", i->digest);
	json_int(&w, "size_bytes", i->size_bytes);
	json_close(&w, '}');
	store_add_event(t, type, NULL, EVENTS_EVERYBODY, buf_str(&data));
}
