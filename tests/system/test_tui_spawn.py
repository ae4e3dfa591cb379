# SPDX-License-Identifier: MIT
"""Spawns that take a while, in the dashboard: the panel and its ways out."""
import os
import re
import signal

import pytest

from screen import Screen, drive
from svm import wait_for


def slow(inst):
    """A template that is never done setting up."""
    inst.api("POST", "/templates", {"name": "slow", "image": "host",
                                    "setup": ["true", "sleep 1000"]},
             check=201)


def boxes(inst):
    return inst.api("GET", "/sandboxes", check=200).json()


BEGIN = ("wait no sandboxes", "send s", "wait = stacyvm spawn",
         "send \\e[Aslow\\t\\tkept", "wait --name kept", "send ^S",
         "wait SPAWNING sb-", "wait now  command 2 of 2")


@pytest.mark.parametrize("size", ["32x120", "16x60"])
def test_cancelled(inst, size):
    """What was made is gone, what was typed is not, and nothing is asked."""
    inst.start()
    slow(inst)
    with Screen(inst, "tui", size=size) as t:
        t.step(*BEGIN, "wait c cancels")
        assert [b["state"] for b in boxes(inst)] == ["creating"]
        t.step("send c", "gone SPAWNING sb-", "wait --name kept")
        wait_for(lambda: not boxes(inst),
                 "the half-made sandbox to go")
        t.end("send \\e", "wait LEAVE THE FORM", "send y", "gone LEAVE THE FORM",
              "send q", "exit 0")


def test_goes_on_in_the_background(new_instance):
    inst = new_instance(env={"STACYVM_DEFAULTS_MAX_SANDBOXES": "1",
                             "STACYVM_DEFAULTS_SPAWN_OVERFLOW": "queue",
                             "STACYVM_DEFAULTS_SPAWN_QUEUE_TIMEOUT": "10m"})
    inst.start()
    first = inst.sandbox(name="first")["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait {first}", "send s", "wait = stacyvm spawn",
               "send \\tsecond", "wait --name second", "send ^S",
               "wait now  1 of yours waits", "send \\e", "gone SPAWNING",
               "wait spawn ◐ queue", "send q", "wait A spawn is under way",
               "send n", "gone QUIT?")
        inst.api("DELETE", f"/sandboxes/{first}", check=200)
        t.step("wait runs after", "gone ◐ queue", "wait second")
        t.end("send q", "exit 0")
    assert [b["name"] for b in boxes(inst)] == ["second"]


def test_ends_with_the_dashboard(inst):
    """Who quits over it has been told that it is cancelled."""
    inst.start()
    slow(inst)
    with Screen(inst, "tui") as t:
        t.step(*BEGIN, "send \\e", "gone SPAWNING", "wait ◐ setup 2/2",
               "send q", "wait it is cancelled")
        t.end("send y", "exit 0")
    wait_for(lambda: not boxes(inst),
             "the half-made sandbox to go")


def test_the_daemon_dies_meanwhile(inst):
    inst.start()
    slow(inst)
    with Screen(inst, "tui") as t:
        t.step(*BEGIN)
        os.kill(inst.daemon_pid(), signal.SIGKILL)
        t.step("wait is not made: lost the daemon",
               "wait spawn again", "wait --name kept", "gone SPAWNING")
        t.end("send \\e", "wait LEAVE THE FORM", "send y", "send q",
              "exit 0")
    inst.drop_client()
    inst.start()
    wait_for(lambda: not boxes(inst),
             "the next daemon to clear away")


def test_says_why_not_and_is_corrected(inst):
    inst.start()
    inst.sandbox(name="taken")
    drive(inst, """
wait taken
send s
wait = stacyvm spawn
send \\ttaken\\r
wait already
send 2\\r
wait runs after
wait taken2
send q
exit 0
""")
    assert {b["name"] for b in boxes(inst)} == {"taken", "taken2"}


def with_kept(screen):
    """The words of the lines that have what was typed."""
    return [re.findall(r"[\w-]+", x) for x in screen if "kept" in x]


def test_the_form_keeps_what_was_typed(inst):
    """Through a storm of sizes, some of which have no room for it."""
    inst.start()
    with Screen(inst, "tui", seconds=30) as t:
        t.step("wait no sandboxes", "send s", "wait = stacyvm spawn",
               "send \\tkept", "wait --name kept")
        form = with_kept(t.step("snap"))
        assert len(form) == 2, form  # the field and the command
        pid = t.pid()
        for rows, cols in ((24, 80), (9, 38), (5, 20), (1, 1), (16, 60),
                           (50, 200), (9, 39), (2, 120), (40, 10)) * 6:
            t.step(f"size {rows} {cols}")
            os.kill(pid, signal.SIGWINCH)
        # What is too small says so, and takes no keys away from the form.
        t.step("size 9 38", "wait window too small (38x9)",
               "size 32 120", "gone too small", "wait --name kept")
        assert with_kept(t.step("snap")) == form
        # Nor has the field that is typed in changed.
        t.step("send 2", "wait --name kept2")
        t.end("send \\e", "wait LEAVE THE FORM", "send y",
              "gone LEAVE THE FORM", "send q", "exit 0")
