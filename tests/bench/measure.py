# SPDX-License-Identifier: MIT
"""What every row of the table is made with: the stop-watch, a daemon of its
own, and the table itself.

What is compared is measured in one run, in turns of small batches, so that
both see the same machine.  A row fails when something it asked for was
refused or went wrong, or when the daemon kept what it took; never because
something was slow.
"""
import contextlib
import datetime
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

import svm

MIB = 1024 * 1024
# What a daemon may keep of any row once it is quiet, over what it had when it
# had served one of each; and, when measuring roughly, over a cold start.
KEPT_KIB, KEPT_COLD_KIB = 256, 1024

MARKS = ("<!-- bench -->", "<!-- /bench -->")

median = statistics.median
topics = {} # name -> (function, what it measures)


def topic(name):
    """A group of rows, which can be asked for by this name."""
    def add(function):
        topics[name] = function
        return function
    return add


def percentile(samples, q):
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))]


def ms(ns):
    return f"{ns / 1e6:.2f} ms"


def rate(count, ns):
    return f"{count / MIB / (ns / 1e9):.0f} MiB/s"


def first(path, key):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return "?"


def kib(path, key):
    return int(first(path, key).split()[0])


def processes():
    return {int(p) for p in os.listdir("/proc") if p.isdigit()}


def pss_of(pid):
    try:
        return kib(f"/proc/{pid}/smaps_rollup", "Pss:")
    except (OSError, ValueError):
        return 0


class Memory:
    """Of a process: what is its own (anonymous and shared memory), and what
    is resident, which is that and the pages of files (of its own program,
    mostly) that were touched once."""

    def __init__(self, pid):
        self.pid = pid
        self.status = f"/proc/{pid}/status"

    def own(self):
        return kib(self.status, "RssAnon") + kib(self.status, "RssShmem")

    def resident(self):
        return kib(self.status, "VmRSS")

    def most(self):
        return kib(self.status, "VmHWM")

    def wait_for_rest(self):
        """A daemon's threads that work end when it is quiet."""
        def working():
            return [name for name in self._threads()
                    if name in ("worker", "stacyvm-db", "stacyvm-wal")]
        svm.wait_for(lambda: not working(), "the daemon to rest")

    def _threads(self):
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield (task / "comm").read_text().strip()


class Table:
    """What was found, for people: as it comes, and in Markdown at the end."""

    def __init__(self):
        self.rows, self.memory = [], []
        # What else the machine had to do: numbers under load are not to be
        # read as those of a quiet one.
        self.load = os.getloadavg()[0]
        self.missing, self.failures = [], []

    def row(self, what, value, p99="", beside="", goal=""):
        self.rows.append((what, value, p99, beside, goal))
        print(f"  {what}: {value} {p99}  {beside}", file=sys.stderr, flush=True)

    def samples(self, what, samples, beside="", goal=""):
        """A row of their median and p99."""
        self.row(what, ms(median(samples)), ms(percentile(samples, .99)),
                 beside, goal)

    def machine(self):
        cpu = first("/proc/cpuinfo", "model name")
        memory = kib("/proc/meminfo", "MemTotal") // 1024
        return (f"{cpu}, {os.cpu_count()} cores, {memory} MiB; Linux "
                f"{platform.release()}; {datetime.date.today()}; "
                f"{'root' if os.geteuid() == 0 else 'unprivileged'}; load "
                f"average at the start {self.load:.1f}")

    def text(self):
        missing = "".join(f"\nNot compared: {what}.\n"
                          for what in dict.fromkeys(self.missing))
        return (f"Measured on {self.machine()}.\n\n" + self._table(
            ("what", "median", "p99", "beside", "goal"), self.rows) + "\n" +
            self._table(("memory of the daemon", "its own at start", "warm",
                         "afterwards", "resident at start", "at most",
                         "afterwards"), self.memory) + missing)

    @staticmethod
    def _table(head, rows):
        return "".join("| " + " | ".join(row) + " |\n" for row in
                       (head, ["---"] * len(head), *rows))

    def put_into(self, path):
        """Replace what stands between the marks in a file."""
        old = path.read_text()
        begin, end = (old.index(mark) for mark in MARKS)
        path.write_text(old[:begin] + MARKS[0] + "\n" + self.text() + old[end:])


