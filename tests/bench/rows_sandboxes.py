# SPDX-License-Identifier: MIT
"""Sandboxes: one at a time, from a pool, many at once, many that stay."""
import shutil

import svm
from measure import (kib, median, ms, percentile, processes, pss_of, topic)
from peers import peers


@topic("spawn")
def spawn(b):
    with (b.daemon("spawn, exec, destroy") as inst,
          b.daemon("the same, nothing made ahead",
                   STACYVM_PROVIDERS_NATIVE_SPARES="0") as plain):
        others = peers(b)
        ours, tight, anew, *theirs = b.turns(
            lambda: b.samples("spawn", inst.socket, 10, b.provider, 20),
            lambda: b.samples("spawn", inst.socket, 10, b.provider, 0),
            lambda: b.samples("spawn", plain.socket, 10, b.provider, 0),
            *others.values())
        beside = ", ".join(f"{n} {ms(median(s))}"
                           for n, s in zip(others, theirs))
        b.table.samples(f"{b.provider}: spawn + first exec, unix socket, one "
                        "every 20 ms", ours, beside, "< 3 ms, p99 < 8 ms")
        b.table.samples("one right after another is destroyed", tight, "", "")
        b.table.samples("with no box made ahead "
                        "(`providers.native.spares: 0`)", anew, "", "")


@topic("claim")
def claim(b):
    with b.daemon("claims") as inst:
        inst.api("POST", "/templates", {
            "name": "warm", "image": "host", "provider": b.provider,
            "pool_size": b.few(1, 4)}, check=201)
        ours, cold = b.turns(
            lambda: b.samples("claim", inst.socket, "warm", 10),
            lambda: b.samples("spawn", inst.socket, 10, b.provider, 0))
        b.table.samples("spawn from a template with a warm copy", ours,
                        f"spawn + first exec {ms(median(cold))}", "< 1 ms")
        inst.api("DELETE", "/templates/warm", check=200)


@topic("exec")
def execute(b):
    with b.daemon("exec") as inst:
        sid = inst.sandbox(ttl="1h")["id"]
        api, cli, static, dynamic = b.turns(
            lambda: b.samples("exec", inst.socket, sid, 50),
            lambda: b.samples("child", 10, inst.binary, "exec", sid, "--",
                              "true", env=inst.env),
            lambda: b.samples("child", 10, b.true),
            lambda: b.samples("child", 10, shutil.which("true")))
        beside = (f"`true` in no sandbox {ms(median(dynamic))}, "
                  f"static program {ms(median(static))}")
        b.table.samples("exec of `true` in a live sandbox, unix socket", api,
                        beside, "< 1 ms, p99 < 3 ms")
        b.table.samples("`stacyvm exec ID -- true`, whole process", cli,
                        beside, "< 4 ms")


@topic("spawns")
def spawns(b):
    count = b.few(20, 200)
    with b.daemon(f"{count} spawns at once") as inst:
        one, many = b.turns(
            lambda: b.samples("spawn", inst.socket, 10, b.provider, 0),
            lambda: b.samples("spawns", inst.socket, count, b.provider),
            rounds=b.few(1, 3))
        b.table.row(f"{count} spawns at once: each, and the last",
                    f"{ms(median(many))}, {ms(max(many))}",
                    ms(percentile(many, .99)),
                    f"{count} one after another {ms(median(one) * count)}",
                    "all succeed")


@topic("tcp")
def tcp(b):
    n = b.few(5, 100)
    port = svm.free_port()
    with b.daemon("TCP", STACYVM_SERVER_PORT=str(port)):
        ours, floor = b.turns(
            lambda: b.samples("request", port, "/health", 1, n),
            lambda: b.samples("echo", "tcp", 1, 60, 200, n),
            rounds=b.few(1, 10))
    b.table.row("`/health` over loopback TCP", f"{median(ours) / 1e3:.0f} µs",
                f"{percentile(ours, .99) / 1e3:.0f} µs",
                f"bare epoll echo {median(floor) / 1e3:.0f} µs")


