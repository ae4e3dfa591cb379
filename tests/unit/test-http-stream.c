/* SPDX-License-Identifier: MIT */
/*
 * Streams under load: events to a thousand subscribers, backpressure, a
 * producer thread, the end of the server.  With STRESS=n in the environment
 * the producer test is run n times.
 */
#include "tests/unit/http-fixture.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

static unsigned gone, drains;
static struct http_req *subs[1024];
static unsigned nsubs;

static void on_gone(struct http_req *r)
{
	gone++;
	for (unsigned i = 0; i < nsubs; i++)
		if (subs[i] == r)
			subs[i] = NULL;
}

static void on_drain(struct http_req *r)
{
	(void)r;
	drains++;
}

static void h_sse(struct http_req *r, void *app)
{
	(void)app;
	http_on_gone(r, on_gone);
	http_on_drain(r, on_drain);
	subs[nsubs++ % 1024] = r;
	http_stream_begin(r, 200, "text/event-stream", -1);
}

static void h_file(struct http_req *r, void *app)
{
	(void)app;
	subs[nsubs++ % 1024] = r;
	http_on_gone(r, on_gone);
	http_stream_begin(r, 200, "application/octet-stream", 10);
	http_stream_write(r, "0123456789abcdef", 16);
}

static void h_park(struct http_req *r, void *app)
{
	(void)app;
	subs[nsubs++ % 1024] = r;
}

/* A producer of its own thread, as HTTP.md has it: a bounded, counted queue
 * between it and the loop; the request pointer is the loop's alone. */
enum { BLOCK = 4096, RING = 16, TOTAL = 4 << 20 };

struct producer {
	pthread_mutex_t lock;
	pthread_cond_t room;
	unsigned refs;   /* the thread's, the loop's, the queued post's */
	unsigned filled; /* blocks */
	bool ended, cancelled, posted;
	struct http_req *r;
	struct loop_post post;
};

static unsigned producers_freed;

static void producer_unref(struct producer *p)
{
	pthread_mutex_lock(&p->lock);
	bool last = --p->refs == 0;
	pthread_mutex_unlock(&p->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->room);
	free(p);
	__atomic_add_fetch(&producers_freed, 1, __ATOMIC_SEQ_CST);
}

static void pump(struct producer *p)
{
	static char block[BLOCK];
	bool over = false;

	while (p->r && !over && http_stream_queued(p->r) < LIMIT_QUEUE_HIGH) {
		pthread_mutex_lock(&p->lock);
		bool have = p->filled > 0;
		if (have)
			p->filled--;
		over = !have && p->ended;
		pthread_cond_signal(&p->room);
		pthread_mutex_unlock(&p->lock);
		if (have)
			http_stream_write(p->r, block, sizeof(block));
		else if (!over)
			return;
	}
	if (!over || !p->r)
		return;
	http_stream_end(p->r);
	p->r = NULL;
	producer_unref(p);
}

static void on_post(struct loop_post *post)
{
	struct producer *p = container_of(post, struct producer, post);

	pthread_mutex_lock(&p->lock);
	p->posted = false;
	pthread_mutex_unlock(&p->lock);
	pump(p);
	producer_unref(p);
}

static void post_locked(struct producer *p)
{
	if (p->posted)
		return;
	p->posted = true;
	p->refs++;
	loop_post(fx.loop, &p->post);
}

static void producer_gone(struct http_req *r)
{
	struct producer *p = http_data(r);

	gone++;
	pthread_mutex_lock(&p->lock);
	p->cancelled = true;
	p->r = NULL;
	pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
	producer_unref(p);
}

static void producer_drain(struct http_req *r)
{
	pump(http_data(r));
}

static void *produce_and_post(void *data)
{
	struct producer *p = data;

	for (int i = 0; i < TOTAL / BLOCK; i++) {
		pthread_mutex_lock(&p->lock);
		while (p->filled == RING && !p->cancelled)
			pthread_cond_wait(&p->room, &p->lock);
		if (p->cancelled) {
			pthread_mutex_unlock(&p->lock);
			break;
		}
		p->filled++;
		post_locked(p);
		pthread_mutex_unlock(&p->lock);
	}
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	post_locked(p);
	pthread_mutex_unlock(&p->lock);
	producer_unref(p);
	return NULL;
}

static void h_produce(struct http_req *r, void *app)
{
	struct producer *p = xcalloc(1, sizeof(*p));
	pthread_t t;

	(void)app;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->room, NULL);
	p->refs = 2;
	p->r = r;
	p->post.fn = on_post;
	http_set_data(r, p);
	http_on_gone(r, producer_gone);
	http_on_drain(r, producer_drain);
	http_stream_begin(r, 200, "application/x-ndjson", -1);
	assert_int_equal(pthread_create(&t, NULL, produce_and_post, p), 0);
	pthread_detach(t);
}

