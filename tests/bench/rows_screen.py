# SPDX-License-Identifier: MIT
"""The dashboard, on a terminal of tests/screen/driver.c, which has the clock:
a lap ends when the screen shows what was waited for."""
import os
import select
import shutil
import subprocess

from measure import MIB, kib, median, ms, percentile, rate, topic
from screen import Screen

PROMPT = "send PS1='$ '\\r\nwait $\n" # whoever one is
FRAME = 1 / 60 # what the dashboard leaves between two
TICK = 1000 // os.sysconf("SC_CLK_TCK")


def laps(lines, name="lap"):
    return [int(line.split()[1]) for line in lines if line.startswith(f"{name} ")]


def calm():
    """Longer than a frame in which nothing happens: it is not to be waited
    for but to be there."""
    select.select([], [], [], 2 * FRAME)


def first_frame(inst, *wait, argv=None):
    """Once: the start of a program until the screen shows all of `wait`."""
    with Screen(inst, *(argv or ["tui"]), shell=bool(argv)) as t:
        return laps(t.end(*(f"wait {w}" for w in wait), "lap lap",
                          "send q", "exit 0").splitlines())


def started(b, inst, count, *wait):
    ours, less = b.turns(
        lambda: first_frame(inst, *wait),
        lambda: first_frame(inst, "SPDX", argv=["less", __file__])
        if shutil.which("less") else [1], rounds=b.few(1, 10))
    b.table.samples(f"dashboard: start to full screen, {count} sandboxes",
                    ours, f"`less` of a file {ms(median(less))}"
                    if shutil.which("less") else "", "")


@topic("dashboard")
def dashboard(b):
    """It starts, sleeps and scrolls."""
    count = b.few(60, 1000)
    with b.daemon(f"a dashboard of {count} sandboxes") as inst:
        started(b, inst, 0, "no sandboxes", "healthy")
        sleep(b, inst)
        b.run("keep", inst.socket, count, b.provider)
        started(b, inst, count, f"/{count} ", "healthy")
        scroll(b, inst, count)
        b.run("drop", inst.socket, count)


