/* SPDX-License-Identifier: MIT */
/*
 * The machine the sandboxes share with everything else: how busy it is, from
 * /proc (proc(5)) and the file system of the daemon's state.
 *
 * Rates are of the time between two samples, so the first has none.
 */
#ifndef SVM_TUI_HOST_H
#define SVM_TUI_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_SAMPLES 24

struct host {
	bool known;           /* a sample was taken */
	bool has_rates;       /* two were */
	double cpu, mem, disk; /* percent of all there is */
	double load;          /* of the last minute */
	int64_t net;          /* bytes a second, both ways, but for lo */
	/* Newest last: percent, and bytes a second. */
	uint8_t cpu_samples[HOST_SAMPLES];
	int64_t net_samples[HOST_SAMPLES];
	size_t n_samples;
	int64_t at;           /* boot time of the newest sample */
	uint64_t busy, total, bytes; /* counters then */
};

/* What a sample is made of: the texts of /proc/stat, meminfo, loadavg and
 * net/dev, and the file system's size. */
struct host_texts {
	const char *stat, *meminfo, *loadavg, *net_dev;
	uint64_t disk_size, disk_free;
};

/* Take a sample.  What a text doesn't tell counts as 0. */
void host_take(struct host *h, const struct host_texts *t, int64_t boot_ns);

/* The same from this machine; dir: on the file system that is meant. */
void host_read(struct host *h, const char *dir, int64_t boot_ns);

/* net_samples in percent of the largest of them. */
void host_net_curve(const struct host *h, uint8_t ret[HOST_SAMPLES]);

#endif
