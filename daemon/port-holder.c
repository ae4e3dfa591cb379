/* SPDX-License-Identifier: MIT */
/* Who listens on a TCP port that is wanted here.  See port-holder.h. */
#include "daemon/port-holder.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/defs.h"
#include "lib/base/escape.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

#define STATE_LISTEN 0x0a /* TCP_LISTEN, as /proc/net/tcp writes it */
#define NAME_MAX_BYTES 64
#define ADDRESS_SIZE 33

struct listener {
	unsigned uid;
	unsigned long inode;
};

/* As /proc/net/tcp writes it: words in the order of this machine. */
static unsigned address_text(const struct sockaddr *a, char out[ADDRESS_SIZE])
{
	if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)a;
		uint32_t word[4];

		memcpy(word, &v6->sin6_addr, sizeof(word));
		snprintf(out, ADDRESS_SIZE, "%08X%08X%08X%08X", word[0],
			 word[1], word[2], word[3]);
		return ntohs(v6->sin6_port);
	}
	const struct sockaddr_in *v4 = (const void *)a;

	snprintf(out, ADDRESS_SIZE, "%08X", v4->sin_addr.s_addr);
	return ntohs(v4->sin_port);
}

/* The same address, also as an IPv4 one of an IPv6 socket, or all there are. */
static bool is_in_the_way(const char *has, const char *wanted)
{
	size_t n = strlen(has), m = strlen(wanted);

	return strspn(has, "0") == n || strspn(wanted, "0") == m ||
	       (n >= m && strcmp(has + n - m, wanted) == 0);
}

static bool find_in(const char *table, const char *wanted, unsigned port,
		    struct listener *ret)
{
	FILE *f = fopen(table, "re");
	char line[512], has[ADDRESS_SIZE];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned p, state;

		found = sscanf(line,
			       " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x "
			       "%*x:%*x %*x:%*x %*x %u %*u %lu", has, &p,
			       &state, &ret->uid, &ret->inode) == 5 &&
			p == port && state == STATE_LISTEN &&
			is_in_the_way(has, wanted);
	}
	if (f)
		fclose(f);
	return found;
}

static bool has_open(int proc, const char *pid, const char *socket)
{
	auto_free char *path = xasprintf("%s/fd", pid);
	int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	bool found = false;

	if (!dir) {
		fd_close(fd);
		return false;
	}
	while (!found && (e = readdir(dir))) {
		char link[64];
		ssize_t n = readlinkat(fd, e->d_name, link, sizeof(link) - 1);

		link[MAX(n, 0)] = '\0';
		found = strcmp(link, socket) == 0;
	}
	closedir(dir);
	return found;
}

/* "12 (nc)"; others' descriptors are hidden from all but root. */
static bool find_process(unsigned long inode, struct buf *out)
{
	auto_free char *socket = xasprintf("socket:[%lu]", inode);
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	bool found = false;

	while (proc && !found && (e = readdir(proc))) {
		auto_buf struct buf name = BUF_INIT;

		if (!isdigit((unsigned char)*e->d_name) ||
		    !has_open(dirfd(proc), e->d_name, socket))
			continue;
		found = true;
		auto_free char *comm = xasprintf("%s/comm", e->d_name);

		(void)fd_slurp_path(dirfd(proc), comm, NAME_MAX_BYTES, &name);
		if (name.len && name.data[name.len - 1] == '\n')
			buf_truncate(&name, name.len - 1);
		buf_addf(out, "%s (", e->d_name);
		escape_line(out, buf_str(&name), name.len);
		buf_addch(out, ')');
	}
	if (proc)
		closedir(proc);
	return found;
}

bool port_holder(const struct sockaddr *wanted, struct buf *out)
{
	auto_buf struct buf process = BUF_INIT;
	char address[ADDRESS_SIZE];
	unsigned port = address_text(wanted, address);
	struct listener l;

	if (!find_in("/proc/net/tcp", address, port, &l) &&
	    !find_in("/proc/net/tcp6", address, port, &l))
		return false;
	if (find_process(l.inode, &process))
		buf_addf(out, "process %s", buf_str(&process));
	else
		buf_addstr(out, "a process");
	buf_addf(out, " of uid %u", l.uid);
	return true;
}
