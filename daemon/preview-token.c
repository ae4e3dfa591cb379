/* SPDX-License-Identifier: MIT */
/* Tokens for previews.  See preview.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/preview.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/base/rand.h"

#define BLOCK 64 /* of SHA-256 */
#define KEY_BYTES 32

/* RFC 2104. */
void preview_hmac(const void *key, size_t nkey, const void *text, size_t n,
		  unsigned char out[32])
{
	unsigned char pad[BLOCK] = { 0 };
	struct digest_stream s;
	struct digest d;

	if (nkey > BLOCK) {
		d = digest_of(key, nkey);
		memcpy(pad, d.b, sizeof(d.b));
	} else {
		memcpy(pad, key, nkey);
	}
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	digest_start(&s);
	digest_update(&s, pad, BLOCK);
	digest_update(&s, text, n);
	digest_finish(&s, &d);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	digest_start(&s);
	digest_update(&s, pad, BLOCK);
	digest_update(&s, d.b, sizeof(d.b));
	digest_finish(&s, &d);
	memcpy(out, d.b, sizeof(d.b));
	explicit_bzero(pad, sizeof(pad));
}

/* Read or made; the same for as long as the state directory is. */
static int key_of(struct daemon *d, struct buf *key, struct svm_err *err)
{
	auto_free char *path = path_join(d->dirs.state, "preview.key");
	unsigned char fresh[KEY_BYTES];
	int r = fd_slurp_path(AT_FDCWD, path, KEY_BYTES, key);

	if (r == 0 && key->len == KEY_BYTES)
		return 0;
	if (r < 0 && r != -ENOENT)
		return svm_err_sys(err, SVM_INTERNAL, r, "can't read %s",
				   path);
	rand_bytes(fresh, sizeof(fresh));
	r = fd_replace_path(AT_FDCWD, path, fresh, sizeof(fresh), 0600);
	if (r < 0)
		return svm_err_sys(err, SVM_INTERNAL, r, "can't write %s",
				   path);
	buf_clear(key);
	buf_add(key, fresh, sizeof(fresh));
	explicit_bzero(fresh, sizeof(fresh));
	return 0;
}

static int sign(struct daemon *d, const char *id, int port, int64_t seconds,
		char out[PREVIEW_TOKEN_SIZE], struct svm_err *err)
{
	auto_buf struct buf key = BUF_INIT, text = BUF_INIT;
	unsigned char mac[32];
	size_t at;

	if (key_of(d, &key, err) < 0)
		return -1;
	buf_addf(&text, "%s|%d|%lld", id, port, (long long)seconds);
	preview_hmac(key.data, key.len, text.data, text.len, mac);
	explicit_bzero(key.data, key.len);
	at = (size_t)snprintf(out, PREVIEW_TOKEN_SIZE, "%llx.",
			      (unsigned long long)seconds);
	for (size_t i = 0; i < sizeof(mac); i++)
		at += (size_t)snprintf(out + at, PREVIEW_TOKEN_SIZE - at,
				       "%02x", mac[i]);
	return 0;
}

int preview_token(struct daemon *d, const char *id, int port,
		  int64_t expires_wall_ns, char out[PREVIEW_TOKEN_SIZE],
		  struct svm_err *err)
{
	return sign(d, id, port, expires_wall_ns / 1000000000, out, err);
}

bool preview_token_holds(struct daemon *d, const char *id, int port,
			 const char *token)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	char wanted[PREVIEW_TOKEN_SIZE];
	unsigned long long seconds;
	size_t n = strlen(token);
	unsigned differs = 0;
	char *end;

	if (n >= PREVIEW_TOKEN_SIZE || strspn(token, "0123456789abcdef.") != n)
		return false;
	errno = 0;
	seconds = strtoull(token, &end, 16);
	if (errno || *end != '.' || seconds > INT64_MAX ||
	    (int64_t)seconds <= clock_wall_ns() / 1000000000 ||
	    sign(d, id, port, (int64_t)seconds, wanted, &err) < 0 ||
	    strlen(wanted) != n)
		return false;
	/* In constant time. */
	for (size_t i = 0; i < n; i++)
		differs |= (unsigned)(wanted[i] ^ token[i]);
	return differs == 0;
}
