/* SPDX-License-Identifier: MIT */
/*
 * What an attacker or a broken client sends: malformed and smuggling
 * requests, foreign hosts and origins, floods of connections, readers that
 * never read.
 */
#include "tests/unit/http-fixture.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static unsigned handled, gone;
static struct http_req *parked;

static void h_ok(struct http_req *r, void *app)
{
	(void)app;
	handled++;
	http_reply_bytes(r, 200, "text/plain", "ok", 2);
}

static void on_gone(struct http_req *r)
{
	gone++;
	if (parked == r)
		parked = NULL;
}

static void h_stream(struct http_req *r, void *app)
{
	(void)app;
	parked = r;
	http_on_gone(r, on_gone);
	http_stream_begin(r, 200, "application/x-ndjson", -1);
}

static const struct http_route routes[] = {
	{ "GET", "/ok", 0, 0, h_ok },
	{ "POST", "/ok", 0, 0, h_ok },
	{ "GET", "/stream", 0, 0, h_stream },
	{ "GET", "/ws", HTTP_WS, 0, h_ok },
	{ NULL, NULL, 0, 0, NULL },
};

static char *const allowed[] = { (char *)"box.example", NULL };

static int setup(void **state)
{
	const struct http_options o = { .routes = routes,
					.allowed_hosts = allowed };

	(void)state;
	handled = gone = 0;
	parked = NULL;
	fixture_start(&o);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop();
	return 0;
}

/* Everything until the server closes, or 60 ms of silence. */
static enum got ask(enum transport t, const char *req, size_t n,
		    struct buf *b)
{
	auto_close int fd = dial(t);
	enum got g = GOT_MORE;
	size_t before;

	put(fd, req, n);
	do {
		before = b->len;
		g = get_until(fd, b, NULL, 60);
	} while (g == GOT_MORE && b->len != before);
	return g;
}

/* Each is refused with this status, the connection is closed without a
 * reset, and nothing behind it is taken for a request. */
#define H "Host: localhost\r\n"
#define SMUGGLED "GET /ok HTTP/1.1\r\n" H "\r\n"
#define R(s, status) { s SMUGGLED, sizeof(s SMUGGLED) - 1, status }

static const struct {
	const char *text;
	size_t n;
	int status;
} hostile[] = {
	R("GET /ok HTTP/1.1\n" H "\n", 400),
	R("GET /ok HTTP/1.1\r\nHost: localhost\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\r\n" H "\r\n", 400),
	R("GET /ok HTTP/1.1\r\n" H "X: a\rGET /ok\r\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\n" H "X: a\0b\r\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\n X: a\r\n" H "\r\n", 400),
	R("GET /ok HTTP/1.1\r\n" H "X : a\r\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\n" H ": a\r\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\n" H "X\r\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\n" H H "\r\n", 400),
	R("GET /ok HTTP/1.1\r\nHost: a@localhost\r\n\r\n", 400),
	R("GET /ok HTTP/1.1\r\nHost: local host\r\n\r\n", 400),
	R("GET /ok HTTP/2.0\r\n" H "\r\n", 505),
	R("GET /ok HTTP/1.1 x\r\n" H "\r\n", 400),
	R("GET  /ok HTTP/1.1\r\n" H "\r\n", 400),
	R("GET /ok\r\n\r\n", 400),
	R("GET ok HTTP/1.1\r\n" H "\r\n", 400),
	R("GET ../ok HTTP/1.1\r\n" H "\r\n", 400),
	R("CONNECT localhost:1 HTTP/1.1\r\n" H "\r\n", 400),
	R("GET https://localhost/ok HTTP/1.1\r\n" H "\r\n", 400),
	R("GET http://evil/ok HTTP/1.1\r\n" H "\r\n", 400),
	R("\r\n\r\nGET /ok HTTP/1.1\r\n" H "\r\n", 400),
	R("\x16\x03\x01\x02", 400),
	R("POST /ok HTTP/1.1\r\n" H "Content-Length: 0\r\n"
	  "Content-Length: 44\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Content-Length: 0, 0\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Content-Length: +0\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Content-Length: 0x0\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Content-Length: 18446744073709551616\r\n"
	  "\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Content-Length: 3\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
	  "Content-Length: 3\r\n\r\n0\r\n\r\n", 400),
	R("POST /ok HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	  "0\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n"
	  "0\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n",
	  400),
	R("POST /ok HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n"
	  "\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n"
	  "0\r\n\r\n", 501),
	R("POST /ok HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
	  "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Transfer-Encoding:\x0b" "chunked\r\n\r\n"
	  "0\r\n\r\n", 400),
	R("POST /ok HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n"
	  "0\r\n\r\n", 400),
	/* Chunks. */
#define C "POST /ok HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
	R(C "g\r\n", 400),
	R(C "-1\r\nx\r\n0\r\n\r\n", 400),
	R(C "0x1\r\nx\r\n0\r\n\r\n", 400),
	R(C "1 \r\nx\r\n0\r\n\r\n", 400),
	R(C "1\nx\r\n0\r\n\r\n", 400),
	R(C "1\r\nxx\r\n0\r\n\r\n", 400),
	R(C "1\r\nx\n0\r\n\r\n", 400),
	R(C "1;a\nb\r\nx\r\n0\r\n\r\n", 400),
	R(C "10000000000000001\r\nx\r\n0\r\n\r\n", 400),
	R(C "0\r\nX-Trailer: no\r\n\r\n", 400),
	/* Expectations. */
	R("POST /ok HTTP/1.1\r\n" H "Expect: miracles\r\n"
	  "Content-Length: 1\r\n\r\nx", 417),
};

