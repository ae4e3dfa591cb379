/* SPDX-License-Identifier: MIT */
/* The daemon's sockets.  See listen.h. */
#include "daemon/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/http/http.h"
#include "daemon/port-holder.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"

#define BACKLOG 1024

static int open_parent(const char *path, const char **ret_name,
		       struct svm_err *err)
{
	const char *slash = strrchr(path, '/');

	if (path[0] != '/' || !slash[1])
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "server.socket '%s' is not an absolute "
				   "path", path);
	auto_free char *dir = xstrndup(path, slash == path ?
					       1 : (size_t)(slash - path));
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "can't open '%s'", dir);
	*ret_name = slash + 1;
	return fd;
}

static int listen_unix(struct daemon *d, struct svm_err *err)
{
	const char *name = NULL;
	auto_close int dir = open_parent(d->dirs.socket, &name, err);

	if (dir < 0)
		return -1;
	int probe = fd_unix_connect(dir, name, SOCK_STREAM);
	if (probe >= 0) {
		fd_close(probe);
		svm_err_set(err, SVM_CONFLICT,
			    "another daemon answers on '%s'", d->dirs.socket);
		return svm_err_hint(err, "stop it with: stacyvm daemon stop, "
				    "or set STACYVM_RUNTIME_DIR");
	}
	if (probe == -ECONNREFUSED) /* left by one that was killed */
		(void)unlinkat(dir, name, 0);
	mode_t old = umask(0177);
	int fd = fd_unix_listen(dir, name, SOCK_STREAM | SOCK_NONBLOCK,
				BACKLOG);
	umask(old);
	if (fd < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, fd,
				   "can't listen on '%s'", d->dirs.socket);
	http_server_listen(d->http, fd);
	return 0;
}

/* With server.socket elsewhere, a link where the command line looks. */
static void link_socket(struct daemon *d, char *usual)
{
	struct stat st;

	if (lstat(usual, &st) == 0 && S_ISLNK(st.st_mode))
		(void)unlink(usual); /* left by one that was killed */
	if (symlink(d->dirs.socket, usual) == 0) {
		d->socket_link = usual;
		return;
	}
	log_warn("can't link '%s' to '%s': %s; reach it with STACYVM_SERVER="
		 "unix:%s", usual, d->dirs.socket, strerror(errno),
		 d->dirs.socket);
	free(usual);
}

void listen_unlink(struct daemon *d)
{
	if (!d->socket_inherited)
		(void)unlink(d->dirs.socket);
	if (d->socket_link)
		(void)unlink(d->socket_link);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

/* Sockets of the service manager (sd_listen_fds(3)), from descriptor 3 on. */

static int own_address(int fd, union address *ret, struct svm_err *err)
{
	socklen_t n = sizeof(*ret), int_size = sizeof(int);
	int listens = 0;

	memset(ret, 0, sizeof(*ret));
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens,
		       &int_size) < 0 || !listens ||
	    getsockname(fd, &ret->any, &n) < 0)
		return svm_err_set(err, SVM_BAD_REQUEST, "descriptor %d of "
				   "LISTEN_FDS is no listening socket", fd);
	return 0;
}

static bool is_loopback(const union address *a)
{
	return a->any.sa_family == AF_INET ?
		       ntohl(a->v4.sin_addr.s_addr) >> 24 == 127 :
		       IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static int take_one(struct daemon *d, int fd, struct svm_err *err)
{
	union address a;

	if (own_address(fd, &a, err) < 0)
		return -1;
	int family = a.any.sa_family;
	if (family == AF_UNIX && a.un.sun_path[0] == '/') {
		free(d->dirs.socket);
		d->dirs.socket = xstrndup(a.un.sun_path,
					  sizeof(a.un.sun_path));
		d->socket_inherited = true;
	} else if (family == AF_INET || family == AF_INET6) {
		if (!is_loopback(&a) && !config_auth_on(d->config) &&
		    !d->config->server_allow_unauthenticated)
			return svm_err_set(err, SVM_FORBIDDEN,
					   "a socket of LISTEN_FDS can be "
					   "reached by others, and there is "
					   "no authentication");
		d->tcp_port = ntohs(a.v4.sin_port); /* at the same place */
	} else {
		return svm_err_set(err, SVM_BAD_REQUEST, "descriptor %d of "
				   "LISTEN_FDS is of a kind that is not "
				   "served", fd);
	}
	(void)fd_set_cloexec(fd, true);
	(void)fd_set_nonblock(fd, true);
	/* SO_PEERCRED names whoever called it last: what `daemon stop` sends
	 * a signal to must not be the service manager. */
	if (listen(fd, BACKLOG) < 0)
		return svm_err_sys(err, SVM_UNAVAILABLE, errno,
				   "listen on descriptor %d of LISTEN_FDS", fd);
	http_server_listen(d->http, fd);
	return 0;
}

static int take_inherited(struct daemon *d, struct svm_err *err)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	bool ours = pid && n && strtol(pid, NULL, 10) == getpid();
	long count = ours ? strtol(n, NULL, 10) : 0;
	int r = 0;

	if (count > 16)
		return svm_err_set(err, SVM_BAD_REQUEST,
				   "LISTEN_FDS has more than 16 sockets");
	for (int fd = 3; r == 0 && fd < 3 + count; fd++)
		r = take_one(d, fd, err);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return r;
}

