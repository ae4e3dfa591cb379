/* SPDX-License-Identifier: MIT */
/*
 * The pull worker: `stacyvm __pull`, see pull.h.  It asks the registry's
 * mirrors in turn, then the registry itself; what one of them gave before it
 * failed is kept, because blobs are what their digest says.
 */
#include "daemon/image/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/image/image.h"
#include "daemon/image/internal.h"
#include "daemon/image/ref.h"
#include "daemon/image/report.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define ACCEPT_MANIFESTS "Accept: " \
	"application/vnd.oci.image.index.v1+json, " \
	"application/vnd.docker.distribution.manifest.list.v2+json, " \
	"application/vnd.oci.image.manifest.v1+json, " \
	"application/vnd.docker.distribution.manifest.v2+json"

struct pull {
	int downloads, layers; /* directories */
	struct image_ref ref;
	struct registry_server servers[LIMIT_REGISTRY_SERVERS];
	size_t n;
	long stall_s;
	bool plain;
	struct buf ca;
	struct digest manifest; /* that of the image itself */
};

static void report_progress(void *data, size_t layer, size_t layers,
			    int64_t bytes, int64_t total)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = report_begin(&line, "progress");

	(void)data;
	json_str(&w, "stage", "download");
	json_int(&w, "layer", (int64_t)layer);
	json_int(&w, "layers", (int64_t)layers);
	json_int(&w, "bytes", bytes);
	json_int(&w, "total", total);
	report_end(&w, &line);
}

static void report_pulled(const struct pull *p, const char *from)
{
	auto_buf struct buf line = BUF_INIT;
	struct json_writer w = report_begin(&line, "pulled");

	report_digest(&w, "manifest", &p->manifest);
	json_str(&w, "from", from);
	report_end(&w, &line);
}

/* Documents. */

static int keep(const struct pull *p, const struct digest *d,
		const struct buf *text, struct svm_err *err)
{
	char name[DIGEST_TEXT + 1];

	image_layer_name(d, name);
	int r = fd_replace_path(p->downloads, name, text->data, text->len,
				0600);
	return r < 0 ? svm_err_sys(err, SVM_INTERNAL, r, "can't store '%s'",
				   name) : 0;
}

static int check_digest(const struct digest *want, const struct digest *have,
			const char *what, struct svm_err *err)
{
	char a[DIGEST_TEXT + 1], b[DIGEST_TEXT + 1];

	if (digest_equal(want, have))
		return 0;
	digest_format(have, a);
	digest_format(want, b);
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "%s has the digest %s, it should be %s", what, a, b);
}

/* By tag or by digest; *ret is what it really has. */
static int get_manifest(struct registry_server *s, const char *name,
			struct buf *out, struct digest *ret,
			struct svm_err *err)
{
	auto_free char *suffix = xasprintf("manifests/%s", name);
	struct request r;
	struct digest want;

	request_init(&r, s, suffix);
	r.accept = ACCEPT_MANIFESTS;
	int e = request_get(&r, LIMIT_IMAGE_JSON, out, err);
	*ret = digest_of(buf_str(out), out->len);
	if (e == 0 && (digest_parse(name, &want) == 0 ||
		       (r.content_digest &&
			digest_parse(r.content_digest, &want) == 0)))
		e = check_digest(&want, ret, "the manifest", err);
	request_release(&r);
	return e;
}

static int get_image_manifest(struct pull *p, struct registry_server *s,
			      struct manifest *ret, struct svm_err *err)
{
	char name[DIGEST_TEXT + 1];
	const char *at = p->ref.tag;

	for (unsigned depth = 0; depth < 3; depth++) {
		auto_buf struct buf text = BUF_INIT;
		struct manifest m;

		if (get_manifest(s, at, &text, &p->manifest, err) < 0 ||
		    manifest_parse(&text, &m, err) < 0)
			return -1;
		if (!m.is_index) {
			*ret = m;
			return keep(p, &p->manifest, &text, err);
		}
		digest_format(&m.next.digest, name);
		at = name;
	}
	return svm_err_set(err, SVM_BAD_REQUEST,
			   "image indexes nested too deep");
}

