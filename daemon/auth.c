/* SPDX-License-Identifier: MIT */
/*
 * Who calls.  See auth.h.
 *
 * Keys are compared by their SHA-256: in constant time, whatever the length
 * of what was sent, and the keys themselves are not needed after the start.
 */
#include "daemon/auth.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/bucket.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "lib/api/limits.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

#define PEER_NAME (HTTP_ADDRESS_SIZE + 20)
#define WEAK_KEY 16 /* characters; fewer can be guessed */

/* Kept with the request.  0 is what never was authorized: it sees nothing. */
enum scope { SCOPE_NONE, SCOPE_WRONG, SCOPE_KEY, SCOPE_ADMIN, SCOPE_OPEN };

struct auth {
	bool on, isolate;
	bool has_key, has_admin;
	struct digest key, admin;
	struct buckets *failures; /* wrong keys, per peer */
	struct buckets *rate;     /* NULL: no limit */
};

static bool take_key(const char *name, const char *key, struct digest *ret)
{
	if (!key)
		return false;
	*ret = digest_of(key, strlen(key));
	if (strlen(key) < WEAK_KEY)
		log_warn("%s is shorter than %d characters; "
			 "'openssl rand -hex 32' makes a good one", name,
			 WEAK_KEY);
	return true;
}

struct auth *auth_new(const struct config *c)
{
	struct auth *a = xcalloc(1, sizeof(*a));

	a->on = config_auth_on(c);
	a->isolate = a->on && c->auth_owner_isolation;
	if (a->on) {
		a->has_key = take_key("auth.api_key", c->auth_api_key,
				      &a->key);
		a->has_admin = take_key("auth.admin_api_key",
					c->auth_admin_api_key, &a->admin);
		a->failures = buckets_new(LIMIT_TIME_AUTH_FAILURE,
					  LIMIT_AUTH_FAILURES);
	} else if (c->auth_api_key || c->auth_admin_api_key) {
		log_warn("keys are configured, but auth.enabled: false (%s) "
			 "keeps authentication off",
			 c->origin[CONFIG_ID_auth_enabled]);
	}
	if (c->rate_limit_enabled)
		a->rate = buckets_new(
			SECONDS(60) / c->rate_limit_requests_per_minute,
			(unsigned)c->rate_limit_burst);
	return a;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	buckets_free(a->failures);
	buckets_free(a->rate);
	free(a);
}

bool auth_on(const struct auth *a)
{
	return a->on;
}

int auth_check_owner(const char *owner, struct svm_err *err)
{
	size_t n = strlen(owner);

	if (!n || n > LIMIT_OWNER)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "the owner id has %zu characters, 1 to %d "
				   "are allowed", n, LIMIT_OWNER);
	for (size_t i = 0; i < n; i++)
		if (owner[i] <= ' ' || owner[i] >= 0x7f || owner[i] == '/' ||
		    owner[i] == '\\')
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "the owner id must be printable "
					   "ASCII without spaces, '/' and "
					   "'\\'");
	return 0;
}

/* Which of ours the key is. */
static enum scope scope_of(const struct auth *a, const char *key)
{
	struct digest d = digest_of(key, strlen(key));
	bool is_key = a->has_key & digest_equal(&d, &a->key);
	bool is_admin = a->has_admin & digest_equal(&d, &a->admin);

	return is_admin ? SCOPE_ADMIN : is_key ? SCOPE_KEY : SCOPE_WRONG;
}

static const char *given(const struct http_req *r, const char *header)
{
	const char *v = http_header(r, header);

	return v && *v ? v : NULL;
}

static const char *bearer(const struct http_req *r)
{
	const char *v = given(r, "Authorization");

	if (!v || strncasecmp(v, "Bearer ", 7) != 0)
		return NULL;
	v += 7;
	v += strspn(v, " ");
	return *v ? v : NULL;
}

/* A wrong key is wrong even beside a right one: else the holder of one could
 * guess the other. */
static enum scope scope_of_request(const struct auth *a,
				   const struct http_req *r)
{
	const char *admin = given(r, "X-Admin-API-Key");
	const char *key = given(r, "X-API-Key");
	enum scope scope = SCOPE_NONE;

	if (!a->on || http_peer_is_unix(r))
		return SCOPE_OPEN;
	if (!key)
		key = bearer(r);
	if (key)
		scope = scope_of(a, key);
	if (admin && scope != SCOPE_WRONG)
		scope = scope_of(a, admin) == SCOPE_ADMIN ? SCOPE_ADMIN :
							    SCOPE_WRONG;
	return scope;
}

/* The peer as failures are counted: by address (of IPv6 the network, whose
 * owner has all its addresses), on this machine by user. */
static void peer_name(const struct http_req *r, char out[PEER_NAME])
{
	char address[HTTP_ADDRESS_SIZE];
	struct in6_addr a;
	int uid = (int)http_peer_uid(r);

	http_peer_address(r, address);
	if (uid == -1 && inet_pton(AF_INET6, address, &a) == 1) {
		memset(a.s6_addr + 8, 0, 8);
		(void)inet_ntop(AF_INET6, &a, address, sizeof(address));
	}
	snprintf(out, PEER_NAME, "%s uid=%d", address, uid);
}

