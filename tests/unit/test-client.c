/* SPDX-License-Identifier: MIT */
/* The client against daemons that are well, slow, silent, mad or dead. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/client/client.h"

/* A daemon that reads one request and says exactly this, piece by piece. */
struct fake {
	char dir[32];
	char *server;
	int listener;
	pthread_t thread;
	const char *const *pieces; /* NULL-terminated */
	bool hold;                 /* keep the connection until released */
	int release[2];
	char request[4096];
	bool last_was_cut;         /* the client hung up while we wrote */
};

static void *serve(void *arg)
{
	struct fake *f = arg;
	auto_close int fd = accept(f->listener, NULL, NULL);
	size_t n = 0;
	char byte;

	while (n < sizeof(f->request) - 1) {
		ssize_t k = read(fd, f->request + n,
				 sizeof(f->request) - 1 - n);

		if (k <= 0)
			break;
		n += (size_t)k;
		if (strstr(f->request, "\r\n\r\n"))
			break;
	}
	for (const char *const *p = f->pieces; *p; p++)
		if (send(fd, *p, strlen(*p), MSG_NOSIGNAL) < 0)
			f->last_was_cut = true;
	if (f->hold)
		(void)!read(f->release[0], &byte, 1);
	return NULL;
}

static void fake_start(struct fake *f, const char *const *pieces, bool hold)
{
	memset(f, 0, sizeof(*f));
	strncpy(f->dir, "/tmp/svm-client-XXXXXX", sizeof(f->dir) - 1);
	assert_non_null(mkdtemp(f->dir));
	f->server = xasprintf("unix:%s/s", f->dir);
	f->pieces = pieces;
	f->hold = hold;
	assert_int_equal(pipe(f->release), 0);
	auto_free char *path = xasprintf("%s/s", f->dir);

	f->listener = fd_unix_listen(-100, path, SOCK_STREAM, 8);
	assert_true(f->listener >= 0);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void fake_end(struct fake *f)
{
	auto_free char *path = xasprintf("%s/s", f->dir);

	assert_int_equal(write(f->release[1], "x", 1), 1);
	pthread_join(f->thread, NULL);
	close(f->listener);
	close(f->release[0]);
	close(f->release[1]);
	unlink(path);
	rmdir(f->dir);
	free(f->server);
}

static struct client *connect_to(const struct fake *f, int64_t ms, int cancel)
{
	const struct client_options o = {
		.server = f->server,
		.deadline_ns = ms ? clock_boot_ns() + ms * 1000000 : 0,
		.cancel_fd = cancel,
		.api_key = "secret",
	};
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct client *c = client_new(&o, &err);

	assert_non_null(c);
	return c;
}

/* What one call makes of these bytes: the code (SVM_OK: fine). */
static enum svm_code call(const char *const *pieces, struct buf *body,
			  struct svm_err *err)
{
	struct fake f;

	fake_start(&f, pieces, false);
	struct client *c = connect_to(&f, 5000, -1);
	int r = client_call(c, "GET", "/x", NULL, body, err);

	assert_int_equal(r < 0, err->code != SVM_OK);
	client_free(c);
	fake_end(&f);
	return err->code;
}

#define PIECES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_client__reads_replies(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(call(PIECES("HTTP/1.1 200 OK\r\nContent-Le",
				     "ngth: 5\r\n\r\nhe", "llo"), &b, &err),
			 SVM_OK);
	assert_string_equal(buf_str(&b), "hello");
	buf_clear(&b);
	assert_int_equal(call(PIECES("HTTP/1.1 102 Processing\r\n\r\n",
				     "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
				     "chunked\r\n\r\n3\r\nab", "c\r\n2\r\nde\r",
				     "\n0\r\nX-Exit-Code: 1\r\n\r\n"),
			      &b, &err), SVM_OK);
	assert_string_equal(buf_str(&b), "abcde");
	buf_clear(&b);
	assert_int_equal(call(PIECES("HTTP/1.1 200 OK\r\nConnection: close"
				     "\r\n\r\nuntil close"), &b, &err),
			 SVM_OK);
	assert_string_equal(buf_str(&b), "until close");
}

