/* SPDX-License-Identifier: MIT */
/* A file takes the place of the one that was meant, whoever comes between:
 * the fault points of the agent are where others come. */
#undef SVM_FAULTS
#define SVM_FAULTS
#define fault_point come_between
#include "agent/file-write.c"

#include <stdlib.h>

#include "tests/unit/unit.h"

static int dir = -1;
static const char *const *script; /* text put there at each fault point */

static void put(const char *name, const char *text)
{
	auto_close int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL,
				   0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
}

/* Another's file, whole, in place of what is there; "-" removes it. */
void come_between(const char *label)
{
	(void)label;
	if (!script || !*script)
		return;
	const char *text = *script++;
	if (strcmp(text, "-") == 0) {
		(void)unlinkat(dir, "f", 0);
	} else if (*text) {
		put("other", text);
		assert_int_equal(renameat(dir, "other", dir, "f"), 0);
	}
}

static void assert_there(const char *name, const char *text)
{
	auto_buf struct buf is = BUF_INIT;

	if (!text) {
		assert_int_equal(faccessat(dir, name, F_OK, 0), -1);
		return;
	}
	assert_int_equal(fd_slurp_path(dir, name, 100, &is), 0);
	assert_string_equal(buf_str(&is), text);
}

/* As write_to() does, with the text written already. */
static enum svm_code replace(const struct condition *c)
{
	auto_err struct svm_err err = SVM_ERR_INIT;
	struct job j = { .turn = -1 };
	int r;

	put("temp", "ours");
	r = put_in_place(&j, &(struct place){ dir, "temp", "f", "/f",
					      inode_of(dir, "temp") },
			 c, &err);
	if (r < 0)
		(void)unlinkat(dir, "temp", 0);
	assert_there("temp", NULL);
	return r < 0 ? err.code : SVM_OK;
}

static struct condition same(void)
{
	struct stat st;

	assert_int_equal(fstatat(dir, "f", &st, 0), 0);
	return (struct condition){ FRAME_IF_SAME, st.st_ino,
				   (uint64_t)st.st_size,
				   (uint64_t)(st.st_mtim.tv_sec *
						      INT64_C(1000000000) +
					      st.st_mtim.tv_nsec) };
}

static void test_file_write__others_between(void **state)
{
	static const struct {
		const char *others[3]; /* after looking, after replacing */
		enum svm_code code;
		const char *left;
	} all[] = {
		{ { "", "" }, SVM_OK, "ours" },
		/* It is not what was looked at that is replaced. */
		{ { "new" }, SVM_PRECONDITION, "new" },
		/* What comes after ours is the newest. */
		{ { "", "new" }, SVM_OK, "new" },
		{ { "new", "newer" }, SVM_PRECONDITION, "newer" },
		{ { "-" }, SVM_PRECONDITION, NULL },
		{ { "new", "-" }, SVM_PRECONDITION, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		(void)unlinkat(dir, "f", 0);
		put("f", "old");
		struct condition c = same();

		script = all[i].others;
		assert_int_equal(replace(&c), all[i].code);
		script = NULL;
		assert_there("f", all[i].left);
	}
}

static void test_file_write__there(void **state)
{
	const struct condition there = { .kind = FRAME_IF_THERE };
	const struct condition new = { .kind = FRAME_IF_NEW };

	(void)state;
	(void)unlinkat(dir, "f", 0);
	assert_int_equal(replace(&there), SVM_PRECONDITION);
	assert_there("f", NULL);
	assert_int_equal(replace(&new), SVM_OK);
	assert_int_equal(replace(&new), SVM_PRECONDITION);
	assert_int_equal(replace(&there), SVM_OK);
	assert_there("f", "ours");
}

/* -- what it stands on, as far as it is used here */

int file_error(struct svm_err *err, int e, const char *what, const char *path)
{
	return svm_err_sys(err, SVM_PROVIDER, abs(e), "can't %s '%s'", what,
			   path);
}

bool job_stopped(void)
{
	return false;
}

char *file_path(struct msg_reader *m, struct svm_err *err)
{
	(void)m, (void)err;
	return NULL;
}

int file_open_parent(struct job *j, const char *path, bool make,
		     char name[FILE_NAME_MAX + 1], struct svm_err *err)
{
	(void)j, (void)path, (void)make, (void)name, (void)err;
	return -1;
}

int file_require_regular(mode_t mode, const char *path, struct svm_err *err)
{
	(void)mode, (void)path, (void)err;
	return -1;
}

int file_temporary(int at, char name[FILE_NAME_MAX + 1])
{
	(void)at, (void)name;
	return -1;
}

int file_send(struct job *j, const char *path, const struct stat *st,
	      uint64_t size, struct svm_err *err)
{
	(void)j, (void)path, (void)st, (void)size, (void)err;
	return -1;
}

int job_receive(struct job *j, struct frame *ret, struct svm_err *err)
{
	(void)j, (void)ret, (void)err;
	return -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_write__others_between),
		cmocka_unit_test(test_file_write__there),
	};
	char path[] = "/tmp/svm-write-XXXXXX";
	int r;

	if (!mkdtemp(path) || (dir = open(path, O_RDONLY | O_DIRECTORY)) < 0)
		return 1;
	r = cmocka_run_group_tests_name("file-write", tests, NULL, NULL);
	(void)unlinkat(dir, "f", 0);
	rmdir(path);
	return r;
}