static void retry_after(struct http_req *r, int64_t ns)
{
	http_reply_header(r, "Retry-After", "%" PRId64,
			  (ns + SECONDS(1) - 1) / SECONDS(1));
}

static int too_many_failures(struct http_req *r,
			     const struct bucket_state *st,
			     struct svm_err *err)
{
	retry_after(r, st->wait_ns);
	return svm_err_set(err, SVM_RESOURCE_LIMIT,
			   "too many wrong keys came from this address");
}

/* Also a right key has to wait then, or the limit would be none. */
static int check_key(struct auth *a, struct http_req *r, enum scope scope,
		     struct svm_err *err)
{
	static struct log_limit limit;
	struct bucket_state st;
	char peer[PEER_NAME];

	if (scope == SCOPE_OPEN)
		return 0;
	peer_name(r, peer);
	int64_t now = clock_boot_ns();
	if (!bucket_peek(a->failures, peer, now, &st))
		return too_many_failures(r, &st, err);
	if (scope != SCOPE_NONE && scope != SCOPE_WRONG)
		return 0;
	if (scope == SCOPE_WRONG)
		(void)bucket_take(a->failures, peer, now, NULL);
	if (log_limited(&limit, 20))
		log_warn("peer=%s req=%s refused: %s; %s %s", peer,
			 http_request_id(r),
			 scope == SCOPE_WRONG ? "wrong key" : "no key",
			 http_method(r), http_target(r));
	http_reply_header(r, "WWW-Authenticate", "Bearer realm=\"stacyvm\"");
	svm_err_set(err, SVM_UNAUTHORIZED,
		    scope == SCOPE_WRONG ? "the API key is wrong" :
					   "an API key is needed");
	return svm_err_hint(err, "send the header X-API-Key; with the command "
			    "line, set STACYVM_API_KEY");
}

static int check_rate(struct auth *a, const struct daemon *d,
		      struct http_req *r, struct svm_err *err)
{
	struct bucket_state st;
	struct caller c;
	char who[LIMIT_OWNER + 32];

	if (!a->rate)
		return 0;
	auth_caller(d, r, &c);
	snprintf(who, sizeof(who), "%d %d %s", http_scope(r),
		 http_scope(r) == SCOPE_OPEN ? (int)http_peer_uid(r) : 0,
		 c.owner ? c.owner : "");
	bool has = bucket_take(a->rate, who, clock_boot_ns(), &st);
	http_reply_header(r, "X-RateLimit-Limit", "%" PRId64,
			  d->config->rate_limit_requests_per_minute);
	http_reply_header(r, "X-RateLimit-Remaining", "%u", st.left);
	http_reply_header(r, "X-RateLimit-Reset", "%" PRId64,
			  (st.full_ns + SECONDS(1) - 1) / SECONDS(1));
	if (has)
		return 0;
	retry_after(r, st.wait_ns);
	svm_err_set(err, SVM_RESOURCE_LIMIT,
		    "more than %" PRId64 " requests per minute",
		    d->config->rate_limit_requests_per_minute);
	return svm_err_hint(err, "wait as long as Retry-After says, or raise "
			    "rate_limit.requests_per_minute");
}

static int check_admin(const struct auth *a, enum scope scope,
		       struct svm_err *err)
{
	if (scope != SCOPE_KEY)
		return 0;
	svm_err_set(err, SVM_FORBIDDEN, "this needs the admin key");
	return svm_err_hint(err, a->has_admin ?
		"send the header X-Admin-API-Key" :
		"none is configured (auth.admin_api_key); over the unix "
		"socket no key is needed");
}

int auth_authorize(struct http_req *r, const struct http_route *route,
		   void *app, struct svm_err *err)
{
	struct daemon *d = app;
	struct auth *a = d->auth;
	enum scope scope = scope_of_request(a, r);
	const char *owner = given(r, "X-User-ID");

	if (check_key(a, r, scope, err) < 0)
		return -1;
	http_set_scope(r, (unsigned char)scope);
	if (owner && auth_check_owner(owner, err) < 0)
		return svm_err_prefix(err, "X-User-ID");
	if (check_rate(a, d, r, err) < 0)
		return -1;
	return route && route->flags & HTTP_ADMIN ?
		       check_admin(a, scope, err) : 0;
}

void auth_caller(const struct daemon *d, const struct http_req *r,
		 struct caller *ret)
{
	enum scope scope = (enum scope)http_scope(r);
	const char *user = given(r, "X-User-ID");

	*ret = (struct caller){
		.owner = user ? user :
			 scope == SCOPE_KEY ? "api-key" :
			 scope == SCOPE_ADMIN ? "admin" : NULL,
		.named = user != NULL,
		.admin = scope == SCOPE_ADMIN || scope == SCOPE_OPEN,
	};
	ret->all = ret->admin || (scope == SCOPE_KEY && !d->auth->isolate);
	ret->space = !ret->all || (d->auth->isolate && user) ? ret->owner :
							       NULL;
}