@topic("live")
def live(b):
    """As they become more: what is asked often stays as fast, a list costs
    the same for each, and so does a spawn."""
    steps = b.few((0, 5, 30), (0, 100, 1000))
    with b.daemon(f"{steps[-1]} live sandboxes") as inst:
        idle = kib(f"/proc/{inst.daemon_pid()}/status", "VmRSS")
        available = kib("/proc/meminfo", "MemAvailable")
        before, times, ids = processes(), [], []
        for step in steps:
            for line in b.run("keep", inst.socket, step - len(ids),
                              b.provider):
                ns, sid = line.split()
                times.append(int(ns))
                ids.append(sid)
            ask(b, inst, step)
        each = (available - kib("/proc/meminfo", "MemAvailable")) / len(ids)
        remains(b, inst, len(ids), each)
        pss = [pss_of(p) for p in processes() - before]
        grow(b, inst, ids, times, pss, idle)


def ask(b, inst, count):
    """GET /health and the list, beside the same bytes through an epoll loop."""
    request = len("GET /api/v1/sandboxes HTTP/1.1\r\nHost: localhost\r\n\r\n")
    n = b.few(5, 100)
    size = len(inst.api("GET", "/sandboxes", check=200).body)
    conns = b.few(4, 32)
    health, many, whole, echo, echoes, moved = b.turns(
        lambda: b.samples("request", inst.socket, "/health", 1, n),
        lambda: b.samples("request", inst.socket, "/health", conns, n),
        lambda: b.samples("request", inst.socket, "/sandboxes", 1,
                          b.few(2, 10)),
        lambda: b.samples("echo", "unix", 1, request, 200, n),
        lambda: b.samples("echo", "unix", conns, request, 200, n),
        lambda: b.samples("echo", "unix", 1, request, size, b.few(2, 10)),
        rounds=b.few(1, 10))
    b.table.row(f"`/health` with {count} live sandboxes",
                f"{median(health) / 1e3:.0f} µs, {per_second(conns, many)}/s",
                f"{percentile(health, .99) / 1e3:.0f} µs",
                f"bare epoll echo {median(echo) / 1e3:.0f} µs, "
                f"{per_second(conns, echoes)}/s", "flat")
    item = f", {median(whole) / count / 1e3:.2f} µs an item" if count else ""
    b.table.row(f"`GET /sandboxes` with {count}: {size / 1024:.0f} KiB",
                f"{median(whole) / 1e3:.0f} µs{item}",
                f"{percentile(whole, .99) / 1e3:.0f} µs",
                f"bare epoll echo of that {median(moved) / 1e3:.0f} µs",
                "flat for each item")


def per_second(conns, rounds):
    return f"{conns / (median(rounds) / 1e9):.0f}"


def remains(b, inst, count, each):
    alive = sum(s["state"] == "running"
                for s in inst.api("GET", "/sandboxes", check=200).json())
    b.table.row(f"{count} live {b.provider} sandboxes", f"{alive} running", "",
                f"{each:.0f} KiB of MemAvailable each", "all, < 600 KiB each")
    if alive != count:
        b.table.failures.append(f"only {alive} of {count} sandboxes live")


def grow(b, inst, ids, times, pss, idle):
    full = kib(f"/proc/{inst.daemon_pid()}/status", "VmRSS")
    tenth = max(len(ids) // 10, 1)
    early, late = median(times[:tenth]), median(times[-tenth:])
    gone = b.samples("drop", inst.socket, len(ids))
    inst.drop_client()
    b.table.row("memory of an agent (PSS)",
                f"{median(pss) if pss else 0:.0f} KiB", "", "", "< 64 KiB")
    b.table.row("spawn at the beginning and at the end of that",
                f"{ms(early)}, {ms(late)}", "", f"{late / early:.2f}x",
                "< 1.3x, 1.6x on cgroup v1")
    b.table.samples("destroying each of them", gone)
    b.table.row("daemon resident: idle, per sandbox",
                f"{idle / 1024:.1f} MiB, {(full - idle) / len(ids):.1f} KiB",
                "", "", "< 8 MiB, < 16 KiB")
    assert inst.api("GET", "/sandboxes").json() == []


