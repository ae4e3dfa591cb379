# SPDX-License-Identifier: MIT
"""stacyvm shell --ui: the dashboard's terminal of one sandbox, and no
more."""
import subprocess

import pytest
from screen import RESTORED, Screen
from terminal import Terminal

HINTS = "wait leaves  ^]^] sends ^]\nwait $"


def test_it_is_left_and_come_back_to(shared, box):
    with Screen(shared, "shell", "--ui", box) as s:
        s.step(HINTS, f"row 0 {box}", "gone STACYVM",
               "send echo he''llo\\r", "wait hello", "send \\x1d",
               "row 0 Enter back")
        s.end(f"wait Come back with:  stacyvm shell --ui {box}\n{RESTORED}"
              "exit 0")
    with Screen(shared, "shell", "--ui", box) as s:
        s.step(HINTS, "wait hello", "send exit 5\\r")
        out = s.end(f"exit 5\n{RESTORED}snap")
        assert "Come back" not in out
    sessions = shared.api("GET", f"/sandboxes/{box}/sessions").json()
    assert [x["state"] for x in sessions if x["tty"]] == ["exited"]


def test_the_key_twice_is_the_shell_s(shared, box):
    with Screen(shared, "shell", "--ui", box) as s:
        s.step(HINTS, "send stty raw -echo; echo re''ady; head -c1 | od -c; "
               "stty sane; echo do''ne\\r", "wait ready",
               "send \\x1d\\x1d", "wait 035", "wait done",
               "send exit\\r")
        s.end("exit 0")


def test_who_looks_back_is_not_gone(shared, box):
    """The time to come back doesn't run while something else is done."""
    with Screen(shared, "shell", "--ui", box) as s:
        s.step(HINTS, "send echo he''llo\\r", "wait hello", "send \\x1d[",
               "row 0 COPY")
        with pytest.raises(subprocess.TimeoutExpired):
            s.p.wait(0.8)
        s.step("send q", HINTS, "send echo bac''k\\r", "wait back")
        # The files beside it are the dashboard, which is left as ever.
        s.step("send \\x1dz", "wait TERMINAL")
        with pytest.raises(subprocess.TimeoutExpired):
            s.p.wait(0.8)
        s.end("send q\nwait on running: stacyvm list\nexit 0")


@pytest.mark.parametrize("args, env, said", [
    (("-w", "/"), {}, "--ui goes with no other option"),
    (("--detach-key", "none"), {}, "--ui goes with no other option"),
    ((), {"STACYVM_UI_READ_ONLY": "true"}, "read-only"),
    ((), {"TERM": "dumb"}, "no screen to draw on"),
], ids=str)
def test_refused(shared, box, args, env, said):
    t = Terminal(shared, "shell", "--ui", box, *args,
                 env={"TERM": "xterm-256color", **env})
    assert said in t.rest()
    assert t.end() == 125


def test_refused_before_there_is_a_screen(shared, box):
    r = shared.must_fail("shell", "--ui", box)
    assert r.code == 125 and "--ui needs a terminal" in r.errtext
    t = Terminal(shared, "shell", "--ui", "sb-00000000",
                 env={"TERM": "xterm-256color"})
    assert "sb-00000000" in t.rest() and b"\x1b" not in t.text
    assert t.end() == 125
