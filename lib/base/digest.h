/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 as images name things: "sha256:" and 64 lower-case hex digits.
 * Hashing is libmd's, streaming.
 */
#ifndef SVM_BASE_DIGEST_H
#define SVM_BASE_DIGEST_H

#include <sha2.h>
#include <stdbool.h>
#include <stddef.h>

#define DIGEST_BYTES 32
#define DIGEST_PREFIX "sha256:"
#define DIGEST_TEXT (sizeof(DIGEST_PREFIX) - 1 + 2 * DIGEST_BYTES)

struct digest {
	unsigned char b[DIGEST_BYTES];
};

struct digest_stream {
	SHA2_CTX ctx;
};

void digest_start(struct digest_stream *s);
void digest_update(struct digest_stream *s, const void *p, size_t n);
void digest_finish(struct digest_stream *s, struct digest *ret);

struct digest digest_of(const void *p, size_t n);

/* Exactly "sha256:" + 64 lower-case hex digits, or -EINVAL.  Upper case is
 * refused: one digest has one spelling, and one directory. */
int digest_parse(const char *text, struct digest *ret);
int digest_parse_hex(const char *hex64, struct digest *ret);
void digest_format(const struct digest *d, char out[DIGEST_TEXT + 1]);
/* In a time that does not tell how much of them is the same. */
bool digest_equal(const struct digest *a, const struct digest *b);

#endif
