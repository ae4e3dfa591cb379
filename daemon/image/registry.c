/* SPDX-License-Identifier: MIT */
/*
 * One request to a registry.  libcurl moves the bytes; redirects and
 * authentication are ours, because who gets to see the credentials is decided
 * here: the Authorization header goes to the registry's own origin and the
 * password to the realm it names, both only over TLS unless the registry is
 * one for which plain HTTP was allowed.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/image/pull.h"
#include "lib/api/limits.h"
#include "lib/base/defs.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/urlenc.h"

#define AGENT "stacyvm/" SVM_VERSION

/* Where a small reply goes. */
struct text_sink {
	struct buf *out;
	size_t max;
};

/* URLs. */

/* "https://host:port" of a URL, owned; NULL when it is none, or one with a
 * password in it. */
static char *origin_of(const char *url)
{
	CURLU *u = lc.curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;
	char *origin = NULL;

	if (u && lc.curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    lc.curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    lc.curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    lc.curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
		    CURLUE_OK &&
	    lc.curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER)
		origin = xasprintf("%s://%s:%s", scheme, host, port);
	lc.curl_free(scheme);
	lc.curl_free(host);
	lc.curl_free(port);
	lc.curl_free(user);
	lc.curl_url_cleanup(u);
	return origin;
}

static bool same_origin(const char *a, const char *b)
{
	auto_free char *x = origin_of(a), *y = origin_of(b);

	return x && y && strcasecmp(x, y) == 0;
}

static int check_url(const struct registry_server *s, const char *url,
		     struct svm_err *err)
{
	auto_free char *origin = origin_of(url);

	if (origin && (strncmp(origin, "https://", 8) == 0 ||
		       (s->plain && strncmp(origin, "http://", 7) == 0)))
		return 0;
	return svm_err_set(err, SVM_PROVIDER,
			   "the registry sends us to '%.200s', which is not "
			   "https", url);
}

/* The transfer. */

void request_init(struct request *r, struct registry_server *s,
		  const char *suffix)
{
	*r = (struct request){ .server = s, .range_start = -1 };
	r->url = xasprintf("%s/v2/%s/%s", s->base, s->path, suffix);
}

static void forget_reply(struct request *r)
{
	if (r->easy)
		lc.curl_easy_cleanup(r->easy);
	lc.curl_slist_free_all(r->headers);
	r->easy = NULL;
	r->headers = NULL;
	free(r->content_digest);
	r->content_digest = NULL;
	r->range_start = -1;
	r->status = 0;
	r->head = 0;
	challenge_release(&r->challenge);
}

void request_release(struct request *r)
{
	if (!r->server) /* never begun */
		return;
	forget_reply(r);
	free(r->url);
	svm_err_release(&r->err);
	r->server = NULL;
	r->url = NULL;
}

static char *header_value(const char *line, size_t n, const char *name)
{
	size_t len = strlen(name);

	if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0)
		return NULL;
	line += len + 1;
	n -= len + 1;
	while (n && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	while (n && strchr(" \t\r\n", line[n - 1]))
		n--;
	return xstrndup(line, n);
}

static size_t on_header(char *line, size_t one, size_t n, void *data)
{
	struct request *r = data;
	auto_free char *range = NULL, *ask = NULL;
	char *digest;

	(void)one;
	r->head += n;
	if (r->head > LIMIT_REGISTRY_HEAD)
		return 0;
	if (n > 5 && strncmp(line, "HTTP/", 5) == 0)
		challenge_release(&r->challenge);
	ask = header_value(line, n, "WWW-Authenticate");
	if (ask)
		challenge_add(&r->challenge, ask);
	digest = header_value(line, n, "Docker-Content-Digest");
	if (digest) {
		free(r->content_digest);
		r->content_digest = digest;
	}
	range = header_value(line, n, "Content-Range");
	if (range && strncasecmp(range, "bytes ", 6) == 0)
		r->range_start = strtoll(range + 6, NULL, 10);
	return n;
}

static bool is_good(long status)
{
	return status == 200 || status == 206;
}

static size_t on_data(char *p, size_t one, size_t n, void *data)
{
	struct request *r = data;

	(void)one;
	if (!r->status)
		lc.curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE,
				     &r->status);
	/* The body of an error says nothing that we would repeat. */
	if (!is_good(r->status))
		return n;
	return !r->err.code && r->take(r, p, n, &r->err) == 0 ? n : 0;
}

static void add_header(struct request *r, const char *line)
{
	struct curl_slist *more =
		lc.curl_slist_append(r->headers, line);

	if (more)
		r->headers = more;
}

