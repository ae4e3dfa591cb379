/* SPDX-License-Identifier: MIT */
/* The client object: which daemon, how to reach it, how long to wait. */
#include "lib/client/client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "lib/client/conn.h"

#define COMM_MAX 64

#define DEFAULT_PORT "7423"

/* host:port, host, [v6]:port, with or without a path after it. */
static int parse_http(struct client *c, const char *text, struct svm_err *err)
{
	const char *host = text, *end, *port = DEFAULT_PORT;
	size_t rest = strcspn(text, "/");
	size_t port_len = strlen(port);

	if (text[0] == '[') {
		host++;
		end = strchr(host, ']');
		if (!end || end > text + rest)
			goto bad;
		text = end + 1;
	} else {
		end = text + strcspn(text, ":/");
		text = end;
	}
	if (*text == ':') {
		port = text + 1;
		port_len = strspn(port, "0123456789");
		text = port + port_len;
	}
	if (end == host || port_len == 0 || port_len > 5 ||
	    strcmp(text + (*text == '/'), "") != 0)
		goto bad;
	c->host = xstrndup(host, (size_t)(end - host));
	c->port = xstrndup(port, port_len);
	c->name = xasprintf(strchr(c->host, ':') ? "http://[%s]:%s" :
						   "http://%s:%s",
			    c->host, c->port);
	return 0;
bad:
	svm_err_set(err, SVM_BAD_REQUEST,
		    "cannot use server '%s': not unix:/path or "
		    "http://host:port", host);
	return -1;
}

static int parse_server(struct client *c, const char *server,
			struct svm_err *err)
{
	if (!server || !server[0]) {
		c->unix_path = xstrdup(c->dirs.socket);
	} else if (strncmp(server, "http://", 7) == 0) {
		return parse_http(c, server + 7, err);
	} else if (strncmp(server, "https://", 8) == 0) {
		svm_err_set(err, SVM_UNSUPPORTED,
			    "cannot use server '%s': https is not supported",
			    server);
		return svm_err_hint(err, "tunnel to it and use "
					 "http://localhost:PORT");
	} else {
		if (strncmp(server, "unix:", 5) == 0)
			server += 5;
		if (strncmp(server, "///", 3) == 0)
			server += 2;
		if (server[0] != '/')
			return svm_err_set(err, SVM_BAD_REQUEST,
					   "cannot use server '%s': not "
					   "unix:/path or http://host:port",
					   server);
		c->unix_path = xstrdup(server);
		c->autostart = false;
	}
	c->name = xasprintf("unix:%s", c->unix_path);
	return 0;
}

/* What a header can't carry must not be left out: then somebody else would be
 * acted for. */
