# SPDX-License-Identifier: MIT
"""Killed while it draws, whatever it draws: the terminal is as it was."""
import os
import signal

import pytest

import svm
from terminal import Terminal

# What is typed, and what is there then.
VIEWS = {
    "fleet": (["tui"], [(b"2", b"FLEET")]),
    "config": (["tui"], [(b"6", b"SETTINGS")]),
    "form": (["tui"], [(b"s", b"template")]),
    "palette": (["tui"], [(b":", b"COMMAND")]),
    "terminal": (["tui"], [(b"techo ye''ah\r", b"yeah")]),
    "copy": (["tui"], [(b"techo ye''ah\r", b"yeah"), (b"\x1d", b"sends the key"),
                       (b"[", b"COPY")]),
    "list": (["list", "--watch"], []),
    "top": (["top"], []),
}
MODES = [(b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"),
         (b"\x1b[?1002h", b"\x1b[?1002l"), (b"\x1b[?1006h", b"\x1b[?1006l"),
         (b"\x1b[?2004h", b"\x1b[?2004l"), (b"\x1b[?1004h", b"\x1b[?1004l")]


@pytest.mark.parametrize("signo", ["TERM", "HUP", "SEGV", "ABRT"])
@pytest.mark.parametrize("view", VIEWS)
def test_the_terminal_is_as_it_was(shared, box, view, signo):
    argv, steps = VIEWS[view]
    t = Terminal(shared, *argv, rows=32, cols=120,
                 env={"TERM": "xterm-256color"})
    at = 0
    for keys, what in [(b"", box.encode()), *steps]:
        if keys:
            t.send(keys)
        svm.wait_for(lambda: t.look(True) or what in t.text[at:], what)
        at = len(t.text)
    os.kill(t.p.pid, getattr(signal, "SIG" + signo))
    svm.wait_for(lambda: t.look(True) or t.p.poll() is not None, "its end")
    seen = t.now()
    if not (svm.SANITIZED and signo in ("SEGV", "ABRT")):
        for on, off in MODES:
            assert seen.rfind(on) <= seen.rfind(off), (on, seen[-300:])
        assert t.end() in (-getattr(signal, "SIG" + signo),
                           128 + getattr(signal, "SIG" + signo))
