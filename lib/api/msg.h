/* SPDX-License-Identifier: MIT */
/*
 * Fields of a payload: little endian integers and length-prefixed bytes.  The
 * reader is for hostile input: it never reads past the end, and once a field
 * did not fit every later one reads as zero and msg_ok() is false.
 */
#ifndef SVM_API_MSG_H
#define SVM_API_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

void msg_add_u16(struct buf *b, uint16_t v);
void msg_add_u32(struct buf *b, uint32_t v);
void msg_add_u64(struct buf *b, uint64_t v);
void msg_add_bytes(struct buf *b, const void *p, size_t n); /* u32 length */
void msg_add_str(struct buf *b, const char *s);             /* NULL: "" */
void msg_add_strv(struct buf *b, char *const *v);           /* u32 count */

struct msg_reader {
	const unsigned char *p;
	size_t left;
	bool bad;
};

static inline struct msg_reader msg_reader(const void *data, size_t n)
{
	return (struct msg_reader){ data, n, false };
}

uint16_t msg_u16(struct msg_reader *r);
uint32_t msg_u32(struct msg_reader *r);
uint64_t msg_u64(struct msg_reader *r);

/* Borrowed from the input. */
const void *msg_bytes(struct msg_reader *r, size_t max, size_t *ret_n);

/* Owned; a string with a NUL inside or over max bytes makes the reader bad,
 * and NULL is returned then. */
char *msg_str(struct msg_reader *r, size_t max);
char **msg_strv(struct msg_reader *r, size_t max_count, size_t max_each);

static inline bool msg_ok(const struct msg_reader *r)
{
	return !r->bad;
}

#endif
