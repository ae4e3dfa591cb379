/* SPDX-License-Identifier: MIT */
/*
 * A configuration file: YAML by libyaml's events, of which only mappings,
 * scalars and lists of scalars are understood.  Anchors, aliases and tags
 * are refused, so no document is larger than its text.  See config.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "daemon/config-internal.h"
#include "lib/api/config-doc.h"
#include "lib/api/limits.h"
#include "lib/base/fd.h"
#include "lib/base/mem.h"

/* Where in the document we are. */
struct reader {
	struct config_load *ld;
	const char *name;
	struct config_lines lines;
	yaml_parser_t parser;
	struct buf path;  /* "server.port" */
	size_t base[LIMIT_CONFIG_DEPTH + 1]; /* path.len of each level */
	unsigned depth;   /* open mappings */
	bool want_key;
	bool in_list, seen_root;
	size_t line;      /* of the key */
	char *items[LIMIT_CONFIG_LIST + 2];
	size_t n_items;
	char **seen;      /* every path so far, sections too */
	size_t n_seen;
};

/* "config.yaml:3", as the file has it; the caller's. */
static char *place(const struct reader *r, size_t line)
{
	size_t there = config_line(&r->lines, line);

	return there ? xasprintf("%s:%zu", r->name, there) :
		       xstrdup(CONFIG_TO_BE_SET);
}

/* All return -1 to stop reading this file. */

static int stop(struct reader *r, size_t line, const char *why)
{
	auto_free char *where = place(r, line);

	config_problem(r->ld, "%s: %s", where, why);
	return -1;
}

static int syntax_error(struct reader *r)
{
	auto_free char *where = place(r, r->parser.problem_mark.line + 1);

	config_problem(r->ld, "%s: %s%s%s", where,
		       r->parser.problem ? r->parser.problem : "bad YAML",
		       r->parser.context ? " " : "",
		       r->parser.context ? r->parser.context : "");
	return -1;
}

static bool is_null(const yaml_event_t *e)
{
	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       config_doc_is_null((char *)e->data.scalar.value);
}

static void end_value(struct reader *r)
{
	buf_truncate(&r->path, r->base[r->depth]);
	r->want_key = true;
}

static void set_value(struct reader *r, char *const *values)
{
	auto_free char *where = place(r, r->line);

	if (config_is_section(r->path.data))
		config_problem(r->ld, "%s: '%.64s' is a section, not a value",
			       where, r->path.data);
	else
		config_set(r->ld, where, r->path.data, values);
}

/* "port:" with nothing after it means "not given", but must be a key. */
static void check_name(struct reader *r)
{
	auto_free char *where = place(r, r->line);
	enum config_id id;

	if (!config_find(r->path.data, &id) && !config_is_later(r->path.data) &&
	    !config_is_section(r->path.data) &&
	    !config_is_binding(r->path.data) &&
	    !config_is_group(r->path.data))
		config_unknown(r->ld, where, r->path.data);
}

static int on_key(struct reader *r, const yaml_event_t *e)
{
	const char *key = (const char *)e->data.scalar.value;
	size_t n = e->data.scalar.length;

	r->line = e->start_mark.line + 1;
	if (!n || n > LIMIT_CONFIG_NAME || memchr(key, '\0', n))
		return stop(r, r->line, "a key must be 1 to 128 characters");
	if (r->path.len)
		buf_addch(&r->path, '.');
	buf_add(&r->path, key, n);
	for (size_t i = 0; i < r->n_seen; i++) {
		if (strcmp(r->seen[i], r->path.data) != 0)
			continue;
		auto_free char *where = place(r, r->line);

		config_problem(r->ld, "%s: '%.64s' stands twice", where,
			       r->path.data);
		return -1;
	}
	if (r->n_seen == LIMIT_CONFIG_KEYS)
		return stop(r, r->line, "too many keys");
	r->seen[r->n_seen++] = xstrdup(r->path.data);
	r->want_key = false;
	return 0;
}

static int on_scalar(struct reader *r, const yaml_event_t *e)
{
	size_t line = e->start_mark.line + 1;
	char *text = (char *)e->data.scalar.value;
	char *values[] = { text, NULL };

	if (!r->depth)
		return is_null(e) ? 0 : stop(r, line, "the file must hold "
					     "\"key: value\" lines");
	if (r->want_key)
		return on_key(r, e);
	if (memchr(text, '\0', e->data.scalar.length))
		return stop(r, line, "NUL in a value");
	if (r->in_list) {
		if (r->n_items > LIMIT_CONFIG_LIST)
			return stop(r, line, "the list is too long");
		r->items[r->n_items++] = xstrdup(text);
		return 0;
	}
	if (!is_null(e))
		set_value(r, values);
	else
		check_name(r);
	end_value(r);
	return 0;
}

static int on_mapping(struct reader *r, const yaml_event_t *e)
{
	size_t line = e->start_mark.line + 1;

	if (r->in_list)
		return stop(r, line, "a list may hold plain values only");
	if (r->depth && r->want_key)
		return stop(r, line, "a key must be text");
	if (r->depth == LIMIT_CONFIG_DEPTH)
		return stop(r, line, "nested too deep");
	r->base[++r->depth] = r->path.len;
	r->want_key = true;
	return 0;
}