static void test_http_hostile__refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		for (int t = UNIX; t <= TCP; t++) {
			auto_buf struct buf b = BUF_INIT;
			auto_free char *want = xasprintf("HTTP/1.1 %d ",
							hostile[i].status);
			unsigned before = handled;
			enum got g = ask(t, hostile[i].text, hostile[i].n,
					 &b);

			if (g != GOT_EOF || before != handled ||
			    strncmp(buf_str(&b), want, strlen(want)) != 0)
				fail_msg("%zu: '%.120s': got %d, '%.200s'", i,
					 hostile[i].text, g, buf_str(&b));
			assert_has(&b, "Connection: close\r\n");
			assert_has(&b, "\"code\":\"");
			assert_has(&b, "\"request_id\":\"");
		}
	}
}

static void test_http_hostile__too_long(void **state)
{
	auto_buf struct buf req = BUF_INIT, b = BUF_INIT, c = BUF_INIT;
	auto_buf struct buf d = BUF_INIT;

	(void)state;
	buf_addstr(&req, "GET /");
	for (int i = 0; i < 40000; i++)
		buf_addch(&req, 'a');
	assert_int_equal(ask(TCP, req.data, req.len, &b), GOT_EOF);
	assert_has(&b, "414 URI Too Long");
	buf_clear(&req);
	buf_addstr(&req, "GET /ok HTTP/1.1\r\n" H);
	for (int i = 0; i < 63; i++)
		buf_addf(&req, "X-%d: y\r\n", i);
	size_t full = req.len;
	buf_addstr(&req, "\r\n");
	ask(UNIX, req.data, req.len, &c);
	assert_has(&c, "200 OK");
	buf_truncate(&req, full);
	buf_addstr(&req, "One-More: y\r\n\r\n");
	assert_int_equal(ask(TCP, req.data, req.len, &d), GOT_EOF);
	assert_has(&d, "431 Request Header Fields Too Large");
}

