/* SPDX-License-Identifier: MIT */
/* How busy this machine is.  See host.h. */
#include "tui/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "lib/base/buf.h"
#include "lib/base/defs.h"
#include "lib/base/fd.h"

#define TEXT_MAX 65536 /* the head of a file; what we want is there */

static double percent(uint64_t part, uint64_t all)
{
	return all ? MIN(100.0 * (double)part / (double)all, 100.0) : 0;
}

/* "cpu  user nice system idle iowait irq softirq steal ...", in ticks. */
static void read_ticks(const char *text, uint64_t *ret_busy,
		       uint64_t *ret_total)
{
	unsigned long long v[8] = { 0 };

	*ret_busy = *ret_total = 0;
	if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0],
		   &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) < 4)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		*ret_total += v[i];
	*ret_busy = *ret_total - v[3] - v[4];
}

/* "MemTotal:  16384 kB" */
static uint64_t read_kib(const char *text, const char *name)
{
	const char *p = strstr(text, name);

	return p ? strtoull(p + strlen(name), NULL, 10) : 0;
}

/* "  eth0: received packets errs drop fifo frame compressed multicast sent",
 * after two lines of titles. */
static uint64_t read_bytes(const char *text)
{
	uint64_t sum = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		unsigned long long in, out;
		char name[32];

		line += *line == '\n';
		if (sscanf(line, " %31[^: \n]: %llu %*u %*u %*u %*u %*u %*u"
			   " %*u %llu", name, &in, &out) == 3 &&
		    strcmp(name, "lo") != 0)
			sum += in + out;
	}
	return sum;
}

static void take_rates(struct host *h, uint64_t busy, uint64_t total,
		       uint64_t bytes, int64_t boot_ns)
{
	double seconds = (double)(boot_ns - h->at) / 1e9;

	/* Counters of a device that went away are gone. */
	if (total <= h->total || busy < h->busy || seconds <= 0)
		return;
	h->cpu = percent(busy - h->busy, total - h->total);
	h->net = bytes < h->bytes ? 0 :
			 (int64_t)((double)(bytes - h->bytes) / seconds);
	h->has_rates = true;
	if (h->n_samples == HOST_SAMPLES) {
		h->n_samples--;
		memmove(h->cpu_samples, h->cpu_samples + 1,
			h->n_samples * sizeof(h->cpu_samples[0]));
		memmove(h->net_samples, h->net_samples + 1,
			h->n_samples * sizeof(h->net_samples[0]));
	}
	h->net_samples[h->n_samples] = h->net;
	h->cpu_samples[h->n_samples++] = (uint8_t)h->cpu;
}

void host_net_curve(const struct host *h, uint8_t ret[HOST_SAMPLES])
{
	int64_t most = 0;

	for (size_t i = 0; i < h->n_samples; i++)
		most = MAX(most, h->net_samples[i]);
	for (size_t i = 0; i < h->n_samples; i++)
		ret[i] = (uint8_t)percent((uint64_t)h->net_samples[i],
					  (uint64_t)most);
}

void host_take(struct host *h, const struct host_texts *t, int64_t boot_ns)
{
	uint64_t memory = read_kib(t->meminfo, "MemTotal:");
	uint64_t bytes = read_bytes(t->net_dev), busy, total;

	read_ticks(t->stat, &busy, &total);
	if (h->known)
		take_rates(h, busy, total, bytes, boot_ns);
	h->mem = percent(memory - MIN(read_kib(t->meminfo, "MemAvailable:"),
				      memory), memory);
	h->disk = percent(t->disk_size - MIN(t->disk_free, t->disk_size),
			  t->disk_size);
	h->load = strtod(t->loadavg, NULL);
	h->busy = busy;
	h->total = total;
	h->bytes = bytes;
	h->at = boot_ns;
	h->known = true;
}

void host_read(struct host *h, const char *dir, int64_t boot_ns)
{
	static const char *const paths[] = { "/proc/stat", "/proc/meminfo",
					     "/proc/loadavg",
					     "/proc/net/dev" };
	struct buf text[ARRAY_SIZE(paths)] = { 0 };
	struct statvfs fs = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		(void)fd_slurp_path(-1, paths[i], TEXT_MAX, &text[i]);
	if (statvfs(dir, &fs) < 0)
		fs.f_blocks = fs.f_bfree = fs.f_bavail = 0;
	/* As df(1): what only root may fill isn't there. */
	uint64_t used = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	host_take(h, &(struct host_texts){
			.stat = buf_str(&text[0]),
			.meminfo = buf_str(&text[1]),
			.loadavg = buf_str(&text[2]),
			.net_dev = buf_str(&text[3]),
			.disk_size = used + room,
			.disk_free = room },
		  boot_ns);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		buf_release(&text[i]);
}