static int check_header(const char *what, const char *s, struct svm_err *err)
{
	for (; s && *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return svm_err_set(err, SVM_BAD_REQUEST, "%s holds a "
					   "control character", what);
	return 0;
}

static int take_identity(struct client *c, const char *key,
			 struct svm_err *err)
{
	const char *owner = getenv("STACYVM_USER_ID");

	c->api_key = xstrdup(key);
	c->owner = owner && *owner ? xstrdup(owner) : NULL;
	return check_header("the API key", key, err) < 0 ||
	       check_header("STACYVM_USER_ID", owner, err) < 0 ? -1 : 0;
}

struct client *client_new(const struct client_options *o, struct svm_err *err)
{
	struct client *c = xcalloc(1, sizeof(*c));
	const char *no = getenv("STACYVM_NO_AUTOSTART");
	const char *server = o->server ? o->server : getenv("STACYVM_SERVER");

	c->idle_fd = -1;
	c->cancel_fd = o->cancel_fd;
	c->deadline_ns = o->deadline_ns;
	c->autostart = o->autostart && !(no && no[0] && strcmp(no, "0") != 0);
	c->on_started = o->on_started;
	c->on_starting = o->on_starting;
	c->on_wait = o->on_wait;
	c->data = o->data;
	dirs_init(&c->dirs);
	if (take_identity(c, o->api_key, err) < 0 ||
	    parse_server(c, server, err) < 0) {
		client_free(c);
		return NULL;
	}
	return c;
}

void client_set_owner(struct client *c, const char *owner)
{
	free(c->owner);
	c->owner = xstrdup(owner);
}

void client_free(struct client *c)
{
	if (!c)
		return;
	dirs_release(&c->dirs);
	free(c->unix_path);
	free(c->host);
	free(c->port);
	free(c->name);
	free(c->owner);
	if (c->api_key)
		mem_free_secret(c->api_key, strlen(c->api_key));
	fd_close(c->idle_fd);
	free(c);
}

void client_set_cancel_fd(struct client *c, int fd)
{
	c->cancel_fd = fd;
}

void client_set_deadline(struct client *c, int64_t boot_ns)
{
	c->deadline_ns = boot_ns;
}

bool client_starts(const struct client *c)
{
	return c->autostart && c->unix_path;
}

pid_t client_peer(const struct client *c)
{
	auto_free char *path = xasprintf("/proc/%d/comm", (int)c->peer);
	auto_buf struct buf comm = BUF_INIT;

	/* Whoever made the socket may be gone, or a service manager. */
	if (c->peer && fd_slurp_path(AT_FDCWD, path, COMM_MAX, &comm) == 0 &&
	    strcmp(buf_str(&comm), "stacyvm\n") == 0)
		return c->peer;
	return 0;
}

const char *client_server_name(const struct client *c)
{
	return c->name;
}

/* Told from a "no" at a prompt by its errno. */
static int client_interrupted(struct svm_err *err)
{
	svm_err_set(err, SVM_CANCELLED, "interrupted");
	err->sys_errno = EINTR;
	return -1;
}

static int client_late(struct svm_err *err)
{
	return svm_err_set(err, SVM_TIMEOUT,
			   "the daemon did not finish in time");
}

/* For poll(2), until a time; 0: for ever. */
static int until_ms(int64_t at_ns)
{
	int64_t left = at_ns - clock_boot_ns();

	if (!at_ns)
		return -1;
	return left <= 0 ? 0 : (int)MIN(left / 1000000 + 1,
					(int64_t)INT32_MAX);
}

int client_left_ms(const struct client *c)
{
	return until_ms(c->deadline_ns);
}

int client_check(struct client *c, struct svm_err *err)
{
	struct pollfd p = { .fd = c->cancel_fd, .events = POLLIN };

	if (c->cancel_fd >= 0 && poll(&p, 1, 0) > 0)
		return client_interrupted(err);
	if (c->deadline_ns && clock_boot_ns() > c->deadline_ns)
		return client_late(err);
	return 0;
}

int client_wait(struct client *c, int fd, short events, struct svm_err *err)
{
	struct pollfd p[2] = { { .fd = fd, .events = events },
			       { .fd = c->cancel_fd, .events = POLLIN } };

	for (;;) {
		int left = client_left_ms(c);

		if (left == 0)
			return client_late(err);
		int again = c->on_wait ? until_ms(c->on_wait(c->data)) : -1;

		if (again >= 0 && (left < 0 || again < left))
			left = again;
		int r = poll(p, 2, left);

		if (r < 0 && errno != EINTR)
			return svm_err_sys(err, SVM_INTERNAL, errno, "poll");
		if (r <= 0)
			continue;
		if (p[1].revents)
			return client_interrupted(err);
		if (p[0].revents)
			return p[0].revents;
	}
}

int client_unix_connect(const char *path)
{
	auto_free char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	auto_close int dirfd = -1;

	if (!slash || !slash[1])
		return -ENOENT;
	*slash = '\0';
	dirfd = open(dir[0] ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	/* Blocking: with a full backlog a non-blocking connect() fails with
	 * EAGAIN and there is nothing to poll for. */
	auto_close int fd = fd_unix_connect(dirfd, slash + 1, SOCK_STREAM);

	if (fd < 0)
		return fd;
	int r = fd_set_nonblock(fd, true);

	return r < 0 ? r : steal_fd(&fd);
}

/* The fallback runtime directory is below /tmp: a stranger may have been
 * there first, and would get our API key and files. */
static int check_server_uid(struct client *c, int fd, struct svm_err *err)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return svm_err_sys(err, SVM_INTERNAL, errno, "SO_PEERCRED");
	c->peer = peer.uid == geteuid() && peer.pid > 1 ? peer.pid : 0;
	if (peer.uid == geteuid() || peer.uid == 0)
		return 0;
	return svm_err_set(err, SVM_FORBIDDEN,
			   "socket '%s' belongs to uid %u, not to you",
			   c->unix_path, (unsigned)peer.uid);
}

static int connect_unix(struct client *c, struct svm_err *err)
{
	auto_close int fd = client_unix_connect(c->unix_path);

	if (fd == -ENOENT || fd == -ECONNREFUSED) {
		if (c->autostart)
			return autostart_connect(c, err);
		svm_err_set(err, SVM_UNREACHABLE, "no daemon answers at %s",
			    c->name);
		return svm_err_hint(err, "start it with:  stacyvm daemon "
					 "start");
	}
	if (fd < 0) {
		svm_err_sys(err, SVM_UNREACHABLE, fd, "connect to %s",
			    c->name);
		if (fd == -EACCES)
			err->code = SVM_FORBIDDEN;
		return -1;
	}
	if (check_server_uid(c, fd, err) < 0)
		return -1;
	return steal_fd(&fd);
}

static int connect_address(struct client *c, const struct addrinfo *a,
			   struct svm_err *err)
{
	auto_close int fd = socket(a->ai_family,
				   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				   0);
	int e = 0, one = 1;
	socklen_t len = sizeof(e);

	if (fd < 0)
		return svm_err_sys(err, SVM_UNREACHABLE, errno, "socket");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			e = errno;
		else if (client_wait(c, fd, POLLOUT, err) < 0)
			return -1;
		else
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len);
	}
	if (e)
		return svm_err_sys(err, SVM_UNREACHABLE, e, "connect to %s",
				   c->name);
	return steal_fd(&fd);
}

static int connect_tcp(struct client *c, struct svm_err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int fd = -1;
	int r = getaddrinfo(c->host, c->port, &hints, &list);

	if (r != 0)
		return svm_err_set(err, SVM_UNREACHABLE,
				   "cannot resolve '%s': %s", c->host,
				   gai_strerror(r));
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		auto_err struct svm_err attempt = SVM_ERR_INIT;

		fd = connect_address(c, a, &attempt);
		if (fd < 0 && (!a->ai_next || attempt.code != SVM_UNREACHABLE)) {
			svm_err_move(err, &attempt);
			break;
		}
	}
	freeaddrinfo(list);
	return fd;
}

int client_connect(struct client *c, struct svm_err *err)
{
	return c->unix_path ? connect_unix(c, err) : connect_tcp(c, err);
}
