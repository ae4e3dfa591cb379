# SPDX-License-Identifier: MIT
"""The dashboard's lists: asked for no more than needed, marked, acted upon
many at once, kept as views."""
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