static int get_config(struct pull *p, struct registry_server *s,
		      const struct manifest *m, struct digest *ret_diffs,
		      struct svm_err *err)
{
	auto_buf struct buf text = BUF_INIT;
	char digest[DIGEST_TEXT + 1];
	struct request r;

	digest_format(&m->config.digest, digest);
	auto_free char *suffix = xasprintf("blobs/%s", digest);
	request_init(&r, s, suffix);
	int e = request_get(&r, (size_t)m->config.size, &text, err);
	request_release(&r);
	if (e < 0)
		return -1;
	struct digest have = digest_of(buf_str(&text), text.len);
	if (check_digest(&m->config.digest, &have, "the config", err) < 0 ||
	    manifest_diff_ids(&text, m->n, ret_diffs, err) < 0)
		return -1;
	return keep(p, &m->config.digest, &text, err);
}

/* Layers that are unpacked here already, or stand twice, are not fetched. */
static bool is_wanted(const struct pull *p, const struct manifest *m,
		      const struct digest *diffs, size_t i)
{
	char name[DIGEST_TEXT + 1];
	struct stat st;

	for (size_t j = 0; j < i; j++)
		if (digest_equal(&m->layers[j].digest, &m->layers[i].digest))
			return false;
	image_layer_name(&diffs[i], name);
	return fstatat(p->layers, name, &st, AT_SYMLINK_NOFOLLOW) < 0;
}

static int get_layers(struct pull *p, struct registry_server *s,
		      const struct manifest *m, struct svm_err *err)
{
	const struct fetch_report told = { report_progress, NULL };
	const struct manifest_blob *want[LIMIT_IMAGE_LAYERS];
	struct digest diffs[LIMIT_IMAGE_LAYERS];

	if (get_config(p, s, m, diffs, err) < 0)
		return -1;
	for (size_t i = 0; i < m->n; i++)
		want[i] = is_wanted(p, m, diffs, i) ? &m->layers[i] : NULL;
	return fetch_blobs(s, p->downloads, want, m->n, &told, err);
}

static int pull_from(struct pull *p, struct registry_server *s,
		     struct svm_err *err)
{
	struct manifest m = { 0 };
	int r = get_image_manifest(p, s, &m, err);

	if (r == 0)
		r = get_layers(p, s, &m, err);
	manifest_release(&m);
	return r;
}

static int pull(struct pull *p, struct svm_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		svm_err_release(err);
		if (pull_from(p, &p->servers[i], err) == 0) {
			report_pulled(p, p->servers[i].base);
			return 0;
		}
		if (err->code == SVM_NO_SPACE || err->code == SVM_INTERNAL)
			break;
	}
	return -1;
}

/* Arguments. */

static int add_server(struct pull *p, const char *base, const char *host,
		      bool plain, struct svm_err *err)
{
	struct registry_server *s = &p->servers[p->n];

	if (p->n == LIMIT_REGISTRY_SERVERS)
		return svm_err_set(err, SVM_BAD_REQUEST, "registries.mirrors: "
				   "more than %d for one registry",
				   LIMIT_REGISTRY_SERVERS - 1);
	p->n++;
	*s = (struct registry_server){
		.base = xstrdup(base),
		.host = xstrdup(host),
		.path = xstrdup(p->ref.path),
		.plain = plain,
		.stall_s = p->stall_s,
		.ca = p->ca.len ? &p->ca : NULL,
	};
	for (size_t n = strlen(s->base); n && s->base[n - 1] == '/';)
		s->base[--n] = '\0';
	return credentials_load(host, &s->credentials, err);
}

/* "https://mirror.example" is docker.io's, "HOST=https://..." another's. */
static int add_mirror(struct pull *p, const char *text, struct svm_err *err)
{
	const char *eq = strchr(text, '='), *url = text;
	const char *scheme = strstr(text, "://");

	if (eq && scheme && eq < scheme) {
		size_t n = (size_t)(eq - text);

		if (n != strlen(p->ref.host) ||
		    strncmp(text, p->ref.host, n) != 0)
			return 0;
		url = eq + 1;
	} else if (strcmp(p->ref.host, "docker.io") != 0) {
		return 0;
	}
	bool plain = strncmp(url, "http://", 7) == 0;
	if (!plain && strncmp(url, "https://", 8) != 0)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "registries.mirrors: '%.200s' must be URL "
				   "or HOST=URL", text);
	const char *host = url + (plain ? 7 : 8);
	auto_free char *name = xstrndup(host, strcspn(host, "/"));
	return add_server(p, url, name, plain, err);
}