static void on_mapping_end(struct reader *r)
{
	if (--r->depth)
		end_value(r);
}

static int on_list(struct reader *r, const yaml_event_t *e)
{
	size_t line = e->start_mark.line + 1;

	if (!r->depth)
		return stop(r, line, "the file must hold \"key: value\" lines");
	if (r->in_list || r->want_key)
		return stop(r, line, r->want_key ? "a key must be text" :
			    "a list may hold plain values only");
	r->in_list = true;
	return 0;
}

static void clear_items(struct reader *r)
{
	for (size_t i = 0; i < r->n_items; i++)
		free(r->items[i]);
	memset(r->items, 0, sizeof(r->items));
	r->n_items = 0;
}

static void on_list_end(struct reader *r)
{
	set_value(r, r->items);
	clear_items(r);
	r->in_list = false;
	end_value(r);
}

static int on_event(struct reader *r, const yaml_event_t *e)
{
	size_t line = e->start_mark.line + 1;

	if ((e->type == YAML_SCALAR_EVENT &&
	     (e->data.scalar.anchor || e->data.scalar.tag)) ||
	    (e->type == YAML_MAPPING_START_EVENT &&
	     (e->data.mapping_start.anchor || e->data.mapping_start.tag)) ||
	    (e->type == YAML_SEQUENCE_START_EVENT &&
	     (e->data.sequence_start.anchor || e->data.sequence_start.tag)) ||
	    e->type == YAML_ALIAS_EVENT)
		return stop(r, line, "anchors, aliases and tags are not "
			    "understood here");
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->seen_root)
			return stop(r, line, "one document only");
		r->seen_root = true;
		return 0;
	case YAML_SCALAR_EVENT:
		return on_scalar(r, e);
	case YAML_MAPPING_START_EVENT:
		return on_mapping(r, e);
	case YAML_MAPPING_END_EVENT:
		on_mapping_end(r);
		return 0;
	case YAML_SEQUENCE_START_EVENT:
		return on_list(r, e);
	case YAML_SEQUENCE_END_EVENT:
		on_list_end(r);
		return 0;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_ALIAS_EVENT:
		return 0;
	}
	return 0;
}

static void read_text(struct config_load *ld, const char *name,
		      const char *text, size_t n, struct config_lines lines)
{
	struct reader r = { .ld = ld, .name = name, .lines = lines };
	bool end = false;

	if (!yaml_parser_initialize(&r.parser))
		BUG("libyaml can't be initialised");
	r.seen = xcalloc(LIMIT_CONFIG_KEYS, sizeof(*r.seen));
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text,
				     n);
	while (!end) {
		yaml_event_t e;

		if (!yaml_parser_parse(&r.parser, &e)) {
			syntax_error(&r);
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT || on_event(&r, &e) < 0;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&r.parser);
	clear_items(&r);
	for (size_t i = 0; i < r.n_seen; i++)
		free(r.seen[i]);
	free(r.seen);
	buf_release(&r.path);
}

void config_read_text(struct config_load *ld, const char *name,
		      const char *text, size_t n)
{
	read_text(ld, name, text, n, config_lines(text, n, text, n));
}

void config_read_instead(struct config_load *ld,
			 const struct config_instead *i)
{
	const char *now = i->now ? i->now : i->text;
	size_t n = i->now ? i->n_now : i->n;

	read_text(ld, i->name, i->text, i->n,
		  config_lines(now, n, i->text, i->n));
}

/* Who can write the file commands the daemon: only us and root may. */
static int check_owner(struct config_load *ld, const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		config_problem(ld, "%s: not a regular file", path);
		return -1;
	}
	if ((st.st_uid != geteuid() && st.st_uid != 0) ||
	    (st.st_mode & S_IWOTH)) {
		config_problem(ld, "%s: belongs to uid %u with mode %04o; only "
			       "a file of yours or root's that others can't "
			       "write is read", path, (unsigned)st.st_uid,
			       (unsigned)st.st_mode & 07777);
		return -1;
	}
	return 0;
}

void config_read_file(struct config_load *ld, const char *path,
		      bool must_exist)
{
	auto_buf struct buf text = BUF_INIT;
	/* O_NONBLOCK: a FIFO must not hold us here. */
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
					       O_NOCTTY);
	int r;

	if (fd < 0) {
		if (must_exist || (errno != ENOENT && errno != ENOTDIR))
			config_problem(ld, "%s: can't be opened: %s", path,
				       strerror(errno));
		return;
	}
	if (check_owner(ld, path, fd) < 0)
		return;
	r = fd_slurp(fd, LIMIT_CONFIG_FILE, &text);
	if (r == -EFBIG)
		config_problem(ld, "%s: larger than %d bytes", path,
			       LIMIT_CONFIG_FILE);
	else if (r < 0)
		config_problem(ld, "%s: can't be read: %s", path,
			       strerror(-r));
	else
		config_read_text(ld, path, buf_str(&text), text.len);
}
