# SPDX-License-Identifier: MIT
"""What is shown while a slow daemon keeps the dashboard waiting."""
import fcntl
import os
import re
import signal
import threading
import time

import pytest

from screen import RESTORED, Screen
from svm import wait_for
from test_tui_data import configure
from test_tui_hostile import FakeDaemon, json_reply, sse

STEPS = "daemon ... socket ... fleet"


class SlowDaemon(FakeDaemon):
    """It listens, and answers once it is told to."""

    def __init__(self, inst):
        self.answers = threading.Event()
        super().__init__(inst, self.answer)

    @staticmethod
    def answer(self, conn, target):
        self.answers.wait(120)
        if "follow=false" in target:
            conn.sendall(sse(b""))
        elif "/events" in target:
            conn.sendall(sse(b": here\n\n"))
            self.ended.wait(120)
        else:
            conn.sendall(json_reply("{}" if "health" in target or
                                    "metrics" in target else "[]"))

    def close(self):
        self.answers.set()
        super().close()


@pytest.fixture
def slow(inst):
    d = SlowDaemon(inst)
    yield d
    d.close()


def ticks(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        text = f.read()
    return int(text.split("\nvoluntary_ctxt_switches:")[1].split()[0])


@pytest.mark.parametrize("size", ["50x200", "40x120", "24x80", "16x60"])
def test_until_it_answers(inst, slow, size):
    with Screen(inst, "tui", size=size, seconds=30) as t:
        t.step(f"wait {STEPS}", "wait STACYVM", "wait ^C quit")
        slow.answers.set()
        t.end(f"gone {STEPS}", "wait live", "send q", "exit 0", RESTORED)


def test_ctrl_c_quits(inst, slow):
    with Screen(inst, "tui", seconds=30) as t:
        t.end(f"wait {STEPS}", "send ^C", "exit 0", RESTORED)


def test_any_key_skips_and_is_not_lost(inst, slow):
    with Screen(inst, "tui", seconds=30) as t:
        t.step(f"wait {STEPS}", "send 7", f"gone {STEPS}", "wait EVENTS")
        t.end("send q", "exit 0", RESTORED)


def test_a_quick_daemon_is_not_announced(inst):
    """Nor is one that is only slow now and then: it comes after 300 ms."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui", env={"STACYVM_NO_AUTOSTART": "1"}) as t:
        t.end(f"wait {s}", f"gone {STEPS}", "send q", "exit 0", RESTORED)


def test_without_motion_it_sleeps(inst, slow):
    configure(inst, "ui:\n  motion: false\n")
    with Screen(inst, "tui", seconds=60) as t:
        t.step(f"wait {STEPS}")
        before = ticks(t.pid())
        time.sleep(3)  # the time without a wake-up is what is measured
        assert ticks(t.pid()) - before <= 2
        t.end("send ^C", "exit 0", RESTORED)


@pytest.fixture
def lock(inst):
    """Another program is about to start the same daemon."""
    os.makedirs(inst.runtime, mode=0o700)
    fd = os.open(inst.runtime / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    yield fd
    os.close(fd)


def waited_for(lock):
    """Somebody waits for it."""
    with open("/proc/locks", encoding="ascii") as f:
        return re.search(rf"-> FLOCK .*:{os.fstat(lock).st_ino} ", f.read())


def test_while_one_is_started(inst, lock):
    """And takes its time."""
    with Screen(inst, "tui", seconds=60) as t:
        t.step("wait starting daemon ... socket ... fleet")
        fcntl.flock(lock, fcntl.LOCK_UN)
        t.step("gone starting daemon", "wait live")
        t.end("send q", "exit 0", RESTORED)


def test_while_one_is_started_ctrl_c_quits(inst, lock):
    with Screen(inst, "tui", seconds=60) as t:
        t.step("wait starting daemon ... socket ... fleet")
        wait_for(lambda: waited_for(lock), "it to wait for the lock")
        t.end("send ^C", "exit 0", RESTORED)
    wait_for(lambda: not waited_for(lock), "nobody to wait any more")


@pytest.mark.parametrize("argv", [("list",), ("cp", "x:/y", "-")])
def test_while_one_is_started_a_command_is_interrupted(inst, lock, argv):
    """Whether it has asked for signals, as cp has, or not."""
    p = inst.popen(*argv)
    wait_for(lambda: waited_for(lock), "it to wait for the lock")
    p.send_signal(signal.SIGINT)
    assert p.wait(30) in (130, -signal.SIGINT)
    p.communicate()
    wait_for(lambda: not waited_for(lock), "nobody to wait any more")
    p = inst.popen(*argv)
    wait_for(lambda: waited_for(lock), "it to wait for the lock")
    fcntl.flock(lock, fcntl.LOCK_UN)
    assert p.wait(60) == (0 if argv[0] == "list" else 3), p.communicate()
    p.communicate()