static void note_insecure(struct pull *p, const char *host)
{
	size_t n = strlen(host);

	if (strncmp(p->ref.host, host, n) == 0 &&
	    (!p->ref.host[n] || p->ref.host[n] == ':'))
		p->plain = true;
}

static int add_origin(struct pull *p, struct svm_err *err)
{
	bool hub = strcmp(p->ref.host, "docker.io") == 0;
	auto_free char *base = xasprintf("%s://%s",
					 p->plain ? "http" : "https",
					 hub ? "registry-1.docker.io" :
					       p->ref.host);

	return add_server(p, base, p->ref.host, p->plain, err);
}

static int read_options(struct pull *p, int argc, char **argv,
			struct svm_err *err)
{
	for (int i = 5; i < argc; i++)
		if (strncmp(argv[i], "insecure=", 9) == 0)
			note_insecure(p, argv[i] + 9);
	for (int i = 5; i < argc; i++)
		if (strncmp(argv[i], "mirror=", 7) == 0 &&
		    add_mirror(p, argv[i] + 7, err) < 0)
			return -1;
	return add_origin(p, err);
}

static int load_certificates(struct pull *p, struct svm_err *err)
{
	const char *path = getenv("SSL_CERT_FILE");
	int r = path && *path ? fd_slurp_path(AT_FDCWD, path, MIB(4), &p->ca) :
				0;

	return r < 0 ? svm_err_sys(err, SVM_UNAVAILABLE, r,
				   "SSL_CERT_FILE '%.200s'", path) : 0;
}

static int prepare(struct pull *p, int argc, char **argv, struct svm_err *err)
{
	if (argc < 5)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "usage: __pull DOWNLOADS LAYERS REF SECONDS "
				   "[mirror=URL] [insecure=HOST]");
	p->downloads = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->layers = open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->downloads < 0 || p->layers < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno,
				   "can't open '%s' and '%s'", argv[1],
				   argv[2]);
	/* Held to the end: the sweep waits for it. */
	if (flock(p->downloads, LOCK_SH) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "can't lock '%s'",
				   argv[1]);
	p->stall_s = strtol(argv[4], NULL, 10);
	if (p->stall_s < 1)
		p->stall_s = 1;
	if (image_ref_parse(argv[3], &p->ref, err) < 0 ||
	    load_certificates(p, err) < 0 || libcurl_load(err) < 0 ||
	    read_options(p, argc, argv, err) < 0)
		return -1;
	return pull_confine(p->downloads, err);
}

static void release(struct pull *p)
{
	for (size_t i = 0; i < p->n; i++) {
		credentials_release(&p->servers[i].credentials);
		free(p->servers[i].base);
		free(p->servers[i].host);
		free(p->servers[i].path);
		free(p->servers[i].authorization);
	}
	image_ref_release(&p->ref);
	buf_release(&p->ca);
	free(p);
}

int image_pull_main(int argc, char **argv)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct pull *p = xcalloc(1, sizeof(*p));

	/* Without a daemon there is nobody to report to. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	fd_close_from(REPORT_FD + 1);
	int r = prepare(p, argc, argv, &err);
	if (r == 0)
		r = pull(p, &err);
	if (r < 0 && err.code == SVM_UNAVAILABLE && !err.hint)
		svm_err_hint(&err, "check the network (https_proxy and "
			     "registries.mirrors are honoured), or bring the "
			     "image from elsewhere: docker save '%.256s' | "
			     "stacyvm image import - --name '%.256s'",
			     argv[3], argv[3]);
	if (r < 0)
		report_error(&err);
	release(p);
	return r < 0 ? 1 : 0;
}
