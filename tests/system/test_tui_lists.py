# SPDX-License-Identifier: MIT
"""The dashboard's lists: asked for no more than needed, marked, acted upon
many at once, kept as views."""
import subprocess

from screen import Screen, drive
from test_metrics import operation


def test_the_list_is_asked_for_once(inst):
    """What is on record is no news: the list has all of it."""
    inst.start()
    boxes = [inst.sandbox(name=f"box{i}")["id"] for i in range(6)]
    drive(inst, f"wait live\nwait {boxes[0]}\nsend 7\n"
                f"wait sandbox.created {boxes[5]}\nsend q\nexit 0\n")
    assert operation(inst, "sandbox.list", "")["count"] == 1


def test_what_happens_later_is_news(inst):
    inst.start()
    first = inst.sandbox()["id"]
    with Screen(inst, "tui") as t:
        t.step("send 2", "wait FLEET", f"wait {first}")
        second = inst.sandbox()["id"]
        t.step(f"wait {second}")
        inst.api("DELETE", f"/sandboxes/{first}", check=200)
        t.step(f"gone {first}")
        t.end("send q", "exit 0")


def test_many_are_killed_and_exported(inst, tmp_path):
    """With the real daemon: two of them are gone behind its back."""
    inst.start()
    boxes = [inst.sandbox(name=f"box{i}")["id"] for i in range(8)]
    inst.exec(boxes[3], "echo precious >/workspace/it")
    with Screen(inst, "tui") as t:
        t.step("send 2", f"wait {boxes[0]}", "send AX", "wait EXPORT")
        t.step(f"send ^U{tmp_path}\\r", "wait exported 8 of 8")
        t.step("send b", "wait 8 MARKED", "send d",
               "wait KILL 8 SANDBOXES?", "send y",
               "wait killing 8 in 5 s; u undoes", "send u", "wait 8 stay",
               "send A", "wait 8 marked", "send dy",
               "wait killed 8 of 8", "wait no sandboxes")
        t.end("send q", "exit 0")
    tar = subprocess.run(["tar", "-xOf", tmp_path / f"{boxes[3]}.tar",
                          "--wildcards", "*it"], capture_output=True,
                         check=True)
    assert tar.stdout == b"precious\n"
    assert len(list(tmp_path.iterdir())) == 8


def test_leaving_finishes_what_was_confirmed(inst):
    inst.start()
    for _ in range(10):
        inst.sandbox()
    drive(inst, "send 2\nwait 1/10\nsend Ady\nwait killing 10\nsend q\n"
                "exit 0\n")
    assert inst.api("GET", "/sandboxes", check=200).json() == []
