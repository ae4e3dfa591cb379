/* SPDX-License-Identifier: MIT */
/*
 * The main of a fuzz target where there is no libFuzzer.
 *
 *	replay-NAME [-m SECONDS] [-s SEED] CORPUS
 *
 * Runs every input of the directory; with -m it then mutates them for so
 * long.  The mutator is simple on purpose: it needs no instrumentation, so
 * gcc with its sanitizers is enough, and a seed gives the same inputs again.
 * An input is written to crash-PID below $TMPDIR before a mutant of it is
 * tried, so it is still there when the target dies.  The targets assert what
 * they promise; nothing is judged here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define INPUT_MAX ((size_t)64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct corpus {
	struct buf *inputs;
	size_t count;
};

/* Where the input being tried can be found after a crash. */
struct witness {
	char *path;
	uint8_t *map; /* a size_t, then the bytes */
};

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static size_t random_below(size_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return n ? (random_state * UINT64_C(2685821657736338717) >> 11) % n : 0;
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "replay: %s: %s\n", what, strerror(error));
	exit(2);
}

static void load(struct corpus *c, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir)
		fail(path, errno);
	while ((e = readdir(dir))) {
		struct buf in = BUF_INIT;
		int r;

		if (e->d_name[0] == '.')
			continue;
		r = fd_slurp_path(dirfd(dir), e->d_name, INPUT_MAX, &in);
		if (r < 0)
			fail(e->d_name, -r);
		c->inputs = xreallocarray(c->inputs, c->count + 1,
					  sizeof(*c->inputs));
		c->inputs[c->count++] = in;
	}
	closedir(dir);
}

/* In a block of exactly its size, so that a sanitizer sees a byte too far. */
static void try_input(const uint8_t *data, size_t size)
{
	uint8_t *exact = xmemdup(data, size);

	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void witness_open(struct witness *w)
{
	const char *tmp = getenv("TMPDIR");
	size_t size = sizeof(size_t) + INPUT_MAX;
	int fd;

	w->path = xasprintf("%s/crash-%d", tmp ? tmp : "/tmp", (int)getpid());
	fd = open(w->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		fail(w->path, errno);
	w->map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (w->map == MAP_FAILED)
		fail("mmap", errno);
	close(fd);
}

/* One small change of data in place; the new size. */
static size_t mutate(uint8_t *data, size_t size, const struct buf *other)
{
	static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, '\n', '\r', '"',
				       '\\', '/', '.', '%', '-', ' ', '*', ',' };
	size_t at = random_below(size + 1), n = 1 + random_below(16);

	switch (random_below(6)) {
	case 0:
		if (size)
			data[at % size] ^= (uint8_t)(1u << random_below(8));
		return size;
	case 1:
		if (size)
			data[at % size] = odd[random_below(sizeof(odd))];
		return size;
	case 2: /* insert */
		n = MIN(n, INPUT_MAX - size);
		memmove(data + at + n, data + at, size - at);
		for (size_t i = 0; i < n; i++)
			data[at + i] = (uint8_t)random_below(256);
		return size + n;
	case 3: /* remove */
		n = MIN(n, size - at);
		memmove(data + at, data + at + n, size - at - n);
		return size - n;
	case 4: /* repeat what is here */
		n = MIN(MIN(n * 8, size - at), INPUT_MAX - size);
		memmove(data + at + n, data + at, size - at);
		return size + n;
	default: /* the rest of another input */
		n = random_below(other->len + 1);
		n = MIN(n, INPUT_MAX - at);
		if (n)
			memcpy(data + at, other->data + other->len - n, n);
		return at + n;
	}
}

static uint64_t fuzz(const struct corpus *c, int64_t seconds)
{
	int64_t end = clock_mono_ns() + seconds * INT64_C(1000000000);
	struct witness w;
	uint64_t runs = 0;

	witness_open(&w);
	while (clock_mono_ns() < end) {
		const struct buf *in = &c->inputs[random_below(c->count)];
		uint8_t *data = w.map + sizeof(size_t);
		size_t size = in->len, changes = 1 + random_below(8);

		if (size)
			memcpy(data, in->data, size);
		while (changes--)
			size = mutate(data, size,
				      &c->inputs[random_below(c->count)]);
		memcpy(w.map, &size, sizeof(size));
		try_input(data, size);
		runs++;
	}
	unlink(w.path);
	free(w.path);
	munmap(w.map, sizeof(size_t) + INPUT_MAX);
	return runs;
}

int main(int argc, char **argv)
{
	struct corpus c = { 0 };
	int64_t seconds = 0;
	uint64_t runs;
	int opt;

	while ((opt = getopt(argc, argv, "m:s:")) != -1) {
		if (opt == 'm')
			seconds = strtoll(optarg, NULL, 10);
		else if (opt == 's')
			random_state = strtoull(optarg, NULL, 10) | 1;
		else
			return 2;
	}
	if (argc != optind + 1) {
		fputs("usage: replay [-m SECONDS] [-s SEED] CORPUS\n", stderr);
		return 2;
	}
	load(&c, argv[optind]);
	if (!c.count) {
		fprintf(stderr, "replay: no input in %s\n", argv[optind]);
		return 2;
	}
	for (size_t i = 0; i < c.count; i++)
		try_input((const uint8_t *)c.inputs[i].data, c.inputs[i].len);
	runs = seconds ? fuzz(&c, seconds) : 0;
	printf("%zu inputs, %llu mutants\n", c.count, (unsigned long long)runs);
	for (size_t i = 0; i < c.count; i++)
		buf_release(&c.inputs[i]);
	free(c.inputs);
	return 0;
}
