# SPDX-License-Identifier: MIT
"""Views that follow the daemon in place: list --watch, top, progress."""
import json
import os
import re
import signal
import time

import pytest

import screen
import svm
from terminal import Terminal

def Screen(inst, *argv, size="12x60", env=None, shell=False):
    return screen.Screen(inst, *argv, size=size, shell=shell,
                         env={"TERM": "xterm", **(env or {})})


def test_list_watch_follows_events(inst):
    inst.start()
    s = Screen(inst, "list", "--watch")
    s.step("wait 0 sandboxes", "prop alt 0", "prop cursor 0", "row 0 ID",
           "attr 0 0 bold")
    one = inst.spawn("--name", "first-one")
    s.step(f"row 1 {one}", "row 1 first-one", "row 1 \u25cf running",
           "wait 1 sandbox ")
    two = inst.spawn()
    s.step(f"wait {two}", "wait 2 sandboxes")
    inst.ok("kill", one)
    s.end(f"gone {one}", f"row 1 {two}", "wait 1 sandbox ",
          # what a terminal sends by itself is no key
          "send \\e[A\\eOq\\e]11;rgb:q\\x07\\eP1$rq\\e\\\\",
          "prop cursor 0", "send q", "exit 0", "prop cursor 1")


def test_list_watch_shows_what_is_used(inst):
    """CPU of those that have a row; what is asked for that isn't told to who
    reads JSON, and a narrow terminal leaves the provider out first."""
    inst.start()
    one = inst.spawn("--ttl", "30m")
    s = Screen(inst, "list", "--watch", size="12x90")
    s.step("row 0 PROVIDER  CPU  TTL", "row 1 \u2014  ",
           "row 2 1 sandbox \u00b7 q quit \u00b7 ? keys \u00b7 100%")
    s.step("row 1 %  ", "size 12 48", "gone PROVIDER", f"row 1 {one}",
           "row 1 %  ", "row 2 1 sandbox \u00b7 q quit \u00b7 ? keys",
           "gone one processor", "size 12 40", "row 0 ID           STATE",
           "row 1 %  ", "size 12 24", "wait q quit")
    s.end("send q", "exit 0")
    assert "cpu" not in inst.ok("list", "--json").json()[0]


def test_nobody_is_asked_where_nobody_has_a_row(inst):
    inst.start()
    one = inst.spawn()

    def asked():
        told = inst.api("GET", "/metrics", check=200).json()["operations"]
        return sum(o["count"] for o in told
                   if o["operation"] == "sandbox.stats")

    s = Screen(inst, "list", "--watch", "--filter", "id=nobody")
    s.step("wait 0 sandboxes")
    for n in range(3):
        inst.ok("rename", one, f"name-{n}")
    s.end("send q", "exit 0")
    w = Lines(inst, "list", "-w", "--json")
    w.until(lambda x: one in x)
    inst.ok("rename", one, "last")
    assert "cpu" not in json.loads(w.until(lambda x: "last" in x))
    w.end()
    assert asked() == 0
    inst.ok("top", "-n", "1", "-d", "100ms")
    assert asked() > 0, "it would be seen here"


def test_the_keys_of_a_view(inst):
    inst.start()
    one = inst.spawn()
    for argv in (("list", "-w"), ("top", "-d", "1h")):
        s = Screen(inst, *argv, size="12x80")
        s.step(f"row 1 {one}", "wait ? keys", "send ?", "wait fg comes back",
               "wait any key goes on", f"row 1 {one}", "prop alt 0",
               "send q", "gone fg comes back", "wait q quit", "send ?",
               "wait Ctrl-Z", "size 4 80", "wait quit, with status",
               "size 12 80", "send \\e", "gone Ctrl-Z", f"wait {one}")
        s.end("send q", "exit 0", "prop cursor 1")
    assert "fg comes back" in inst.ok("help", "keys").text.split("top, on")[1]


def test_list_watch_counts_down(inst):
    inst.start()
    inst.spawn("--ttl", "59s")
    s = Screen(inst, "list", "--watch")
    s.step("wait 1 sandbox ")

    def left():
        return int(re.search(r"\b(\d+)s\b", "\n".join(s.step("snap")))[1])

    first = left()
    s.step(f"gone {first}s")
    second = left()
    assert second < first
    s.end(f"gone {second}s", "send q", "exit 0")