static void test_http_hostile__host_and_origin(void **state)
{
	static const struct {
		const char *head, *want;
	} cases[] = {
		{ "GET /ok HTTP/1.1\r\nHost: localhost:7423\r\n", "200" },
		{ "GET /ok HTTP/1.1\r\nHost: LOCALHOST\r\n", "200" },
		{ "GET /ok HTTP/1.1\r\nHost: 127.0.0.1\r\n", "200" },
		{ "GET /ok HTTP/1.1\r\nHost: [::1]:7423\r\n", "200" },
		{ "GET /ok HTTP/1.1\r\nHost: box.example:80\r\n", "200" },
		{ "GET /ok HTTP/1.1\r\nHost: evil.example\r\n", "403" },
		{ "GET /ok HTTP/1.1\r\nHost: localhost.evil\r\n", "403" },
		{ "GET /ok HTTP/1.1\r\nHost: \r\n", "403" },
		{ "GET /ok HTTP/1.1\r\nHost: [::1\r\n", "403" },
		{ "GET /ok HTTP/1.0\r\n", "403" },
		{ "POST /ok HTTP/1.1\r\n" H "Origin: http://localhost:1\r\n",
		  "200" },
		{ "POST /ok HTTP/1.1\r\n" H "Origin: http://box.example\r\n",
		  "200" },
		{ "POST /ok HTTP/1.1\r\n" H "Origin: http://evil\r\n", "403" },
		{ "POST /ok HTTP/1.1\r\n" H "Origin: null\r\n", "403" },
		{ "POST /ok HTTP/1.1\r\n" H
		  "Origin: http://80-sb-1.localhost:7423\r\n", "403" },
		{ "GET /ok HTTP/1.1\r\n" H "Origin: http://evil\r\n", "200" },
		{ "GET /ws HTTP/1.1\r\n" H "Origin: http://evil\r\n"
		  "Connection: upgrade\r\nUpgrade: websocket\r\n", "403" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_buf struct buf b = BUF_INIT;
		auto_free char *req = xasprintf("%s\r\n", cases[i].head);
		auto_free char *want = xasprintf("HTTP/1.1 %s ",
						cases[i].want);

		ask(TCP, req, strlen(req), &b);
		if (strncmp(buf_str(&b), want, strlen(want)) != 0)
			fail_msg("'%s': '%.100s'", req, buf_str(&b));
	}
}

/* Another uid on the same machine.  The child is a process of its own: it
 * blocks while we turn the loop. */
static void stranger(int port, bool close_at_once, int report)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static const char req[] = "POST /ok HTTP/1.1\r\n" H "\r\n";
	char reply[512] = "";
	int fd;

	if (setgid(65534) < 0 || setuid(65534) < 0)
		_exit(1);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		_exit(1);
	(void)!write(fd, req, sizeof(req) - 1);
	if (close_at_once)
		close(fd);
	else
		(void)!read(fd, reply, sizeof(reply) - 1);
	(void)!write(report, reply, strlen(reply));
	_exit(0);
}

static void one_stranger(bool close_at_once, struct buf *reply)
{
	int pipefd[2], status;
	int64_t end = now_ms() + 30000;

	assert_int_equal(pipe(pipefd), 0);
	pid_t pid = fork();
	if (pid == 0)
		stranger(fx.port, close_at_once, pipefd[1]);
	close(pipefd[1]);
	if (close_at_once) /* it is gone before we accept */
		assert_int_equal(waitpid(pid, &status, 0), pid);
	do
		turn(1);
	while (!close_at_once && waitpid(pid, &status, WNOHANG) == 0 &&
	       now_ms() < end);
	turns(20);
	assert_int_equal(status, 0);
	assert_true(fd_slurp(pipefd[0], 4096, reply) >= 0);
	close(pipefd[0]);
}

static void test_http_hostile__another_user(void **state)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT, c = BUF_INIT;

	(void)state;
	if (!unit_has_other_ids()) {
		print_message("skipped: needs root to become another user\n");
		skip();
	}
	ask(TCP, "GET /ok HTTP/1.1\r\n" H "\r\n",
	    strlen("GET /ok HTTP/1.1\r\n" H "\r\n"), &a);
	assert_has(&a, "200 OK"); /* ourselves */
	assert_int_equal(handled, 1);
	one_stranger(false, &b);
	assert_has(&b, "403 Forbidden");
	assert_has(&b, "belongs to another user");
	one_stranger(true, &c);
	assert_int_equal(handled, 1);
}

/* A stream nobody reads costs one bounded queue. */
static void test_http_hostile__stalled_reader(void **state)
{
	static char block[16384];
	auto_close int fd = dial(UNIX);
	struct mallinfo2 before = mallinfo2();
	size_t queued = 0;

	(void)state;
	put_str(fd, "GET /stream HTTP/1.1\r\n" H "\r\n");
	turns(5);
	assert_non_null(parked);
	for (int i = 0; i < 1000 && queued < LIMIT_QUEUE_HIGH; i++) {
		queued = http_stream_write(parked, block, sizeof(block));
		turn(0);
	}
	assert_true(queued >= LIMIT_QUEUE_HIGH);
	assert_true(queued < LIMIT_QUEUE_HIGH + 2 * sizeof(block));
	size_t grown = mallinfo2().uordblks - before.uordblks;
	assert_true(grown < LIMIT_QUEUE_HIGH + KIB(64));
	/* And a client that asks and asks without reading is not read. */
	auto_close int fd2 = dial(UNIX);
	size_t sent = 0;
	before = mallinfo2();
	for (int i = 0; i < 200000; i++) {
		static const char req[] = "GET /ok HTTP/1.1\r\n" H "\r\n";
		ssize_t n = send(fd2, req, sizeof(req) - 1,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			turn(0);
			if (sent == handled)
				break;
			sent = handled;
		}
	}
	grown = mallinfo2().uordblks - before.uordblks;
	assert_true(grown < KIB(400));
}

