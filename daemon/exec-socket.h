/* SPDX-License-Identifier: MIT */
/* A WebSocket on a command or a session (API.md 4): one kind of connection
 * behind two routes. */
#ifndef SVM_DAEMON_EXEC_SOCKET_H
#define SVM_DAEMON_EXEC_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

struct http_req;
struct sandbox;

/* GET exec/ws: the first message says what to run. */
void exec_socket_accept(struct http_req *r, struct sandbox *s);

struct exec_attach {
	const char *sid;
	uint64_t since;
	bool read_only, takeover, binary;
};

/* GET sessions/{sid}/ws.  With takeover every other WebSocket on the session
 * is closed once this one is attached. */
void exec_socket_attach(struct http_req *r, struct sandbox *s,
			const struct exec_attach *a);

/* The session has another size now: tells those who look at it and take
 * binary output, which is to say that they know terminals.  `but`, the one
 * who asked for it, knows; NULL for none. */
struct exec_socket;
void exec_socket_resized(struct sandbox *s, const char *sid, uint16_t cols,
			 uint16_t rows, const struct exec_socket *but);

#endif