@pytest.mark.parametrize("how,status", [
    ("send ^C", 130), ("kill TERM", 143), ("kill HUP", 129), ("send q", 0)])
def test_the_terminal_is_put_back(inst, how, status):
    inst.start()
    s = Screen(inst, "bash", "--norc", "-i", shell=True, env={"PS1": "ready>"})
    s.step("wait ready>", "send stty -a >before\\r",
           f"send {inst.binary} list -w; echo status=$?; stty -a >after\\r",
           "wait 0 sandboxes")
    if how.startswith("kill"):
        pid = svm.wait_for(lambda: watcher(s), "the watcher")
        os.kill(pid, getattr(signal, "SIG" + how.split()[1]))
    else:
        s.step(how)
    s.end(f"wait status={status}", "prop cursor 1", "prop alt 0",
          "send exit\\r", "exit 0")
    assert (inst.home / "before").read_text() == (inst.home / "after").read_text()


def watcher(screen):
    found = [p for p, name in svm.descendants(screen.p.pid).items()
             if name == "stacyvm"]
    return found[0] if found else None


def test_ctrl_z_and_fg(inst):
    inst.start()
    s = Screen(inst, "bash", "--norc", "-i", shell=True, env={"PS1": "ready>"})
    s.step("wait ready>", f"send {inst.binary} list -w\\r", "wait 0 sandboxes",
           "prop cursor 0", "send ^Z", "wait Stopped", "prop cursor 1",
           "send stty -a | grep -c '[^-]icanon'\\r", "wait 1")
    one = inst.spawn()
    s.end("send fg\\r", f"wait {one}", "prop cursor 0", "send q",
          "prop cursor 1", "send exit\\r", "exit 0")


def test_resize(inst):
    """A narrower terminal breaks rows in two: nothing of them may stay."""
    inst.start()
    ids = [inst.spawn("--name", f"a-rather-long-name-{n}") for n in range(3)]
    s = Screen(inst, "list", "-w", size="20x100")
    s.step("wait 3 sandboxes")
    for size in ("20 44", "20 100", "6 30", "20 60", "1 1", "20 80"):
        s.step(f"size {size}")
    out = s.end("wait 3 sandboxes", *(f"wait {i}" for i in ids), "snap",
                "send q", "exit 0")
    assert out.count("q quit") == 1, out
    assert all(out.count(i) >= 1 for i in ids), out


def test_a_small_terminal_shows_what_fits(inst):
    inst.start()
    for _ in range(8):
        inst.spawn()
    out = Screen(inst, "list", "-w", size="5x60").end(
        "wait 8 sandboxes", "row 0 ID", "snap", "send q", "exit 0")
    assert len(re.findall("sb-", out)) == 3, out


def test_the_daemon_goes_and_comes_back(inst):
    inst.start()
    one = inst.spawn()
    s = Screen(inst, "list", "-w", size="12x90")
    s.step(f"wait {one}")
    inst.ok("daemon", "stop")
    s.step("wait the daemon is gone", f"wait {one}")
    assert inst.daemon_pid() is None, "it was started again"
    inst.start()
    s.step("gone the daemon is gone")
    two = inst.spawn()
    s.end(f"wait {two}", "send q", "exit 0")


@pytest.mark.parametrize("env,args", [
    ({"ACCESSIBLE": "1"}, ()), ({"TERM": "dumb"}, ()), ({"TERM": ""}, ()),
    ({}, ("--plain",))])
def test_nothing_is_painted_for_who_wants_none(inst, env, args):
    inst.start()
    s = Screen(inst, "list", "-w", *args, env=env, size="12x120")
    one = inst.spawn()
    s.step(f"wait {one}", "prop cursor 1")
    inst.ok("kill", one)
    s.end("wait destroyed", "send ^C", "exit 130")


def test_no_color(inst):
    inst.start()
    inst.spawn()
    s = Screen(inst, "list", "-w", env={"NO_COLOR": "1"})
    s.end("wait 1 sandbox ", "attr 0 0 plain", "send q", "exit 0")


def test_ascii_where_the_locale_has_no_more(inst):
    inst.start()
    inst.spawn()
    Screen(inst, "list", "-w", env={"LC_ALL": "C"}).end(
        "row 1 * running", "send q", "exit 0")