/* Not even that is told to more than a few at once, who may all linger. */
static void crowd(void)
{
	auto_buf struct buf b = BUF_INIT;
	struct http_counts counts;
	int fds[80];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial(UNIX);
	turns(20);
	http_server_counts(fx.server, &counts);
	assert_int_equal(counts.connections, LIMIT_HTTP_CONNECTIONS + 64);
	assert_int_equal(get_now(fds[ARRAY_SIZE(fds) - 1], &b), GOT_EOF);
	assert_int_equal(b.len, 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

static void test_http_hostile__idle_connections(void **state)
{
	enum { WANT = LIMIT_HTTP_CONNECTIONS };
	struct rlimit rl;
	static int fds[WANT];
	struct http_counts counts;
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_cur < 2 * WANT + 400 && rl.rlim_max >= 2 * WANT + 400) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (rl.rlim_cur < 2 * WANT + 400) {
		print_message("skipped: RLIMIT_NOFILE is only %llu\n",
			      (unsigned long long)rl.rlim_cur);
		skip();
	}
	size_t before = mallinfo2().uordblks;
	for (int i = 0; i < WANT; i++) {
		fds[i] = dial(UNIX);
		if (i % 256 == 255)
			turn(0), turn(0), turn(0), turn(0), turn(0);
	}
	turns(20);
	http_server_counts(fx.server, &counts);
	assert_int_equal(counts.connections, WANT);
	size_t each = (mallinfo2().uordblks - before) / WANT;
	print_message("%zu bytes per idle connection\n", each);
	assert_true(each <= 320);
	/* One over the limit is told so. */
	auto_close int fd = dial(UNIX);
	put_str(fd, "GET /ok HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(get_until(fd, &b, NULL, 30000), GOT_EOF);
	assert_has(&b, "503 Service Unavailable");
	assert_int_equal(handled, 0);
	crowd();
	for (int i = 0; i < WANT; i++)
		close(fds[i]);
	for (int64_t end = now_ms() + 30000; now_ms() < end;) {
		turn(1);
		http_server_counts(fx.server, &counts);
		if (counts.connections <= 1) /* the one that lingers */
			break;
	}
	assert_true(counts.connections <= 1);
}

/* Out of descriptors the server refuses, rests, and comes back. */
static void test_http_hostile__out_of_descriptors(void **state)
{
	auto_buf struct buf b = BUF_INIT, c = BUF_INIT;
	auto_close int first = dial(UNIX), later = dial(UNIX);
	int fill[256], n = 0;
	struct rlimit rl, low;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &rl);
	low = rl;
	low.rlim_cur = 200;
	setrlimit(RLIMIT_NOFILE, &low);
	while (n < 256 && (fill[n] = dup(first)) >= 0)
		n++;
	turn(1);
	assert_int_equal(get_now(first, &b), GOT_EOF);
	/* Resting: what waits in the backlog doesn't spin the loop. */
	int64_t start = now_ms();
	turn(30);
	turn(30);
	assert_true(now_ms() - start >= 30);
	while (n)
		close(fill[--n]);
	setrlimit(RLIMIT_NOFILE, &rl);
	put_str(later, "GET /ok HTTP/1.1\r\n" H "\r\n");
	get_until(later, &c, "ok", 30000);
	assert_has(&c, "200 OK");
}

#define T(name) \
	cmocka_unit_test_setup_teardown(test_http_hostile__##name, setup, \
					teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(refused),
		T(too_long),
		T(host_and_origin),
		T(another_user),
		T(stalled_reader),
		T(idle_connections),
		T(out_of_descriptors),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