static void test_client__takes_the_daemons_words(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	static const char body[] =
		"HTTP/1.1 404 Not Found\r\nContent-Length: 73\r\n\r\n"
		"{\"code\":\"FILE_NOT_FOUND\",\"message\":\"no such file\","
		"\"remediation\":\"look\"}   ";

	(void)state;
	assert_int_equal(call(PIECES(body), NULL, &err), SVM_FILE_NOT_FOUND);
	assert_string_equal(err.msg, "no such file");
	assert_string_equal(err.hint, "look");
	svm_err_release(&err);
	assert_int_equal(call(PIECES("HTTP/1.1 502 Bad Gateway\r\n"
				     "Content-Length: 6\r\n\r\n<html>"),
			      NULL, &err), SVM_PROVIDER);
	assert_non_null(strstr(err.msg, "502"));
}

static void test_client__survives_garbage(void **state)
{
	static const struct {
		const char *bytes;
		enum svm_code code;
	} cases[] = {
		{ "", SVM_UNREACHABLE },
		{ "SSH-2.0-OpenSSH\r\n\r\n", SVM_PROVIDER },
		{ "HTTP/1.1 200 OK\r\nContent-Le", SVM_PROVIDER },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		  SVM_UNREACHABLE },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		  SVM_UNREACHABLE },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		  SVM_PROVIDER },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2"
		  "\r\n\r\nab", SVM_PROVIDER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		auto_buf struct buf b = BUF_INIT;

		if (call(PIECES(cases[i].bytes), &b, &err) != cases[i].code)
			fail_msg("case %zu: %s: %s", i,
				 svm_code_name(err.code), err.msg);
	}
}

static void test_client__gives_up_on_silence(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct fake f;

	(void)state;
	fake_start(&f, PIECES("HTTP/1.1 200 OK\r\n"), true);
	struct client *c = connect_to(&f, 50, -1);

	assert_int_equal(client_call(c, "GET", "/x", NULL, NULL, &err), -1);
	assert_int_equal(err.code, SVM_TIMEOUT);
	client_free(c);
	fake_end(&f);
}

static void test_client__is_interruptible(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct fake f;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	fake_start(&f, PIECES("HTTP/1.1 200 OK\r\n"), true);
	struct client *c = connect_to(&f, 0, p[0]);

	assert_int_equal(client_call(c, "GET", "/x", NULL, NULL, &err), -1);
	assert_int_equal(err.code, SVM_CANCELLED);
	assert_int_equal(err.sys_errno, EINTR);
	client_free(c);
	fake_end(&f);
	close(p[0]);
	close(p[1]);
}

static void test_client__sends_key_and_host(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct fake f;

	(void)state;
	fake_start(&f, PIECES("HTTP/1.1 204 No Content\r\n\r\n"), false);
	struct client *c = connect_to(&f, 5000, -1);

	assert_int_equal(client_call(c, "DELETE", "/x?a=b", NULL, NULL, &err),
			 0);
	client_free(c);
	fake_end(&f);
	assert_int_equal(strncmp(f.request, "DELETE /x?a=b HTTP/1.1\r\n", 24),
			 0);
	assert_non_null(strstr(f.request, "\r\nHost: localhost\r\n"));
	assert_non_null(strstr(f.request, "\r\nX-API-Key: secret\r\n"));
}

static void test_client__splits_lines(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct fake f;
	bool end;
	size_t n;

	(void)state;
	fake_start(&f, PIECES("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
			      "one\n\n\ntw", "o\nthree"), false);
	struct client *c = connect_to(&f, 5000, -1);
	struct exchange *x = exchange_new(c, "GET", "/", CLIENT_NO_BODY, &err);

	assert_non_null(x);
	assert_int_equal(exchange_reply(x, &err), 0);
	assert_string_equal(exchange_line(x, true, &n, &end, &err), "one");
	assert_string_equal(exchange_line(x, true, &n, &end, &err), "two");
	assert_null(exchange_line(x, true, &n, &end, &err));
	assert_true(end);
	exchange_free(x);
	client_free(c);
	fake_end(&f);
}

