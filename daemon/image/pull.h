/* SPDX-License-Identifier: MIT */
/*
 * The pull worker's own parts.  It is a process of its own, for it speaks
 * with strangers:
 *
 *	pull.c          the program: find the manifest, fetch, report
 *	pull-confine.c  what it can't do any more
 *	registry.c      one request: redirects, authentication, limits
 *	registry-auth.c WWW-Authenticate, tokens, docker's configuration
 *	fetch.c         blobs to files: parallel, resumed, verified
 *	manifest.c      JSON of a registry -> what to fetch
 *
 *	stacyvm __pull DOWNLOADS LAYERS REF STALL_SECONDS
 *		[mirror=[HOST=]URL]... [insecure=HOST]...
 *
 * It reports on fd 3, one JSON object a line:
 *	{"type":"progress","stage":"download","layer","layers","bytes","total"}
 *	{"type":"pulled","manifest":"sha256:...","from":"https://..."}  the last
 *	{"type":"error","code","message","remediation"}             or this
 * Blobs are in DOWNLOADS as "sha256-HEX"; an unfinished one ends in ".part"
 * and is gone on with by the next worker.
 */
#ifndef SVM_DAEMON_IMAGE_PULL_H
#define SVM_DAEMON_IMAGE_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/image/libcurl.h"
#include "lib/base/buf.h"
#include "lib/base/digest.h"
#include "lib/base/err.h"

/* manifest.c: pure. */

struct manifest_blob {
	struct digest digest;
	int64_t size;
};

struct manifest {
	bool is_index;
	struct manifest_blob next;    /* of an index: ours */
	struct manifest_blob config;
	struct manifest_blob *layers; /* bottom first */
	size_t n;
};

int manifest_parse(const struct buf *text, struct manifest *ret,
		   struct svm_err *err);
void manifest_release(struct manifest *m);

/* The DiffIDs a config names, n of them into ret; BAD_REQUEST when it names
 * another number. */
int manifest_diff_ids(const struct buf *config, size_t n, struct digest *ret,
		      struct svm_err *err);

/* registry-auth.c: pure but for reading the file. */

struct challenge {
	bool basic, bearer; /* what the registry takes */
	char *realm, *service, *scope; /* of bearer; NULL when not said */
};

/* The value of one WWW-Authenticate header; may be called for several. */
void challenge_add(struct challenge *c, const char *value);
void challenge_release(struct challenge *c);

struct credentials {
	char *basic;     /* base64 of user:password, or NULL */
	char *elsewhere; /* what has them that we don't ask, or NULL */
};

/* What docker's configuration has for a registry.  None is no error, a file
 * that can't be understood is. */
int credentials_find(const char *text, size_t n, const char *host,
		     struct credentials *ret, struct svm_err *err);
/* The same of $DOCKER_CONFIG/config.json or ~/.docker/config.json. */
int credentials_load(const char *host, struct credentials *ret,
		     struct svm_err *err);
void credentials_release(struct credentials *c);

/* registry.c */

/* A server that has the repository: the registry, or a mirror of it. */
struct registry_server {
	char *base;  /* "https://host[:port][/path]" */
	char *host;  /* as docker's configuration calls it */
	char *path;  /* "library/alpine" */
	bool plain;  /* http is good enough */
	struct credentials credentials;
	char *authorization; /* header for its own origin, or NULL */
	long stall_s;        /* silence that ends a transfer */
	struct buf *ca;      /* certificates instead of the system's, or NULL */
};

/* One GET, with its redirects and authentication. */
struct request {
	struct registry_server *server;
	char *url;           /* where it has got to */
	const char *accept;  /* headers of ours; borrowed, or NULL */
	int64_t from;        /* Range: bytes=from- when > 0 */
	int64_t seconds;     /* for all of it; 0: any time */
	/* Body bytes of a good reply.  -1 with err ends it. */
	int (*take)(struct request *r, const void *p, size_t n,
		    struct svm_err *err);
	void *data;

	/* The reply. */
	long status;
	int64_t range_start;     /* of Content-Range, else -1 */
	char *content_digest;    /* Docker-Content-Digest or NULL */
	struct svm_err err;      /* take()'s */

	/* registry.c's own */
	CURL *easy;
	struct curl_slist *headers;
	struct challenge challenge;
	size_t head;
	unsigned hops, logins;
};

/* suffix: "manifests/latest"; copied. */
void request_init(struct request *r, struct registry_server *s,
		  const char *suffix);
void request_release(struct request *r);

/* For a multi handle: start gives an easy handle ready to be performed; when
 * it is done: 0 good (2xx), 1 start again, -1 with err. */
int request_start(struct request *r, struct svm_err *err);
int request_finish(struct request *r, CURLcode rc, struct svm_err *err);

/* A failure that is worth another try: the connection broke. */
bool request_broke(CURLcode rc);

/* All of it.  Appends to out, TOO_LARGE past max bytes. */
int request_get(struct request *r, size_t max, struct buf *out,
		struct svm_err *err);

/* fetch.c */

struct fetch_report {
	void (*progress)(void *data, size_t layer, size_t layers,
			 int64_t bytes, int64_t total);
	void *data;
};

/* Bring the blobs to the directory.  NULL in want[i]: not needed. */
int fetch_blobs(struct registry_server *s, int dir,
		const struct manifest_blob *const *want, size_t n,
		const struct fetch_report *report, struct svm_err *err);

/* pull-confine.c: give up everything but the network and the directory. */
int pull_confine(int downloads, struct svm_err *err);

#endif