static void set_limits(struct request *r, CURL *e)
{
	const struct registry_server *s = r->server;

	lc.curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR,
			    s->plain ? "http,https" : "https");
	lc.curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	lc.curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	lc.curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	lc.curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	lc.curl_easy_setopt(e, CURLOPT_SSLVERSION,
			    (long)CURL_SSLVERSION_TLSv1_2);
	lc.curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, s->stall_s);
	lc.curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT,
			    (long)LIMIT_REGISTRY_SPEED);
	lc.curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, s->stall_s);
	lc.curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)r->seconds);
	if (s->ca) {
		struct curl_blob blob = { s->ca->data, s->ca->len,
					  CURL_BLOB_NOCOPY };

		lc.curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &blob);
	}
}

int request_start(struct request *r, struct svm_err *err)
{
	auto_free char *range = NULL;

	if (check_url(r->server, r->url, err) < 0)
		return -1;
	forget_reply(r);
	CURL *e = r->easy = lc.curl_easy_init();
	if (!e)
		return svm_err_set(err, SVM_INTERNAL, "no transfer");
	set_limits(r, e);
	lc.curl_easy_setopt(e, CURLOPT_URL, r->url);
	lc.curl_easy_setopt(e, CURLOPT_PRIVATE, r);
	lc.curl_easy_setopt(e, CURLOPT_USERAGENT, AGENT);
	lc.curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	lc.curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
	lc.curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
	lc.curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
	if (r->accept)
		add_header(r, r->accept);
	if (r->server->authorization && same_origin(r->url, r->server->base))
		add_header(r, r->server->authorization);
	if (r->from > 0) {
		range = xasprintf("Range: bytes=%lld-", (long long)r->from);
		add_header(r, range);
	}
	lc.curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
	return 0;
}

/* Authentication. */

static int no_access(struct request *r, struct svm_err *err)
{
	const struct registry_server *s = r->server;

	svm_err_set(err, SVM_UNAVAILABLE,
		    "'%s' does not let us have '%s': %s", s->host, s->path,
		    s->credentials.basic ?
			    "it refuses the user and password of docker's "
			    "configuration" :
			    "it asks for a user and a password, or there is no "
			    "such repository");
	if (s->credentials.elsewhere)
		return svm_err_hint(err, "docker's configuration keeps the "
				    "password in %s, which is not asked: put "
				    "it into 'auths' (docker login without a "
				    "credsStore)", s->credentials.elsewhere);
	return svm_err_hint(err, "check the name; for a private one: docker "
			    "login %s", s->host);
}

static int take_text(struct request *r, const void *p, size_t n,
		     struct svm_err *err)
{
	const struct text_sink *to = r->data;

	if (to->out->len + n > to->max)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "'%.200s' is larger than %zu bytes", r->url,
				   to->max);
	buf_add(to->out, p, n);
	return 0;
}

static char *token_url(const struct challenge *c,
		       const struct registry_server *s)
{
	auto_buf struct buf url = BUF_INIT;
	auto_free char *scope = c->scope ? xstrdup(c->scope) :
				xasprintf("repository:%s:pull", s->path);

	buf_addstr(&url, c->realm);
	buf_addstr(&url, strchr(c->realm, '?') ? "&scope=" : "?scope=");
	urlenc_encode(&url, scope, strlen(scope));
	if (c->service) {
		buf_addstr(&url, "&service=");
		urlenc_encode(&url, c->service, strlen(c->service));
	}
	return buf_steal(&url);
}