static bool parse_address(const char *text, uint16_t port, union address *a,
			  bool *ret_loopback)
{
	*a = (union address){ 0 };
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		*ret_loopback = ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
		return true;
	}
	if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) != 1)
		return false;
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	*ret_loopback = IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
	return true;
}

static int bind_tcp(const union address *a)
{
	const int one = 1;
	bool v6 = a->any.sa_family == AF_INET6;
	auto_close int fd = socket(a->any.sa_family,
				   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				   0);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				 sizeof(one));
	if (bind(fd, &a->any, v6 ? sizeof(a->v6) : sizeof(a->v4)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -errno;
	return steal_fd(&fd);
}

static void tcp_failed(struct daemon *d, const char *host,
		       const union address *a, int e)
{
	auto_buf struct buf holder = BUF_INIT;
	bool known = e == -EADDRINUSE && port_holder(&a->any, &holder);
	char *text = xasprintf("port %d on %s%s%s: %s", d->tcp_port, host,
			       known ? " is held by " : "", buf_str(&holder),
			       strerror(-e));

	log_warn("not listening on TCP %s; the unix socket still answers",
		 text);
	free(d->tcp_problem);
	d->tcp_problem = text;
}

/* All addresses or none: half a port would let a neighbour take the other. */
static int listen_tcp(struct daemon *d, char *const *hosts,
		      struct svm_err *err)
{
	int fds[16];
	size_t n = 0;
	int failed = 0;

	for (; *hosts && n < ARRAY_SIZE(fds) && !failed; hosts++) {
		union address a;
		bool loopback;

		if (!parse_address(*hosts, (uint16_t)d->tcp_port, &a,
				   &loopback)) {
			failed = svm_err_set(err, SVM_BAD_REQUEST,
					     "server.host: '%s' is not an "
					     "address", *hosts);
			break;
		}
		if (!loopback && !config_auth_on(d->config) &&
		    !d->config->server_allow_unauthenticated) {
			svm_err_set(err, SVM_FORBIDDEN,
				    "server.host '%s' is not loopback, and "
				    "there is no authentication", *hosts);
			failed = svm_err_hint(
				err, "set auth.api_key, or accept the risk "
				     "with server.allow_unauthenticated: true");
			break;
		}
		int fd = bind_tcp(&a);
		if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
			continue; /* a host without IPv6 */
		if (fd < 0) {
			tcp_failed(d, *hosts, &a, fd);
			failed = 1;
			break;
		}
		fds[n++] = fd;
	}
	for (size_t i = 0; i < n; i++) {
		if (failed)
			fd_close(fds[i]);
		else
			http_server_listen(d->http, fds[i]);
	}
	if (failed || !n)
		d->tcp_port = 0;
	return failed < 0 ? -1 : 0;
}

static char **expand_hosts(char *const *hosts)
{
	size_t n = strv_len(hosts), have = 0;
	char **v = xcalloc(2 * n + 3, sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		bool local = strcmp(hosts[i], "localhost") == 0;

		v[have++] = xstrdup(local ? "127.0.0.1" : hosts[i]);
		if (local)
			v[have++] = xstrdup("::1");
	}
	return v;
}

int listen_open(struct daemon *d, struct svm_err *err)
{
	const struct config *c = d->config;
	auto_free char *usual = NULL;

	if (c->server_socket && *c->server_socket &&
	    strcmp(c->server_socket, d->dirs.socket) != 0) {
		usual = d->dirs.socket;
		d->dirs.socket = xstrdup(c->server_socket);
	}
	if (take_inherited(d, err) < 0 ||
	    (!d->socket_inherited && listen_unix(d, err) < 0))
		return -1;
	if (usual && strcmp(usual, d->dirs.socket) != 0)
		link_socket(d, steal_ptr(&usual));
	bool inherited = d->tcp_port != 0;
	if (!inherited)
		d->tcp_port = (int)c->server_port;
	if (!d->tcp_port)
		return 0;
	char **hosts = expand_hosts(c->server_host);
	int r = inherited ? 0 : listen_tcp(d, hosts, err);
	strv_free(hosts);
	if (r == 0 && d->tcp_port)
		d->preview_domain =
			c->server_preview_domain && *c->server_preview_domain ?
				xstrdup(c->server_preview_domain) :
				xasprintf("localhost:%d", d->tcp_port);
	return r;
}
