# SPDX-License-Identifier: MIT
"""Who waits is told so, and who has enough leaves."""
import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from screen import Screen
from terminal import Terminal
import svm

TERM = {"TERM": "xterm-256color"}
LOOP = "trap : INT; echo on; while :; do sleep 0.1; done"


@pytest.fixture
def hung(inst):
    """Instances whose daemon does nothing until it is told to go on."""
    inst.start()
    pid = inst.daemon_pid()

    def stop():
        os.kill(pid, signal.SIGSTOP)
        svm.wait_for(lambda: svm.processes()[pid][1] == "T", "the daemon to stop")

    yield stop
    os.kill(pid, signal.SIGCONT)


def go_on(inst):
    os.kill(inst.daemon_pid(), signal.SIGCONT)


def test_a_slow_daemon_is_told_of(inst, hung):
    hung()
    t = Terminal(inst, "list", env=TERM)
    t.expect(b"waiting for the daemon")
    go_on(inst)
    t.expect(b"ID  NAME")
    assert t.end() == 0
    # Not to who paints nothing over, and not in a pipe.
    hung()
    for env in ({"TERM": "dumb"}, {**TERM, "ACCESSIBLE": "1"}):
        t = Terminal(inst, "list", "--timeout", "1s", env=env)
        assert "waiting" not in t.rest()
        assert t.end() == 124
    assert "waiting" not in inst.run("list", "--timeout", "1s").errtext


def test_a_silent_daemon_is_named(inst, hung):
    """Also where nothing is painted over: once, and what ends it."""
    pid = inst.daemon_pid()
    said = f"waiting for the daemon (pid {pid}) to answer"
    hung()
    t = Terminal(inst, "list", env=TERM)
    t.expect(said.encode())
    go_on(inst)
    t.expect(b"ID  NAME")
    assert t.end() == 0
    hung()
    p = inst.popen("list", "--json")
    assert p.stderr.readline().decode() == f"stacyvm: {said}\n"
    go_on(inst)
    out, err = p.communicate(timeout=30)
    assert (p.returncode, out, err) == (0, b"[]\n", b"")
    hung()
    assert inst.run("list", "-q", "--timeout", "4s").errtext.count(said) == 0
    r = inst.must_fail("list", "--timeout", "4s")
    assert r.code == 124 and r.errtext.count(said) == 1, r
    assert f"kill -9 {pid} " in r.errtext and "daemon logs" in r.errtext
    # Ctrl-C once it was said, too.
    t = Terminal(inst, "list", env={"TERM": "dumb"})
    t.expect(said.encode())
    t.send(b"\x03")
    t.rest()
    assert t.end() == -signal.SIGINT


def test_a_daemon_that_hangs_is_not_waited_for_to_stop(inst, hung):
    hung()
    r = inst.must_fail("daemon", "stop", "--timeout", "100ms")
    assert r.code == 124 and "doesn't answer" in r.errtext, r
    assert f"kill -9 {inst.daemon_pid()}\n" in r.errtext


def test_ctrl_c_leaves_at_once(inst, hung):
    hung()
    t = Terminal(inst, "list", env=TERM)
    t.expect(b"waiting for the daemon")
    t.send(b"\x03")
    t.rest()
    assert t.end() == -signal.SIGINT


def test_following_the_daemon_s_log_ends_in_time(inst):
    inst.start()
    r = inst.must_fail("daemon", "logs", "-f", "--timeout", "300ms")
    assert r.code == 124 and r.out and "--timeout" in r.errtext


def test_the_start_of_a_daemon_is_told_once(inst):
    t = Terminal(inst, "spawn", "-q", env=TERM)
    assert "started the daemon" not in t.rest(), "-q"
    t.end()
    inst.ok("daemon", "stop")
    t = Terminal(inst, "spawn", env=TERM)
    assert t.rest().count("stacyvm: started the daemon (pid ") == 1
    assert t.end() == 0
    t = Terminal(inst, "list", env=TERM)
    assert "started" not in t.rest()
    assert t.end() == 0
    inst.ok("daemon", "stop")
    assert inst.ok("list").err == b""


@pytest.fixture
def taken(provider):
    """An instance whose port another has, and that port."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        inst = svm.Instance(provider, env={"STACYVM_SERVER_PORT": str(port)})
        yield inst, port
        inst.stop()


def test_a_taken_port_is_told_when_the_daemon_starts(taken):
    """Once, on stderr, by whom; `curl` would talk to whoever has it."""
    inst, port = taken
    r = inst.ok("list", "--json")
    assert r.text == "[]\n"
    assert r.errtext.count("\n") == 1, r
    assert f"port {port} on 127.0.0.1 is held by process {os.getpid()} (" \
        in r.errtext
    assert f" of uid {os.getuid()}: Address already in use" in r.errtext
    assert inst.socket in r.errtext, "where the API is"
    assert "config set server.port" in r.errtext
    assert inst.ok("list").err == b"", "once"
    inst.ok("daemon", "stop")
    assert inst.ok("list", "-q").err == b""
    inst.ok("daemon", "stop")
    t = Terminal(inst, "list", env=TERM)
    text = t.rest()
    assert "started the daemon" in text and f"port {port} on" in text
    assert t.end() == 0


def test_the_dashboard_tells_of_a_taken_port(taken):
    inst, port = taken
    with Screen(inst, "tui") as t:
        t.step(f"wait no API on TCP, port {port}")


def test_who_has_the_port_is_not_trusted(provider, tmp_path):
    """Its name comes from whoever has it."""
    code = ("import socket, sys\n"
            "open('/proc/self/comm', 'w').write('a\\x1b[31m\\nb')\n"
            "s = socket.socket(socket.AF_INET6)\n"
            "s.bind(('::', 0)); s.listen()\n"
            "print(s.getsockname()[1], flush=True)\n"
            "sys.stdin.read()\n")
    with subprocess.Popen([sys.executable, "-c", code], text=True,
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:
        port = other.stdout.readline().strip()
        inst = svm.Instance(provider, env={"STACYVM_SERVER_PORT": port})
        r = inst.run("list")
        other.stdin.close()
    inst.stop()
    assert r.code == 0 and f"process {other.pid} (a" in r.errtext, r
    assert b"\x1b" not in r.err and r.err.count(b"\n") == 1


def test_the_second_ctrl_c_says_what_it_left(shared, box):
    t = Terminal(shared, "exec", box, "--", "sh", "-c", LOOP)
    t.expect(b"on")
    t.send(b"\x03")
    t.expect(b"Ctrl-C again to leave")
    t.send(b"\x03")
    t.expect(b"left without waiting for the command; it is killed")
    t.rest()
    assert t.end() == 130


def test_one_more_skips_the_clean_up(inst, hung):
    t = Terminal(inst, "spawn", "--rm", "--", "sh", "-c", LOOP)
    t.expect(b"on")
    hung()
    t.send(b"\x03")
    t.expect(b"Ctrl-C again to leave")
    t.send(b"\x03")
    t.expect(b"left without waiting")
    # From here on a signal is the clean-up's.
    svm.wait_for(lambda: t.p.poll() is not None or t.send(b"\x03") or
                 b"could not be removed" in t.now(), "it to be left")
    text = t.rest()
    assert t.end() == 130
    sid = re.search(r"stacyvm kill (sb-\w+)", text).group(1)
    go_on(inst)
    inst.run("kill", "-f", sid)
