/* SPDX-License-Identifier: MIT */
/* A WebSocket on a command or a session (API.md 4): one kind of connection
 * behind two routes. */
#ifndef SVM_DAEMON_EXEC_SOCKET_H
#define SVM_DAEMON_EXEC_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

struct http_req;
struct sandbox;

/* How it ends; 1001 and 1002 are those of every WebSocket (http/ws.c). */
#define EXEC_SOCKET_CLOSES(CLOSE)                                           \
	CLOSE(NORMAL, 1000, "the command has ended")                        \
	CLOSE(UNSUPPORTED, 1003, "a message that makes no sense here")      \
	CLOSE(INVALID, 1007, "a text message that is no JSON")              \
	CLOSE(POLICY, 1008, "the start message or the session is no good")  \
	CLOSE(OURS, 1011, "the daemon or the runtime failed")               \
	CLOSE(TAKEN, 4001, "another client took the session over")

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