class Bench:
    def __init__(self, build, provider, quick):
        self.build, self.provider, self.quick = build, provider, quick
        self.tool = str(build / "tests/bench/bench")
        self.true = str(build / "tests/bench/true")
        self.table = Table()
        self.rounds = 2 if quick else 20
        self.tmp = tempfile.mkdtemp(prefix="svmb-")

    def few(self, quick, full):
        """How many, roughly or in earnest."""
        return quick if self.quick else full

    def run(self, *args, prefix=(), env=None):
        """What the stop-watch prints."""
        p = subprocess.run([*prefix, self.tool, *map(str, args)], text=True,
                           stdout=subprocess.PIPE, check=True, env=env)
        return p.stdout.splitlines()

    def samples(self, *args, **kw):
        return [int(line.split()[0]) for line in self.run(*args, **kw)]

    def turns(self, *jobs, rounds=None, warm_up=True):
        """Run each job once a round, in turns; one list of samples a job.
        A round before them only warms up."""
        found = [[] for _ in jobs]
        for turn in range(not warm_up, (rounds or self.rounds) + 1):
            for i, job in enumerate(jobs):
                got = job()
                if turn:
                    found[i] += got
        return found

    @contextlib.contextmanager
    def daemon(self, what, **env):
        """A fresh one, and what it took and kept."""
        inst = svm.Instance(self.provider, binary=self.build / "stacyvm",
                            env={"STACYVM_LOGGING_LEVEL": "info", **env})
        try:
            inst.start()
            memory = Memory(inst.daemon_pid())
            start = memory.own(), memory.resident()
            if not self.quick:
                self.warm(inst)
                memory.wait_for_rest()
            warm = memory.own()
            yield inst
            if inst.answers():
                inst.destroy_all()
                inst.drop_client()
                self._memory(what, memory, start, warm)
        except BaseException:
            with contextlib.suppress(AssertionError): # a consequence
                inst.stop()
            raise
        inst.stop()

    def warm(self, inst):
        """One of each: code, buffers and caches there are from now on."""
        self.run("spawn", inst.socket, 1, self.provider, 0)
        sid = inst.sandbox(ttl="1h")["id"]
        self.run("exec", inst.socket, sid, 1)
        self.run("stream", inst.socket, sid, MIB, 1)
        self.run("put", inst.socket, sid, "/tmp/f", MIB, 1)
        self.run("get", inst.socket, sid, "/tmp/f", 1)
        self.run("request", inst.socket, "/sandboxes", 1, 1)
        self.run("events", inst.socket, 1, 1, 1)
        inst.api("DELETE", f"/sandboxes/{sid}", check=200)
        inst.drop_client()

    def _memory(self, what, memory, start, warm):
        def kept():
            return memory.own() - warm

        most = self.few(KEPT_COLD_KIB, KEPT_KIB)
        with contextlib.suppress(svm.Timeout):
            if not self.quick:
                memory.wait_for_rest()
            svm.wait_for(lambda: kept() < most, "memory to be given back", 10)
        own, resident = memory.own(), memory.resident()
        self.table.memory.append((what, *(f"{n} KiB" for n in
                                          (start[0], warm, own)),
                                  *(f"{n / 1024:.1f} MiB" for n in
                                    (start[1], memory.most(), resident))))
        if own - warm > most and not svm.SANITIZED:
            self.table.failures.append(
                f"{what}: the daemon kept {own - warm} KiB of memory")

    def close(self):
        shutil.rmtree(self.tmp, ignore_errors=True)
