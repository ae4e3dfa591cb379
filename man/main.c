/* SPDX-License-Identifier: MIT */
/* make-pages SOURCES TARGET: every page of SOURCES/NAME.N.in as TARGET/NAME.N.
 * A part of the build, and not of what is installed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"
#include "lib/base/path.h"
#include "man/page.h"

#define SOURCE_MAX (1 << 20)

static int is_source(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 5 && strcmp(d->d_name + n - 3, ".in") == 0;
}

static int write_page(const char *path, const struct buf *page)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				 0644);

	return fd < 0 ? -errno : fd_write_full(fd, page->data, page->len);
}

static void make_page(struct manual *m, const char *from, const char *to,
		      const char *file)
{
	auto_buf struct buf source = BUF_INIT, page = BUF_INIT;
	auto_free char *in = path_join(from, file);
	auto_free char *name = xstrndup(file, strlen(file) - 3);
	auto_free char *out = path_join(to, name);

	if (strncmp(name, "stacyvm-", 8) == 0 && strstr(name, ".1") &&
	    !page_command(name)) {
		manual_problem(m, "%s: there is no such command", in);
		return;
	}
	int r = fd_slurp_path(AT_FDCWD, in, SOURCE_MAX, &source);
	if (r < 0) {
		manual_problem(m, "%s: %s", in, strerror(-r));
		return;
	}
	page_make(m, name, buf_str(&source), &page);
	r = write_page(out, &page);
	if (r < 0)
		manual_problem(m, "%s: %s", out, strerror(-r));
}

static void check_commands(struct manual *m, const char *from)
{
	for (const struct cmd *const *c = cmds; *c; c++) {
		auto_free char *page = xasprintf("%s/stacyvm-%s.1.in", from,
						 (*c)->name);

		if (!((*c)->flags & CMD_HIDDEN) && access(page, F_OK) < 0)
			manual_problem(m, "%s: the command '%s' has no page; "
				       "man/page.h says how to write one",
				       page, (*c)->name);
	}
}

int main(int argc, char **argv)
{
	struct manual m = { 0 };
	struct dirent **files;

	if (argc != 3) {
		fputs("usage: make-pages SOURCES TARGET\n", stderr);
		return 2;
	}
	int n = scandir(argv[1], &files, is_source, alphasort);
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	tables_of_cli(&m);
	tables_of_daemon(&m);
	tables_of_schemas(&m);
	tables_of_tui(&m);
	for (int i = 0; i < n; i++) {
		make_page(&m, argv[1], argv[2], files[i]->d_name);
		free(files[i]);
	}
	free(files);
	check_commands(&m, argv[1]);
	manual_check(&m);
	manual_release(&m);
	return m.problems != 0;
}
