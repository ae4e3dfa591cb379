# SPDX-License-Identifier: MIT
"""Lines typed in the dashboard come back, also in the next one."""
import fcntl
import json
import os
import stat

from screen import RESTORED, Screen, drive

QUIT = f"send q\nexit 0\n{RESTORED}"


def history(inst):
    return json.loads((inst.state / "tui-history.json").read_text())


def test_over_restarts(inst):
    inst.start()
    s = inst.sandbox()["id"]
    for size in ("50x200", "40x120", "24x80", "16x60"):
        drive(inst, f"""
wait ▌ {s}
send 2/first-{size}\\r
wait nothing matches
send \\e
gone nothing matches
send /second-{size}\\r
wait nothing matches
send \\e:q\\r
exit 0
{RESTORED}""", size=size)
        path = inst.state / "tui-history.json"
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        drive(inst, f"""
wait ▌ {s}
send 2/begun
wait filter begun
send \\e[A
wait filter second-{size}
send \\e[A
wait filter first-{size}
send \\e[B\\e[B
wait filter begun
send \\e
gone filter begun
{QUIT}""", size=size)
    assert history(inst)["sandboxes"][-2:] == ["first-16x60",
                                               "second-16x60"]


def test_of_two_at_once(inst):
    """Each has what the other typed, once it has typed itself."""
    inst.start()
    with Screen(inst, "tui") as a, Screen(inst, "tui") as b:
        a.step("wait SANDBOXES", "wait live", r"send 7/of-a\r",
               "wait search: of-a")
        b.step("wait SANDBOXES", "wait live", r"send 7/of-b\r",
               "wait search: of-b", r"send /^U\e[A", "wait search of-b",
               r"send \e[A", "wait search of-a", r"send \e", "gone search of-a")
        a.step(r"send /^Uagain\r", "wait search: again")
        a.end("send q", "exit 0")
        b.end("send q", "exit 0")
    assert history(inst)["search"] == ["of-a", "of-b", "again"]


def test_commands_and_no_secrets(inst):
    inst.start()
    s = inst.sandbox()["id"]
    drive(inst, f"""
wait ▌ {s}
send e
wait RUN IN
send echo one\\r
wait {s}: exit 0
send \\e
gone {s}: exit 0
send e
wait RUN IN
send X_TOKEN=abc echo two\\r
wait {s}: exit 0
send \\e
gone {s}: exit 0
send e
wait RUN IN
send \\e[A
wait command echo one
send \\e
gone RUN IN
{QUIT}""")
    text = (inst.state / "tui-history.json").read_text()
    assert "echo one" in text and "TOKEN" not in text


def test_a_pipe_in_its_place_holds_nobody_up(inst):
    inst.start()
    for name in ("tui-history.json", "tui-views.json"):
        os.mkfifo(inst.state / name)
    drive(inst, f"""
wait no sandboxes
send 2/typed\\r
wait nothing matches
send \\e
gone nothing matches
{QUIT}""")


def test_a_lock_of_others_holds_nobody_up(inst):
    inst.start()
    held = os.open(inst.state, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    drive(inst, f"""
wait no sandboxes
send 2/typed\\r
wait another program holds a lock on
{QUIT}""")
    os.close(held)
    assert not (inst.state / "tui-history.json").exists()
