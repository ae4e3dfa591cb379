# SPDX-License-Identifier: MIT
"""A terminal that changes its size all the time, to any size, while keys are
typed and output floods: whoever draws there goes on, and leaves it as it
was."""
import random
import time

import pytest

import svm
from terminal import Terminal

SIZES = 300
FLOOD = (rb"while :; do printf '\033[%d;%dH\346\274\242\033[3%dm-\n' "
         rb"$((i % 40)) $((i % 90)) $((i % 8)); i=$((i+1)); seq 5; done")
MOVES = [b"j", b"k", b"\x1b[B", b"\x1b[5~", b"\t", b"\x1b[Z", b"+", b"_", b"=",
         b"z", b"g", b"G", b"\x0c", b"\x1b[<64;5;5M",
         b"\x1b[<0;500;200M\x1b[<0;500;200m"]


def storm(t, keys, seed=1):
    """Sizes of every kind, and half of the times a key."""
    rnd = random.Random(seed)
    for _ in range(SIZES):
        small, large = rnd.randint(1, 3), (rnd.randint(1, 200),
                                           rnd.randint(1, 500))
        t.resize(rnd.choice([small, large[0]]),
                 rnd.choice([small, large[1]]))
        if rnd.random() < 0.5:
            t.send(rnd.choice(keys))
        t.look(rnd.random() < 0.5)
        assert t.p.poll() is None, t.text[-2000:]
    t.resize(32, 120)


def until(t, keys, what):
    """Keys, again and again until it is written: those before may have met
    a size, or a command, that was there no more a moment later."""
    t.text = b""
    deadline = time.monotonic() + 30
    while t.p.poll() is None and what not in t.now():
        assert time.monotonic() < deadline, t.text[-2000:]
        t.send(keys)
        pause(t)


def pause(t):
    """For a lone Escape to be one, or a line to be carried out."""
    end = time.monotonic() + 0.1
    while t.p.poll() is None and time.monotonic() < end:
        t.look(True)


def ended(t, keys, status=0):
    """Keys, until it is gone; the terminal is as it was."""
    deadline = time.monotonic() + 30
    t.text = b""
    while t.p.poll() is None:
        assert time.monotonic() < deadline, t.text[-2000:]
        for key in keys:
            if t.p.poll() is None:
                t.send(key)
                pause(t)
    text = t.now()
    assert t.end() == status
    return text


@pytest.fixture
def term(shared, box):
    made = []

    def make(*args):
        made.append(Terminal(shared, *args, rows=32, cols=120,
                             env={"TERM": "xterm-256color"}))
        return made[-1]
    yield make
    for t in made:
        if t.p.poll() is None:
            t.p.kill()


def leave(t):
    """Whatever is open, Escape leads out of it."""
    assert b"\x1b[?1049l" in ended(t, [b"\x1b", b"\x1b", b"q"])


@pytest.mark.parametrize("screen", "1234567")
def test_screens(term, box, screen):
    t = term("tui")
    t.expect(box.encode())
    t.send(screen.encode())
    storm(t, MOVES)
    until(t, b"\x0c", b"STACYVM")
    leave(t)


def opened(t, box):
    t.expect(box.encode())
    t.send(b"t")
    t.expect(b"leaves")
    t.send(FLOOD + b"\r")
    t.expect("漢".encode())


def test_terminal(term, box):
    t = term("tui")
    opened(t, box)
    storm(t, [b"x", b"\x1b[A", b"\x1b[5;2~", b"\x1b[6;2~", b"\x1b[<64;60;10M",
              b"\x1b[200~pasted\x1b[201~"])
    until(t, b"\x03\x15clear; echo al''ive\r", b"alive")
    t.send(b"\x1d")
    pause(t)
    leave(t)


def test_copy_mode(term, box):
    t = term("tui")
    opened(t, box)
    t.send(b"\x1d")
    t.expect(b"left")
    t.send(b"[")
    t.expect(b"COPY")
    storm(t, [b"h", b"j", b"k", b"l", b"w", b"b", b"0", b"$", b"g", b"G",
              b"\x15", b"\x04", b"v", b"V", b"\x16", b"/1\r", b"?2\r", b"n",
              b"N", b"\x1b[<64;60;10M"])
    leave(t)


@pytest.mark.parametrize("view", ["list", "top"])
def test_inline_views(term, box, view):
    t = term(*{"list": ("list", "--watch"), "top": ("top",)}[view])
    t.expect(box.encode())
    storm(t, [b"?", b"j", b"\x1b[A"])
    t.text = b""
    t.expect(box.encode())
    assert b"\x1b[?25h" in ended(t, [b"q"])


def test_shell(term, box):
    t = term("shell", box)
    t.expect(b"$")
    t.send(FLOOD + b"\r")
    t.expect("漢".encode())
    storm(t, [b"x", b"\x1b[A"])
    until(t, b"\x03\x15stty size\r", b"32 120")
    ended(t, [b"\x15exit 3\r"], 3)


@pytest.mark.parametrize("seed", [1, 2])
def test_console(term, box, seed):
    t = term("console")
    t.expect(b"stacyvm>")
    t.resize(1, 2)  # where readline divides by zero
    t.send(b"x")
    t.expect(b"x")
    storm(t, [b"lis", b"t", b"\x1b[A", b"\x15", b"\t", b"version\r", b"\x03"],
          seed)
    until(t, b"\x03\x15vers\t\r", b"stacyvm 0")
    ended(t, [b"\x15\x04"])
