# SPDX-License-Identifier: MIT
"""How far the download of an image is, as it is seen: the bar of the
dashboard's panel, of spawn and of image pull, from a registry that stops now
and then."""
import gzip
import os
import re
import threading

import pytest

from registry import Image, Rogue
from screen import Screen
from svm import wait_for
from test_images import tar

SIZE = 16 << 20
PIECES = 16  # of each part, so that it is on its way for a while


class Slow:
    """A registry that sends a part and waits until it may go on."""

    def __init__(self, rogue):
        image = Image([tar(("data", os.urandom(SIZE)))],
                      pack=lambda b: gzip.compress(b, 0))
        self.ref = rogue.put("app", "1", image)
        self.data = image.layers[0]
        self.go = [threading.Event(), threading.Event()]
        self.begin = threading.Event()
        self.begin.set()
        self.pace = threading.Event()  # set: as fast as it goes
        rogue.routes[rogue.blob("app", self.data)] = self.serve

    def serve(self, h):
        n = len(self.data)
        # It is told of in steps of half a MiB.
        first, second = n // 4 + (256 << 10), 3 * n // 4 + (256 << 10)
        self.begin.wait(60)
        h.send_response(200)
        h.send_header("Content-Length", str(n))
        h.end_headers()
        for begin, end, before in ((0, first, None),
                                   (first, second, self.go[0]),
                                   (second, n, self.go[1])):
            if before:
                before.wait(60)
            for i in range(PIECES):
                size = (end - begin) // PIECES + 1
                at = begin + i * size
                h.wfile.write(self.data[at:min(at + size, end)])
                h.wfile.flush()
                self.pace.wait(0.05)

    def release(self):
        for e in (self.begin, *self.go, self.pace):
            e.set()


@pytest.fixture
def slow():
    r = Rogue()
    s = Slow(r)
    yield s
    s.release()
    r.stop()


@pytest.fixture
def inst(new_instance):
    return new_instance(env={"STACYVM_REGISTRIES_PULL": "true"}).start()


# What is full of so many cells at the two places where it waits: a bit more
# than a quarter, and than three.
PLACES = {21: (5, 15), 14: (3, 10)}


def look(s, shape, cells, place, marks):
    """The bar on the screen, once it is so long, and it says the same as the
    numbers beside it, which may be painted after it."""
    s.step("wait " + marks[0] * PLACES[cells][place] + marks[1])
    seen = []

    def agree():
        seen[:] = ["\n".join(s.step("snap"))]
        m = re.search(shape, seen[0])
        if not m:
            return None
        full = len(m["full"])
        percent, mib = int(m["percent"]), float(m["have"])
        if (full + len(m["rest"]) == cells and
                abs(full - percent * cells / 100) < 2 and
                abs(mib - percent * 16 / 100) < 0.7):
            return percent
        return None

    try:
        return wait_for(agree, "the bar and its numbers to say the same")
    except AssertionError as e:
        raise AssertionError(f"{e}\n{seen[0]}") from None


def watch(s, slow, total, cells, marks="\u2588\u2591"):
    full, rest = (re.escape(x) for x in marks)
    shape = (rf"(?P<full>{full}*)(?P<rest>{rest}*) +(?P<percent>\d+)% +"
             rf"(?P<have>[\d.]+) MiB{total}")
    assert 15 < look(s, shape, cells, 0, marks) <= 27
    slow.go[0].set()
    assert 65 < look(s, shape, cells, 1, marks) <= 77
    slow.go[1].set()


@pytest.mark.native
def test_in_the_panel(inst, slow):
    with Screen(inst, "tui", size="32x120", seconds=30) as s:
        s.step("wait no sandboxes", "send s", "wait = stacyvm spawn",
               f"send {slow.ref}\\t\\t", "wait --image 127", "send ^S",
               "wait SPAWNING", "wait now  ")
        watch(s, slow, "/16 MiB", 21)
        s.end("wait runs after", "send q", "exit 0")


@pytest.mark.native
@pytest.mark.parametrize("ascii_only", [False, True])
def test_in_a_spawn(inst, slow, ascii_only):
    s = Screen(inst, "spawn", "--image", slow.ref, size="24x120", seconds=30,
               env={"LC_ALL": "C"} if ascii_only else None)
    s.step("wait downloading the image")
    watch(s, slow, r" of 16\.0 MiB", 14, "#." if ascii_only else "\u2588\u2591")
    s.end("wait next:  stacyvm shell", "gone downloading", "exit 0")


def test_in_a_pull(inst, slow):
    """Something stands there before anything has come."""
    slow.begin.clear()
    s = Screen(inst, "image", "pull", slow.ref, size="24x120", seconds=30)
    s.step("wait ◐ 127.0.0.1:")
    slow.begin.set()
    watch(s, slow, r" of 16\.0 MiB", 14)
    s.end("wait next:  stacyvm spawn", "exit 0")


def test_where_nothing_is_painted_there_are_words(inst, slow):
    """Static lines, and the bar is none of them."""
    s = Screen(inst, "image", "pull", "--progress=plain", slow.ref,
               size="24x120", seconds=30, env={"ACCESSIBLE": "1"})
    slow.release()
    out = s.end("wait next:", "snap", "exit 0")
    assert "█" not in out and "░" not in out, out