static bool is_header_text(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static int read_token(const struct buf *text, struct registry_server *s,
		      struct svm_err *err)
{
	auto_json struct json_doc doc = JSON_DOC_INIT;
	const char *token = "";

	if (json_parse_object(&doc, buf_str(text), text->len, err) < 0 ||
	    json_get_string(doc.root, "access_token", &token, err) < 0 ||
	    json_get_string(doc.root, "token", &token, err) < 0)
		return svm_err_prefix(err, "the reply of the registry's token "
					   "service");
	if (!*token || !is_header_text(token))
		return svm_err_set(err, SVM_PROVIDER,
				   "the token service of '%s' gave no token",
				   s->host);
	free(s->authorization);
	s->authorization = xasprintf("Authorization: Bearer %s", token);
	return 0;
}

/* The password goes to the realm, as docker does it: the registry is trusted
 * to name a good one, but not one that can be listened to. */
static int get_token(struct request *r, struct svm_err *err)
{
	struct registry_server *s = r->server;
	struct registry_server realm = { .base = r->challenge.realm,
					 .host = s->host, .path = s->path,
					 .plain = s->plain,
					 .stall_s = s->stall_s, .ca = s->ca };
	auto_buf struct buf text = BUF_INIT;
	struct request ask = { .server = &realm, .range_start = -1,
			       /* once: a realm that asks back is a game */
			       .logins = LIMIT_REGISTRY_LOGINS,
			       .url = token_url(&r->challenge, s) };
	if (s->credentials.basic)
		realm.authorization = xasprintf("Authorization: Basic %s",
						s->credentials.basic);
	int rc = request_get(&ask, LIMIT_REGISTRY_TOKEN, &text, err);

	if (rc < 0 && (ask.status == 401 || ask.status == 403)) {
		svm_err_release(err);
		no_access(r, err);
	}
	request_release(&ask);
	free(realm.authorization);
	return rc < 0 ? -1 : read_token(&text, s, err);
}

/* 401: get what it asks for and try once more. */
static int log_in(struct request *r, struct svm_err *err)
{
	struct registry_server *s = r->server;
	const struct challenge *c = &r->challenge;

	if (r->logins++ >= LIMIT_REGISTRY_LOGINS ||
	    !same_origin(r->url, s->base))
		return no_access(r, err);
	if (c->bearer && c->realm)
		return get_token(r, err) < 0 ? -1 : 1;
	if (!c->basic || !s->credentials.basic)
		return no_access(r, err);
	free(s->authorization);
	s->authorization = xasprintf("Authorization: Basic %s",
				     s->credentials.basic);
	return 1;
}

static int redirect(struct request *r, struct svm_err *err)
{
	char *to = NULL;

	lc.curl_easy_getinfo(r->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to)
		return svm_err_set(err, SVM_PROVIDER,
				   "'%.200s' redirects to nowhere", r->url);
	if (r->hops++ >= LIMIT_REGISTRY_HOPS)
		return svm_err_set(err, SVM_PROVIDER,
				   "'%.200s' redirects in circles", r->url);
	char *next = xstrdup(to);
	free(r->url);
	r->url = next;
	return 1;
}

/* The end of one transfer. */

bool request_broke(CURLcode rc)
{
	return rc == CURLE_PARTIAL_FILE || rc == CURLE_RECV_ERROR ||
	       rc == CURLE_SEND_ERROR || rc == CURLE_GOT_NOTHING ||
	       rc == CURLE_OPERATION_TIMEDOUT || rc == CURLE_HTTP2 ||
	       rc == CURLE_HTTP2_STREAM;
}

static int transport_error(struct request *r, CURLcode rc,
			   struct svm_err *err)
{
	if (r->err.code)
		return svm_err_move(err, &r->err);
	if (r->head > LIMIT_REGISTRY_HEAD)
		return svm_err_set(err, SVM_TOO_LARGE,
				   "'%.200s' sends endless headers", r->url);
	svm_err_set(err, SVM_UNAVAILABLE, "can't get '%.200s': %s", r->url,
		    rc == CURLE_OPERATION_TIMEDOUT ?
			    "the server does not answer, or too slowly" :
			    lc.curl_easy_strerror(rc));
	if (rc == CURLE_PEER_FAILED_VERIFICATION)
		svm_err_hint(err, "install the certificate of its authority, "
			     "or name it in $SSL_CERT_FILE of the daemon");
	if (rc == CURLE_SSL_CONNECT_ERROR)
		svm_err_hint(err, "a registry without TLS has to be named in "
			     "registries.insecure");
	return -1;
}

static int status_error(struct request *r, struct svm_err *err)
{
	if (r->status == 404)
		return svm_err_set(err, SVM_NOT_FOUND,
				   "the registry has no '%.200s'", r->url);
	if (r->status == 429)
		return svm_err_set(err, SVM_UNAVAILABLE,
				   "'%s' has had enough of us for now (429): "
				   "try later, or with docker login",
				   r->server->host);
	return svm_err_set(err, r->status >= 500 ? SVM_UNAVAILABLE :
						   SVM_PROVIDER,
			   "'%.200s' answers with the status %ld", r->url,
			   r->status);
}

int request_finish(struct request *r, CURLcode rc, struct svm_err *err)
{
	if (rc != CURLE_OK)
		return transport_error(r, rc, err);
	lc.curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &r->status);
	if (is_good(r->status))
		return 0;
	if (r->status == 401)
		return log_in(r, err);
	if (r->status == 301 || r->status == 302 || r->status == 303 ||
	    r->status == 307 || r->status == 308)
		return redirect(r, err);
	if (r->status == 403)
		return no_access(r, err);
	return status_error(r, err);
}

int request_get(struct request *r, size_t max, struct buf *out,
		struct svm_err *err)
{
	struct text_sink to = { out, max };
	int again = 1;

	r->take = take_text;
	r->data = &to;
	r->seconds = LIMIT_TIME_REGISTRY / SECONDS(1);
	while (again > 0) {
		buf_clear(out);
		if (request_start(r, err) < 0)
			return -1;
		again = request_finish(r, lc.curl_easy_perform(r->easy), err);
	}
	return again;
}