# -- progress

def test_a_spawn_that_takes_long(inst):
    pid = inst.start().daemon_pid()
    try:
        for env, there in (({}, "wait"), ({"TERM": "dumb"}, "gone"),
                           ({"ACCESSIBLE": "1"}, "gone")):
            os.kill(pid, signal.SIGSTOP)
            s = Screen(inst, "spawn", env=env)
            if there == "wait":
                s.step("wait starting  ", "prop cursor 1")
            os.kill(pid, signal.SIGCONT)
            s.end("wait sb-", "wait next:  stacyvm shell", "gone starting",
                  "exit 0")
        os.kill(pid, signal.SIGSTOP)
        s = Screen(inst, "spawn")
        s.end("wait starting", "send ^C", "exit 130", "prop cursor 1")
    finally:
        os.kill(pid, signal.SIGCONT)


def boxes(inst):
    return inst.api("GET", "/sandboxes", check=200).json()


def test_a_spawn_says_how_far_it_is(new_instance):
    inst = new_instance(env={"STACYVM_DEFAULTS_MAX_SANDBOXES": "1",
                             "STACYVM_DEFAULTS_SPAWN_OVERFLOW": "queue",
                             "STACYVM_DEFAULTS_SPAWN_QUEUE_TIMEOUT": "10m"})
    inst.start()
    first = inst.spawn()
    for name, last in (("quick", "true"), ("slow", "sleep 1000")):
        inst.api("POST", "/templates", {"name": name, "image": "host",
                                        "setup": ["true", last]}, check=201)
    s = Screen(inst, "spawn", "--template", "quick", size="24x120")
    s.step("wait waiting for room (1 of yours wait)  ")
    inst.api("DELETE", f"/sandboxes/{first}", check=200)
    s.end("wait next:  stacyvm shell", "gone waiting for room", "exit 0")
    inst.api("DELETE", f"/sandboxes/{boxes(inst)[0]['id']}", check=200)

    s = Screen(inst, "spawn", "--template", "slow", size="24x120")
    s.end("wait setting up (command 2 of 2)  ", "send ^C", "exit 130",
          "prop cursor 1")
    svm.wait_for(lambda: not boxes(inst), "what was half made to go")

    r = inst.ok("spawn", "--template", "quick", "--progress=plain")
    sid = r.text.strip()
    assert r.errtext.splitlines()[:3] == [
        f"starting {sid}", "setting up (command 1 of 2)",
        "setting up (command 2 of 2)"]
    r = inst.run("spawn", "--template", "nothing", "--progress=plain")
    assert r.code == 3 and "nothing" in r.errtext


def test_a_copy_that_takes_long(inst):
    one = inst.spawn()
    flow = ("while ! [ -e stop ]; do head -c 100000 /dev/zero; done | "
            f"{inst.binary} cp - {one}:/workspace/x")
    s = Screen(inst, "bash", "-c", flow, shell=True, size="8x70")
    s.step("row 0 -  ", "row 0 iB/s")
    (inst.home / "stop").touch()
    s.end("exit 0", "row 0 iB/s", "row 1 ", "cursor 1 0")
    (inst.home / "stop").unlink()
    begun = time.monotonic()
    s = Screen(inst, "bash", "-c", flow, shell=True, size="8x70",
               env={"TERM": "dumb"})
    (inst.home / "stop").touch()
    s.step("exit 0")
    quick = time.monotonic() - begun < 5  # then nothing is told
    s.end(*(["cursor 0 0"] if quick else []))


# -- lines, where it is no terminal

class Lines:
    """A command whose lines are read as they come."""

    def __init__(self, inst, *args):
        self.p = inst.popen(*args)

    def until(self, condition):
        while True:
            line = self.p.stdout.readline().decode()
            assert line, self.p.stderr.read()
            if condition(line):
                return line

    def end(self, sig=signal.SIGTERM):
        self.p.send_signal(sig)
        out, err = self.p.communicate(timeout=60)
        return svm.Result(self.p.args, self.p.returncode, out, err)


