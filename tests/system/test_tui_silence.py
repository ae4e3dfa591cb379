# SPDX-License-Identifier: MIT
"""A daemon that says nothing is told from one that has nothing to say."""
import contextlib
import os
import signal

import pytest

from screen import RESTORED, Screen
from test_tui_terminal import OPEN


@contextlib.contextmanager
def hung(inst):
    """While it does nothing."""
    pid = inst.daemon_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("size", ["32x120", "12x40"])
def test_silence_is_told_and_counted(inst, size):
    """Without a key pressed, and whatever was shown stays."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui", size=size) as t:
        t.step("send 2", f"wait ▌ {s}", "wait live")
        with hung(inst):
            t.step("wait no answer for ", "gone live", f"wait {s}")
            [line] = [x for x in t.step("snap") if "no answer for " in x]
            now = line.split("no answer for ")[1].split(" s")[0]
            t.step(f"gone no answer for {now} s", "wait no answer for ")
        t.end("wait live", "gone no answer for", f"wait {s}", "send q",
              "exit 0", RESTORED)


def test_silence_while_a_request_waits(inst):
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", "wait live")
        with hung(inst):
            t.step("send r", "wait no answer for ")
        t.end("wait live", "gone no answer for", f"wait {s}", "send q",
              "exit 0")


def test_silence_from_the_start(inst):
    """No start of a daemon is shown that is there and doesn't answer."""
    inst.start()
    with Screen(inst, "tui") as t:
        with hung(inst):
            t.step("wait no answer for ")
        t.end("wait live", "wait no sandboxes", "send q", "exit 0")


@pytest.mark.parametrize("argv", [["tui"], ["shell", "--ui"]])
def test_what_is_typed_into_silence_arrives_once(inst, argv):
    inst.start()
    s = inst.sandbox()["id"]
    shell = len(argv) > 1
    with Screen(inst, *argv, *([s] if shell else [])) as t:
        t.step(*(["wait leaves", "wait $"] if shell else
                 [f"wait ▌ {s}", *OPEN.splitlines()]),
               "send stty -echo\\r", "send echo be''fore\\r", "wait before")
        with hung(inst):
            t.step("wait [no answer for ")
            for n in range(3):
                t.step(f"send echo {n} >>/workspace/typed\\r")
            t.step("send echo af''ter\\r")
        t.step("wait after", "gone [no answer for")
        assert inst.exec(s, "cat /workspace/typed").json()["stdout"] == \
            "0\n1\n2\n"
        t.end("send ^]", "exit 0" if shell else "wait left",
              *([] if shell else ["send q", "exit 0"]))


TYPE = ("send stty -echo\\r", "send echo be''fore\\r", "wait before")


def test_typed_while_it_reconnects(inst):
    """It waits, which is told, and is sent once, in order."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", *OPEN.splitlines(), *TYPE)
        inst.kill_daemon()
        t.step("wait [reconnecting ")
        for n in range(3):
            t.step(f"send echo {n} >>/workspace/typed\\r")
        t.step("wait 78 bytes waiting]", "send echo af''ter\\r")
        inst.start()
        t.step("wait after", "gone bytes waiting")
        assert inst.exec(s, "cat /workspace/typed").json()["stdout"] == \
            "0\n1\n2\n"
        t.end("send ^]", "wait left", "send q", "exit 0")


def test_leaving_while_it_reconnects(inst):
    """What waits isn't lost without a word."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", *OPEN.splitlines(), *TYPE)
        inst.kill_daemon()
        t.step("wait [reconnecting ", "send typed", "wait 5 bytes waiting]",
               "send ^]", "wait left", "send q", "wait not sent yet",
               "send \\e", "gone not sent yet", "wait 5 bytes waiting]")
        t.end("send X", "wait END THIS TERMINAL?", "send y",
              "wait closed; 5 bytes typed not sent", "send q", "exit 0")


def test_leaving_a_shell_while_it_reconnects(inst):
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "shell", "--ui", s) as t:
        t.step("wait leaves", "wait $", *TYPE)
        inst.kill_daemon()
        t.step("wait [reconnecting ", "send typed", "wait 5 bytes waiting]")
        t.end("send ^]", "wait 5 bytes typed not sent: no connection",
              "exit 0")


def test_the_key_that_starts_a_daemon(inst):
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui", size="12x40") as t:
        t.step("send 2", f"wait ▌ {s}", "wait live")
        inst.kill_daemon()
        t.end("wait no daemon  ^R start", "send ^R", "wait live",
              "gone ^R start", f"wait {s}", "send q", "exit 0")


def test_a_start_leaves_nothing_behind(inst):
    """Several requests wait for the lock of who starts it, in processes that
    have each other's files: it is free as soon as the daemon runs."""
    inst.start()
    s = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step("send 2", f"wait ▌ {s}", "wait live")
        inst.kill_daemon()
        t.step("wait no daemon", "send ^R", "wait live", "gone ◐ ● live")
        assert "did not finish" not in t.end("snap", "send q", "exit 0")


def test_no_key_where_none_is_started(inst):
    inst.start()
    for env in ({"STACYVM_NO_AUTOSTART": "1"},
                {"STACYVM_SERVER": f"unix:{inst.socket}"}):
        with Screen(inst, "tui", env=env) as t:
            t.step("wait no sandboxes", "wait live")
            inst.kill_daemon()
            t.step("wait no daemon", "gone ^R start")
            inst.start()
            t.end("wait live", "send q", "exit 0")


def test_a_dump_is_not_waited_for_for_ever(inst):
    inst.start()
    with hung(inst):
        assert "no answer for " in inst.ok("tui", "--dump").text
