# SPDX-License-Identifier: MIT
"""Who waits is told so, and who has enough leaves."""
import os
import re
import signal

import pytest
from terminal import Terminal
import svm

TERM = {"TERM": "xterm-256color"}
LOOP = "trap : INT; echo on; while :; do sleep 0.1; done"


@pytest.fixture
def hung(inst):
    """Instances whose daemon does nothing until it is told to go on."""
    inst.start()
    pid = inst.daemon_pid()
    yield lambda: os.kill(pid, signal.SIGSTOP)
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