static const struct http_route routes[] = {
	{ "GET", "/events", 0, 0, h_sse },
	{ "GET", "/file", 0, 0, h_file },
	{ "GET", "/park", 0, 0, h_park },
	{ "GET", "/produce", 0, 0, h_produce },
	{ NULL, NULL, 0, 0, NULL },
};

static int setup(void **state)
{
	const struct http_options o = { .routes = routes };

	(void)state;
	gone = drains = nsubs = 0;
	memset(subs, 0, sizeof(subs));
	fixture_start(&o);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop();
	return 0;
}

#define H "Host: localhost\r\n"

static int subscribe(void)
{
	int fd = dial(UNIX);

	put_str(fd, "GET /events HTTP/1.1\r\n" H "\r\n");
	return fd;
}

static void test_http_stream__a_blob_for_a_thousand(void **state)
{
	enum { N = 1000, EVENTS = 50 };
	static int fds[N];
	static const char event[] = "id: 1\ndata: {\"type\":\"x\"}\n\n";
	struct rlimit rl;
	size_t total = 0;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_cur < 2 * N + 100) {
		print_message("skipped: RLIMIT_NOFILE is only %llu\n",
			      (unsigned long long)rl.rlim_cur);
		skip();
	}
	for (int i = 0; i < N; i++) {
		fds[i] = subscribe();
		turn(0);
	}
	for (int64_t end = now_ms() + 30000; nsubs < N && now_ms() < end;)
		turn(1);
	assert_int_equal(nsubs, N);
	int64_t start = now_ms();
	for (int e = 0; e < EVENTS; e++) {
		struct http_blob *b = http_blob_new(event, sizeof(event) - 1);

		for (int i = 0; i < N; i++)
			http_stream_write_blob(subs[i], b);
		http_blob_unref(b);
		turn(0);
	}
	print_message("%d subscribers x %d events in %lld ms\n", N, EVENTS,
		      (long long)(now_ms() - start));
	for (int i = 0; i < N; i++) {
		auto_buf struct buf b = BUF_INIT;
		const char *p;

		get_now(fds[i], &b);
		p = b.data;
		for (int e = 0; e < EVENTS; e++) {
			p = memmem(p, b.len - (size_t)(p - b.data), event,
				   sizeof(event) - 1);
			assert_non_null(p);
			assert_memory_equal(p - 4, "1a\r\n", 4);
			p += sizeof(event) - 1;
			assert_memory_equal(p, "\r\n", 2);
			total++;
		}
		close(fds[i]);
	}
	assert_int_equal(total, N * EVENTS);
	for (int64_t end = now_ms() + 30000; gone < N && now_ms() < end;)
		turn(1);
	assert_int_equal(gone, N);
}

/* Blobs queued for many slow readers are in memory once. */
static void test_http_stream__blobs_are_shared(void **state)
{
	enum { N = 40 };
	static char big[60000];
	int fds[N];

	(void)state;
	memset(big, 'e', sizeof(big));
	for (int i = 0; i < N; i++) {
		fds[i] = subscribe();
		turn(1);
	}
	turns(20);
	assert_int_equal(nsubs, N);
	size_t before = mallinfo2().uordblks;
	size_t queued = 0;
	for (int e = 0; e < 8; e++) {
		struct http_blob *b = http_blob_new(big, sizeof(big));

		for (int i = 0; i < N; i++)
			queued = http_stream_write_blob(subs[i], b);
		http_blob_unref(b);
	}
	assert_true(queued > 100000);
	assert_true(mallinfo2().uordblks - before < 9 * sizeof(big));
	/* What arrives is whole, although it was sent in parts. */
	auto_buf struct buf got = BUF_INIT;
	for (int64_t end = now_ms() + 30000;
	     got.len < 8 * sizeof(big) && now_ms() < end;)
		get_until(fds[3], &got, NULL, 1);
	const char *p = memmem(got.data, got.len, "ea60\r\n", 6);
	for (int e = 0; e < 8; e++) {
		assert_memory_equal(p, "ea60\r\n", 6);
		assert_memory_equal(p + 6, big, sizeof(big));
		p += 6 + sizeof(big) + 2;
	}
	assert_true(drains > 0);
	for (int i = 0; i < N; i++)
		close(fds[i]);
}

static void test_http_stream__length_is_kept(void **state)
{
	auto_close int fd = dial(TCP), fd2 = dial(TCP);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_str(fd, "GET /file HTTP/1.1\r\n" H "\r\n");
	get_until(fd, &b, "\r\n\r\n0123456789", 30000);
	assert_has(&b, "Content-Length: 10\r\n");
	assert_has(&b, "\r\n\r\n0123456789");
	assert_has_not(&b, "9abc");
	assert_has_not(&b, "chunked");
	http_stream_end(subs[0]);
	put_str(fd, "GET /file HTTP/1.1\r\n" H "\r\n");
	buf_clear(&b);
	assert_int_equal(get_until(fd, &b, "9", 30000), GOT_MORE);
	assert_int_equal(gone, 0);
}

