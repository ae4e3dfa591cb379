/* SPDX-License-Identifier: MIT */
/*
 * Live preview (API.md 7b): a request whose Host is PORT-ID.DOMAIN goes to
 * that port inside that sandbox.
 *
 * What answers is a stranger's program.  Its heads are read by the strict
 * parser and written anew, its bodies are framed anew: nothing it sends can
 * become another answer.  It sees neither keys nor tokens of the API.  Its
 * pages have an origin of their own, which the API refuses (http/edge.c).
 *
 * One connection into the sandbox for each request.  Both directions stop
 * reading when the other side is slow.
 */
#ifndef SVM_DAEMON_PREVIEW_H
#define SVM_DAEMON_PREVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct daemon;
struct http_req;
struct sandbox;

/* http_options.foreign_host: true when the Host is one of ours. */
bool preview_take(struct http_req *r, const char *host, void *app);

/* "3000-sb-7f3a91c2.localhost:7423" into port and id; false for another.
 * Only the name counts, in any case, not the port part. */
bool preview_parse_host(const char *host, const char *domain, int *ret_port,
			char *ret_id, size_t id_size);

/* GET /sandboxes/{id}/preview?port= */
void api_preview(struct http_req *r, void *app);

/*
 * Tokens: who has one may see that port of that sandbox until it expires.
 * EXPIRY.MAC in hexadecimal, the MAC (HMAC-SHA256) by a key that is kept in
 * STATE/preview.key, made when it is first needed.
 */
#define PREVIEW_TOKEN_SIZE 96
int preview_token(struct daemon *d, const char *id, int port,
		  int64_t expires_wall_ns, char out[PREVIEW_TOKEN_SIZE],
		  struct svm_err *err);
bool preview_token_holds(struct daemon *d, const char *id, int port,
			 const char *token);

/* For the test. */
void preview_hmac(const void *key, size_t nkey, const void *text, size_t n,
		  unsigned char out[32]);

/* preview-relay.c: carry one request to the port.  `target` is what to ask
 * for; set_cookie is a line to add to the answer, or NULL. */
void preview_relay(struct http_req *r, struct sandbox *s, int port,
		   const char *target, const char *set_cookie);
/* At shutdown: answers that would never end are broken off, so that nobody
 * waits for them. */
void preview_end_streams(struct daemon *d);

/* preview-request.c: the head of a request as the port may see it: without
 * our keys and cookies, for one hop, framed as the body will be.  True when it
 * asks for another protocol. */
bool preview_request(struct daemon *d, const struct http_req *r,
		     const char *target, struct buf *out);

/* preview-raw.c: two sockets, joined until both directions have ended.  Takes
 * the descriptors, and the bytes that are for each already. */
void preview_join(struct sandbox *s, int client, struct buf *to_port, int port,
		  struct buf *to_client);
void preview_close_all(struct daemon *d); /* at shutdown */

/* Answer with a page that says what is wrong. */
void preview_page(struct http_req *r, int status, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#define PREVIEW_COOKIE "stacyvm_preview"
#define PREVIEW_QUERY "stacyvm_token"

#endif
