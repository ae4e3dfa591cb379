/* SPDX-License-Identifier: MIT */
/*
 * The peer's uid over loopback TCP, from the kernel's socket table
 * (sock_diag(7)); over a unix socket by SO_PEERCRED.
 *
 * An orphaned socket (its process closed it) shows uid 0 on Linux 6.1, so a
 * row counts only with an inode: the kernel fills in the uid first and then
 * the inode, and an inode means that the socket was still held when the uid
 * was read.
 */
#include "daemon/http/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int peer_diag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

/* The peer's socket: its source is what we see as the peer. */
static int fill_id(int fd, struct inet_diag_req_v2 *req)
{
	struct sockaddr_storage us = { 0 }, them = { 0 };
	socklen_t us_len = sizeof(us), them_len = sizeof(them);

	if (getsockname(fd, (struct sockaddr *)&us, &us_len) < 0 ||
	    getpeername(fd, (struct sockaddr *)&them, &them_len) < 0)
		return -errno;
	req->sdiag_family = (uint8_t)us.ss_family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = ~0u;
	req->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	req->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (us.ss_family == AF_INET) {
		const struct sockaddr_in *a = (const void *)&them;
		const struct sockaddr_in *b = (const void *)&us;

		req->id.idiag_sport = a->sin_port;
		req->id.idiag_dport = b->sin_port;
		req->id.idiag_src[0] = a->sin_addr.s_addr;
		req->id.idiag_dst[0] = b->sin_addr.s_addr;
		return 0;
	}
	if (us.ss_family == AF_INET6) {
		const struct sockaddr_in6 *a = (const void *)&them;
		const struct sockaddr_in6 *b = (const void *)&us;

		req->id.idiag_sport = a->sin6_port;
		req->id.idiag_dport = b->sin6_port;
		memcpy(req->id.idiag_src, &a->sin6_addr, 16);
		memcpy(req->id.idiag_dst, &b->sin6_addr, 16);
		return 0;
	}
	return -EAFNOSUPPORT;
}

/* A listener on the same port is no peer, nor is a socket in TIME_WAIT. */
static bool state_ok(uint8_t state)
{
	return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT ||
	       state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2;
}

static int read_answer(int diag, uint32_t seq,
		       const struct inet_diag_req_v2 *req, uid_t *ret)
{
	union {
		struct nlmsghdr h;
		char bytes[4096];
	} buf;
	ssize_t n;

	for (;;) {
		n = recv(diag, &buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			return -errno;
		if (NLMSG_OK(&buf.h, (size_t)n) && buf.h.nlmsg_seq == seq)
			break; /* else a late answer to a question before */
	}
	if (buf.h.nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = NLMSG_DATA(&buf.h);

		return e->error == -ENOENT || !e->error ? -ESRCH : e->error;
	}
	if (buf.h.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    buf.h.nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
		return -EPROTO;
	const struct inet_diag_msg *m = NLMSG_DATA(&buf.h);
	if (m->id.idiag_sport != req->id.idiag_sport ||
	    m->id.idiag_dport != req->id.idiag_dport ||
	    !state_ok(m->idiag_state) || !m->idiag_inode)
		return -ESRCH;
	*ret = m->idiag_uid;
	return 0;
}

int peer_uid_tcp(int diag, int fd, uid_t *ret)
{
	static uint32_t seq;
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 req;
	} msg = {
		.h = { .nlmsg_len = sizeof(msg),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = ++seq },
	};
	int r = fill_id(fd, &msg.req);

	if (r < 0)
		return r;
	if (send(diag, &msg, sizeof(msg), 0) < 0)
		return -errno;
	return read_answer(diag, msg.h.nlmsg_seq, &msg.req, ret);
}

int peer_uid_unix(int fd, uid_t *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*ret = cred.uid;
	return 0;
}

int peer_address(int fd, char *out)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);
	const void *from = &((const struct sockaddr_in *)&a)->sin_addr;

	if (getpeername(fd, (struct sockaddr *)&a, &len) < 0)
		return -errno;
	if (a.ss_family == AF_INET6)
		from = &((const struct sockaddr_in6 *)&a)->sin6_addr;
	else if (a.ss_family != AF_INET)
		return -EAFNOSUPPORT;
	return inet_ntop(a.ss_family, from, out, INET6_ADDRSTRLEN) ? 0 :
								     -errno;
}