static void test_client__stops_an_upload_that_was_answered(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	auto_free char *block = xcalloc(1, 65536);
	struct fake f;
	int r = 0;

	(void)state;
	fake_start(&f, PIECES("HTTP/1.1 413 Content Too Large\r\n"
			      "Content-Length: 0\r\n\r\n"), true);
	struct client *c = connect_to(&f, 5000, -1);
	struct exchange *x = exchange_new(c, "PUT", "/", CLIENT_CHUNKED, &err);

	assert_non_null(x);
	for (int i = 0; i < 1000 && r == 0; i++)
		r = exchange_send(x, block, 65536, &err);
	assert_int_equal(r, 1);
	assert_int_equal(exchange_reply(x, &err), -1);
	assert_non_null(strstr(err.msg, "413"));
	exchange_free(x);
	client_free(c);
	fake_end(&f);
}

/* A part of a file: asked for as such, and told how much there is. */
static void test_client__ranges(void **state)
{
	static const struct {
		const char *header;
		int64_t whole;
	} cases[] = {
		{ "Content-Range: bytes 5-9/1234\r\n", 1234 },
		{ "Content-Range: bytes 5-9/9000000000000\r\n",
		  INT64_C(9000000000000) },
		{ "Content-Range: bytes 5-9/*\r\n", -1 },
		{ "Content-Range: bytes\r\n", -1 },
		{ "Content-Range: bytes 5-9/99999999999999999999\r\n", -1 },
		{ "Content-Range: bytes 5-9/-4\r\n", -1 },
		{ "", 5 }, /* all of it came instead */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct fake f;

		fake_start(&f, PIECES("HTTP/1.1 206 Partial Content\r\n",
				      cases[i].header,
				      "Content-Length: 5\r\n\r\n56789"),
			   false);
		struct client *c = connect_to(&f, 5000, -1);
		struct exchange *x = exchange_new_range(c, "/f", 5, 9, &err);
		char body[8];

		assert_non_null(x);
		assert_int_equal(exchange_reply(x, &err), 0);
		assert_int_equal(exchange_whole(x), cases[i].whole);
		assert_int_equal(exchange_read(x, body, sizeof(body), &err),
				 5);
		assert_non_null(strstr(f.request, "\r\nRange: bytes=5-9\r\n"));
		exchange_free(x);
		client_free(c);
		fake_end(&f);
	}
}

static void no_message(void *data, enum ws_kind kind, const void *p, size_t n)
{
	(void)data, (void)kind, (void)p, (void)n;
	fail_msg("a message from nowhere");
}

static void test_client__wants_a_real_websocket(void **state)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct fake f;

	(void)state;
	fake_start(&f, PIECES("HTTP/1.1 101 Switching Protocols\r\n"
			      "Connection: Upgrade\r\nUpgrade: websocket\r\n"
			      "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="
			      "\r\n\r\n"), false);
	struct client *c = connect_to(&f, 5000, -1);

	assert_null(ws_open(c, "/ws", no_message, NULL, &err));
	assert_int_equal(err.code, SVM_PROVIDER);
	client_free(c);
	fake_end(&f);
}

static void test_client__checks_server_names(void **state)
{
	static const char *const bad[] = {
		"https://x", "ftp://x", "relative/path", "http://",
		"http://:80", "http://h:123456", "http://h:x", "http://[::1",
		"http://h/api",
	};
	static const char *const good[] = {
		"unix:/a/b", "/a/b", "http://localhost", "http://[::1]:80",
		"http://h:1/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad) + ARRAY_SIZE(good); i++) {
		bool want = i >= ARRAY_SIZE(bad);
		const struct client_options o = {
			.server = want ? good[i - ARRAY_SIZE(bad)] : bad[i],
			.cancel_fd = -1,
		};
		auto_err struct svm_err err = SVM_ERR_INIT;
		struct client *c = client_new(&o, &err);

		if (!c == want)
			fail_msg("%s", o.server);
		client_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client__reads_replies),
		cmocka_unit_test(test_client__takes_the_daemons_words),
		cmocka_unit_test(test_client__survives_garbage),
		cmocka_unit_test(test_client__gives_up_on_silence),
		cmocka_unit_test(test_client__is_interruptible),
		cmocka_unit_test(test_client__sends_key_and_host),
		cmocka_unit_test(test_client__splits_lines),
		cmocka_unit_test(
			test_client__stops_an_upload_that_was_answered),
		cmocka_unit_test(test_client__wants_a_real_websocket),
		cmocka_unit_test(test_client__checks_server_names),
		cmocka_unit_test(test_client__ranges),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