def usage(pid):
    """(wakeups, ms of processor time) so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (kib(f"/proc/{pid}/status", "voluntary_ctxt_switches"),
            (int(fields[11]) + int(fields[12])) * TICK)


def sleep(b, inst):
    seconds = b.few(1, 10)
    with Screen(inst, "tui") as t:
        t.step("wait no sandboxes", "wait healthy")
        calm()
        before = usage(t.pid())
        select.select([], [], [], seconds)
        woken, spent = (a - b for a, b in zip(usage(t.pid()), before))
        resident = kib(f"/proc/{t.pid()}/status", "VmRSS")
        t.end("send q", "exit 0")
    b.table.row(f"dashboard: {seconds} s in which nothing happens",
                f"{woken} wakeups, {spent} ms of processor", "", "",
                "<= 2 wakeups in 10 s")
    b.table.row("dashboard: resident", f"{resident / 1024:.1f} MiB", "", "",
                "< 16 MiB")


def scroll(b, inst, count):
    def bottom():
        return laps(t.step("send " + "j" * (count - 1), f"wait {count}/{count}",
                           "lap lap", "send g", f"wait 1/{count}", "lap x"))

    def one():
        calm()
        return laps(t.step("lap x", "send j", f"wait 2/{count}", "lap lap",
                           "send k", f"wait 1/{count}"))

    with Screen(inst, "tui") as t:
        t.step("send 2", "wait FLEET", "send g", f"wait 1/{count}", "lap x")
        burst, key = b.turns(bottom, one, rounds=b.few(1, 20))
        resident = kib(f"/proc/{t.pid()}/status", "VmRSS")
        t.end("send q", "exit 0")
    b.table.samples(f"dashboard: {count} rows down, as fast as keys are sent",
                    burst)
    b.table.samples("dashboard: key to frame", key, "", "< 33 ms")
    b.table.row(f"dashboard: resident, with {count} sandboxes",
                f"{resident / 1024:.1f} MiB", "", "", "< 16 MiB")


@topic("dashboard-events")
def dashboard_events(b):
    """Keys, while events come as fast as the daemon tells them."""
    def keys():
        return laps(t.step("lap x", "send 3", "wait TEMPLATES ─", "lap lap",
                           "send 7", "wait EVENTS  kind", "lap lap"))

    with b.daemon("a flood of events") as inst, subprocess.Popen(
            [b.tool, "events", inst.socket, "1", "100", "1000000"],
            stdout=subprocess.DEVNULL) as flood:
        try:
            with Screen(inst, "tui", seconds=60) as t:
                t.step("wait live", "send 7", "wait QUOTA")
                [took] = b.turns(keys, rounds=b.few(1, 50))
                t.end("send q", "exit 0")
        finally:
            flood.kill()
    b.table.samples("dashboard: key to frame under a flood of events", took,
                    "", "< 33 ms")


@topic("terminal")
def terminal(b):
    """A live terminal of it, into which much is written."""
    with b.daemon("a flooded terminal") as inst:
        sid = inst.sandbox(ttl="1h", vcpus=os.cpu_count())["id"]
        with Screen(inst, "tui", seconds=60) as t:
            t.step(f"wait {sid}", "send t", "wait leaves", PROMPT)
            through(b, inst, t)
            flood(b, t)
            paste(b, t)
            t.end("send ^]", "gone leaves", "send q", "exit 0")


def through(b, inst, t):
    size = b.few(1, 100) * 1000 * 1000
    # As many lines as a file of text has; the shell's echo shows no "over".
    command = (f"yes $(seq 20) | head -c {size}; echo; echo o''ver; "
               "read x; clear\\r")

    def pane(screen):
        got = laps(screen.step("lap x", f"send {command}", "wait over",
                               "lap lap"))
        screen.step("send \\r", "gone over", "wait $")
        return got

    before = kib(f"/proc/{t.pid()}/status", "VmRSS")
    if shutil.which("tmux"):
        with Screen(inst, "tmux", "-f", "/dev/null", "new", "sh", shell=True,
                    seconds=60, env={"TMUX_TMPDIR": b.tmp}) as tmux:
            tmux.step("wait [0]", PROMPT)
            ours, theirs = b.turns(lambda: pane(t), lambda: pane(tmux),
                                   rounds=1, warm_up=False)
            tmux.end("send exit\\r", "exit 0")
        beside = f"`tmux` {rate(size, median(theirs))}"
    else:
        [ours] = b.turns(lambda: pane(t), rounds=1, warm_up=False)
        beside = ""
        b.table.missing.append("tmux is not installed")
    after = kib(f"/proc/{t.pid()}/status", "VmRSS")
    b.table.row(f"terminal: {size // 1000000} MB of output",
                rate(size, median(ours)), "", beside, "> 5 MB/s")
    b.table.row("dashboard resident before and after that",
                f"{before / 1024:.1f} MiB, {after / 1024:.1f} MiB", "", "",
                "< 16 MiB more")
    if after - before > 16 * MIB / 1024:
        b.table.failures.append(
            f"terminal: the dashboard kept {after - before} KiB of memory")


def flood(b, t):
    """Keys, while output comes as fast as it can."""
    def leave():
        return laps(t.step("lap x", "send ^]", "gone leaves", "lap lap",
                           "send t", "wait leaves"))

    def interrupt():
        return laps(t.step("send yes abc''defgh\\r", "wait abcdefgh", "gone ^C",
                           "lap x", "send ^C", "wait ^C", "lap lap"))

    rounds = b.few(1, 20)
    t.step("send yes abc''defgh\\r", "wait abcdefgh")
    [keys] = b.turns(leave, rounds=rounds)
    t.step("send ^C", "wait ^C")
    [ends] = b.turns(interrupt, rounds=rounds)
    b.table.samples("terminal: key to frame under `yes`", keys, "", "< 33 ms")
    b.table.samples("terminal: Ctrl-C to its echo under `yes`", ends, "",
                    "< 200 ms")


def paste(b, t):
    text = b"".join(b"%06d and what else is pasted\r" % i
                    for i in range(b.few(500, 12500)))
    script = ["send " + "".join(f"\\x{c:02x}" for c in text[i:i + 900])
              for i in range(0, len(text), 900)]

    def whole():
        return laps(t.step(
            "send clear; stty -echo; echo rea''dy; "
            f"head -c {len(text)} | wc -c; stty echo\\r",
            "wait ready", "lap x", *script, f"wait {len(text)}", "lap lap",
            "send clear\\r", "gone ready"))

    [took] = b.turns(whole, rounds=b.few(1, 3))
    b.table.row(f"terminal: paste of {len(text) // 1000} kB",
                ms(median(took)), ms(percentile(took, .99)), "", "all of it")