def test_watch_in_a_pipe(inst):
    inst.start()
    one = inst.spawn("-l", "a=b")
    w = Lines(inst, "list", "--watch")
    assert w.until(lambda x: True).startswith("ID\tNAME\tSTATE")
    assert w.until(lambda x: one in x).split("\t")[2] == "running"
    two = inst.spawn()
    w.until(lambda x: two in x and "running" in x)
    inst.ok("kill", one)
    line = w.until(lambda x: one in x and "destroyed" in x)
    assert "\x1b" not in line
    r = w.end()
    assert r.code == 143 and r.err == b""


def test_watch_as_json(inst):
    inst.start()
    w = Lines(inst, "list", "-w", "--json", "--filter", "metadata.a=b")
    inst.spawn()
    one = inst.spawn("-l", "a=b")
    got = json.loads(w.until(lambda x: '"running"' in x))
    assert got["id"] == one and got["state"] == "running"
    inst.ok("extend", one, "2h")
    later = json.loads(w.until(lambda x: True))
    assert later["id"] == one and later["expires_at"] > got["expires_at"]
    inst.ok("rename", one, "web")
    assert json.loads(w.until(lambda x: True))["name"] == "web"
    inst.ok("label", one, "c=d")
    assert json.loads(w.until(lambda x: True))["metadata"] == {
        "a": "b", "c": "d"}
    inst.kill_daemon()
    inst.start()
    inst.ok("kill", one)
    assert json.loads(w.until(lambda x: "destroyed" in x))["id"] == one
    r = w.end(signal.SIGINT)
    assert r.code == 130 and b"waiting for it to come back" in r.err
    w = Lines(inst, "list", "-w", "--json=id,state")
    inst.spawn()
    assert set(json.loads(w.until(lambda x: True))) == {"id", "state"}
    w.end()


def test_watch_ends(inst):
    inst.start()
    assert inst.must_fail("list", "-w", "--timeout", "200ms").code == 124
    r = inst.must_fail("list", "-w", "--server", "unix:/nowhere")
    assert r.code == 5
    p = inst.popen("list", "-w")
    assert p.stdout.readline()
    p.stdout.close()
    assert p.wait(60) in (141, -signal.SIGPIPE)
    p.stderr.close()


def test_top(inst):
    inst.start()
    one, two = inst.spawn("--name", "busy-one"), inst.spawn()
    rows = inst.ok("top", "--json").json()
    assert {r["id"] for r in rows} == {one, two}
    assert all(r["stats"]["mem_bytes"] >= 0 for r in rows)
    # Printed is a rate between two looks, and the limit as it was asked for.
    assert all(r["stats"]["cpu_pct"] >= 0 for r in rows)
    assert all(r["stats"]["mem_limit_bytes"] in (0, r["memory_mb"] << 20)
               for r in rows), rows
    s = Screen(inst, "top", "-d", "1h", size="12x80")
    s.step(f"wait {one}", "row 1  - ")
    s.end("send q", "exit 0")
    text = inst.ok("top", "busy-one").text
    assert one in text and two not in text and "CPU" in text
    assert inst.must_fail("top", "nobody").code == 3
    assert inst.must_fail("top", "-d", "1ms").code == 2
    assert inst.ok("top", "-n", "2", "-d", "100ms", "--no-header",
                   "-q").text.count(one) == 2
    s = Screen(inst, "top", "-d", "100ms", size="12x80")
    s.step(f"wait {one}", "row 0 MEMORY", "wait 100% is one processor")
    inst.ok("kill", two)
    s.end(f"gone {two}", f"wait {one}", "send q", "exit 0", "prop cursor 1")


def test_the_terminal_is_asked_nothing(inst):
    """What it would answer could end up as somebody's input."""
    inst.start()
    master, slave = os.openpty()
    p = inst.popen("list", "-w", stdin=slave, stdout=slave, stderr=slave,
                   env={"TERM": "xterm"}, start_new_session=True)
    os.close(slave)
    text = b""
    while b"q quit" not in text:
        text += os.read(master, 65536)
    os.write(master, b"q")
    assert p.wait(60) == 0
    os.close(master)
    for ask in (b"$p", b"?69", b"$q", b"[c", b"[6n", b"?1049", b"]"):
        assert ask not in text, text


def test_a_terminal_that_is_not_ours_to_control_is_restored_too(shared):
    t = Terminal(shared, "list", "--watch", "--timeout", "1s",
                 env={"TERM": "xterm-256color"}, controls=False)
    t.rest()
    t.end()