/* To a HEAD a stream ends with its head; the handler hears "gone". */
static void test_http_stream__head_of_a_stream(void **state)
{
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_str(fd, "HEAD /events HTTP/1.1\r\n" H "\r\n"
		"HEAD /events HTTP/1.1\r\n" H "\r\n");
	for (int64_t end = now_ms() + 30000; gone < 2 && now_ms() < end;)
		get_until(fd, &b, NULL, 1);
	assert_int_equal(gone, 2);
	get_until(fd, &b, NULL, 5);
	assert_int_equal(nsubs, 2);
	assert_has(&b, "\r\n\r\nHTTP/1.1 200 OK\r\n");
}

static void test_http_stream__limit(void **state)
{
	static int fds[LIMIT_HTTP_STREAMS];
	auto_close int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;
	struct http_counts counts;

	(void)state;
	for (int i = 0; i < LIMIT_HTTP_STREAMS; i++) {
		fds[i] = dial(UNIX);
		put_str(fds[i], "GET /file HTTP/1.1\r\n" H "\r\n");
		turn(0);
	}
	for (int64_t end = now_ms() + 30000;
	     nsubs < LIMIT_HTTP_STREAMS && now_ms() < end;)
		turn(1);
	put_str(fd, "GET /file HTTP/1.1\r\n" H "\r\n");
	get_until(fd, &b, "RESOURCE_LIMIT", 30000);
	assert_has(&b, "429 Too Many Requests");
	assert_has(&b, "Retry-After: 1\r\n");
	for (int64_t end = now_ms() + 30000; !gone && now_ms() < end;)
		turn(1);
	assert_int_equal(gone, 1);
	for (int i = 0; i < LIMIT_HTTP_STREAMS; i++)
		close(fds[i]);
	for (int64_t end = now_ms() + 30000; now_ms() < end;) {
		turn(1);
		http_server_counts(fx.server, &counts);
		if (!counts.streams)
			break;
	}
	assert_int_equal(counts.streams, 0);
}

/* A thread that produces while the loop sends: all of it arrives, whoever
 * was faster, and a client that leaves stops the thread. */

static void one_production(bool leave)
{
	int fd = dial(UNIX);
	auto_buf struct buf b = BUF_INIT;
	unsigned freed = producers_freed;
	size_t total = 0;
	enum got g;

	put_str(fd, "GET /produce HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	int64_t end = now_ms() + 20000;
	do {
		turn(1);
		buf_clear(&b);
		g = get_now(fd, &b);
		total += b.len;
		if (leave && total > TOTAL / 2)
			break;
	} while (g == GOT_MORE && now_ms() < end);
	close(fd);
	if (!leave) {
		assert_int_equal(g, GOT_EOF);
		assert_true(total >= TOTAL + TOTAL / BLOCK * 8);
	}
	while (__atomic_load_n(&producers_freed, __ATOMIC_SEQ_CST) == freed &&
	       now_ms() < end)
		turn(1);
	assert_true(now_ms() < end);
}

static void test_http_stream__producer_thread_on_one_core(void **state)
{
	const char *stress = getenv("STRESS");
	int runs = stress ? atoi(stress) : 4;
	cpu_set_t one, before;

	(void)state;
	sched_getaffinity(0, sizeof(before), &before);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &before)) {
			CPU_SET(i, &one);
			break;
		}
	sched_setaffinity(0, sizeof(one), &one); /* threads inherit it */
	for (int i = 0; i < runs; i++)
		one_production(i % 4 == 3);
	sched_setaffinity(0, sizeof(before), &before);
}

/* The end. */

static void stopped(void *data)
{
	*(bool *)data = true;
}

static void test_http_stream__shutdown(void **state)
{
	auto_close int idle = dial(UNIX), busy = dial(UNIX);
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT;
	bool done = false;

	(void)state;
	put_str(busy, "GET /park HTTP/1.1\r\n" H "\r\n");
	turns(10);
	assert_int_equal(nsubs, 1);
	http_server_shutdown(fx.server, stopped, &done);
	assert_int_equal(get_until(idle, &a, NULL, 30000), GOT_EOF);
	assert_int_equal(a.len, 0);
	assert_false(done);
	assert_true(fd_unix_connect(fx.dirfd, "sock", SOCK_STREAM) < 0);
	http_reply_bytes(subs[0], 200, "text/plain", "last", 4);
	assert_int_equal(get_until(busy, &b, NULL, 30000), GOT_EOF);
	assert_has(&b, "Connection: close\r\n");
	assert_has(&b, "\r\n\r\nlast");
	close(busy);
	busy = -1;
	for (int64_t end = now_ms() + 30000; !done && now_ms() < end;)
		turn(1);
	assert_true(done);
}

#define T(name)                                                              \
	cmocka_unit_test_setup_teardown(test_http_stream__##name, setup, \
					teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_blob_for_a_thousand),
		T(blobs_are_shared),
		T(length_is_kept),
		T(head_of_a_stream),
		T(limit),
		T(producer_thread_on_one_core),
		T(shutdown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
