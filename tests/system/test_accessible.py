# SPDX-License-Identifier: MIT
"""ui.accessible and ACCESSIBLE: static text, numbered choices, a screen that
a reader can follow."""
import re

import pytest
from screen import RESTORED, Screen
from terminal import Terminal

from test_config import TEXT, editor

ON = {"ACCESSIBLE": "1"}
TERM = {"TERM": "xterm-256color"}
NUMBERED = ("destroy all expired sandboxes?\n1. No (default)\n2. Yes\n"
            "Enter a number [1]: ")


def set_in_file(inst, value):
    inst.ok("config", "set", "ui.accessible", value)


@pytest.mark.parametrize("in_file, env, numbered", [
    (None, {}, False), ("true", {}, True), ("false", {}, False),
    (None, {"ACCESSIBLE": "1"}, True), (None, {"ACCESSIBLE": "please"}, True),
    (None, {"ACCESSIBLE": ""}, False), (None, {"ACCESSIBLE": "0"}, False),
    ("true", {"ACCESSIBLE": "0"}, False), ("false", {"ACCESSIBLE": "1"}, True),
    (None, {"STACYVM_UI_ACCESSIBLE": "true"}, True),
    ("true", {"STACYVM_UI_ACCESSIBLE": "false"}, False),
    ("true", {"STACYVM_UI_ACCESSIBLE": "false", "ACCESSIBLE": "1"}, False),
    (None, {"STACYVM_UI_ACCESSIBLE": "true", "ACCESSIBLE": "0"}, True),
], ids=str)
def test_who_asks_for_it(shared, in_file, env, numbered):
    """The environment goes over the file, what is ours over what isn't."""
    try:
        if in_file:
            set_in_file(shared, in_file)
        value = shared.ok("config", "get", "ui.accessible", env=env).text
        assert value == f"{numbered}\n".lower()
        t = Terminal(shared, "prune", env={**TERM, **env})
        t.expect(b"Enter a number [1]: " if numbered else b"? [y/N] ")
        t.send(b"\n")
        t.rest()
        assert t.end() == 8
    finally:
        shared.run("config", "unset", "ui.accessible")


def test_a_file_with_an_error_takes_nothing_away(shared):
    path = shared.ok("config", "path").text.splitlines()[0]
    path = re.search(r"/\S+config\.yaml", path).group(0)
    try:
        set_in_file(shared, "true")
        with open(path, "a", encoding="utf-8") as f:
            f.write("nonsense: 1\n")
        for env, text in ((ON, b"Enter a number"), ({}, b"[y/N]")):
            t = Terminal(shared, "prune", env={**TERM, **env})
            t.expect(text)
            t.send(b"\n")
            t.rest()
            t.end()
    finally:
        with open(path, "w", encoding="utf-8"):
            pass


def test_where_it_says_it_is_from(shared):
    r = shared.ok("config", "get", "ui.accessible", "--origin", env=ON)
    assert r.text == "true\t# environment ACCESSIBLE\n"


@pytest.mark.parametrize("keys, code", [
    ("", 8), ("1", 8), ("2", 0), ("y", 0), ("Y", 0), ("yes", 0), ("n", 8),
    ("NO", 8), (" 2 ", 0), ("\x04", 8),
])
def test_a_choice_is_a_numbered_list(shared, keys, code):
    t = Terminal(shared, "prune", env={**TERM, **ON})
    t.expect(NUMBERED.replace("\n", "\r\n").encode())
    t.send(keys.encode() + (b"" if keys == "\x04" else b"\n"))
    text = t.rest()
    assert t.end() == code, text
    assert ("pruned" in text) == (code == 0)


@pytest.mark.parametrize("keys", ["3", "0", "12", "2x", "maybe", "x" * 400])
def test_what_is_no_answer_is_asked_again(shared, keys):
    """Neither yes nor no: no long line's rest is the next answer either."""
    t = Terminal(shared, "prune", env={**TERM, **ON})
    t.expect(b"[1]: ")
    t.send(keys.encode() + b"\n")
    t.expect(b"is none of them.\r\nEnter a number [1]: ")
    t.send(b"1\n")
    assert "none" not in t.rest()
    assert t.end() == 8


def test_nobody_to_ask_is_the_same(shared):
    r = shared.run("prune", "--no-input", env=ON)
    assert "Enter" not in r.errtext


@pytest.mark.parametrize("answer, status", [("1", 0), ("", 0), ("2", 8)])
def test_edit_again(inst, answer, status):
    """There the first is yes."""
    inst.path = inst.home / "c/stacyvm/config.yaml"
    inst.path.parent.mkdir(parents=True, exist_ok=True)
    inst.path.write_text(TEXT)
    editor(inst, """
if [ -e "$HOME/once" ]; then sed -i s/never/7m/ "$1"
else sed -i s/5m/never/ "$1"; : >"$HOME/once"; fi
""")
    Screen(inst, "config", "edit", env=ON).end(
        "wait Edit again?", "wait 1. Yes (default)", "wait 2. No",
        "wait Enter a number [1]:", f"send {answer}\\r", f"exit {status}")


def test_a_name_is_typed_as_ever(inst):
    inst.start().spawn()
    with Screen(inst, "prune", "--all", env=ON) as s:
        s.end("wait type all to do it:", "send all\\r", "exit 0")


# -- what goes on

def plain(text):
    assert "\x1b" not in text, text
    return text.replace("\r\n", "\n")


def test_watched_lists_are_blocks(inst):
    inst.start()
    one = inst.spawn("--name", "one")
    t = Terminal(inst, "list", "--watch", env={**TERM, **ON, "NO_COLOR": "1"})
    t.expect(b"1 sandbox\r\n")
    two = inst.spawn("--name", "two")
    t.expect(b"2 sandboxes\r\n")
    inst.ok("kill", one)
    t.expect(b"destroyed")
    t.send(b"\x03")
    t.rest()
    assert t.end() == 130
    t = Terminal(inst, "list", "--watch", env={**TERM, **ON, "NO_COLOR": "1"})
    t.expect(b"each change is told; Ctrl-C ends it\r\n")
    head = t.text
    while b"1 sandbox\r\n" not in t.text:
        t.look(True)
    head = plain(t.text.decode())
    assert re.fullmatch(r"ID +NAME +STATE .*\n" + two + r" +two +running .*\n"
                        r"1 sandbox\n", head), head
    assert "\t" not in head
    t.text = b""
    inst.ok("rename", two, "new-name")
    t.expect(b"new-name")
    t.expect(b"1 sandbox\r\n")
    t.send(b"\x03")
    t.rest()
    assert t.end() == 130


def test_watched_lists_elsewhere_are_lines(inst):
    """Where nobody listens nothing is another."""
    inst.start()
    one = inst.spawn()
    t = Terminal(inst, "list", "--watch", "--plain", env={**TERM, **ON})
    t.expect(f"{one}\t".encode())
    t.send(b"\x03")
    t.rest()
    assert t.end() == 130


def test_top_is_blocks(inst):
    inst.start()
    one = inst.spawn("--name", "one")
    t = Terminal(inst, "top", "-d", "200ms",
                 env={**TERM, **ON, "NO_COLOR": "1"})
    t.expect(f"{one}".encode())
    two = inst.spawn("--name", "two")
    t.expect(f"{two}".encode())
    t.send(b"\x03")
    assert "\x1b" not in t.rest()
    assert t.end() == 130


# -- the dashboard

def test_the_dashboard_has_words_and_a_cursor(inst):
    inst.start()
    ids = [inst.spawn("--name", f"n{i}") for i in range(3)]
    s = Screen(inst, "tui", env=ON, size="24x100")
    s.step(*(f"wait {i}" for i in ids), "wait running", "gone ● run ",
           "prop cursor 1")
    out = s.step("send 2", "wait FLEET", "wait ▌ n", "snap")
    row = next(n for n, line in enumerate(out) if "▌" in line)
    s.step(f"cursor {row} 1", "prop cursor 1", "send j",
           f"cursor {row + 1} 1", "send j", f"cursor {row + 2} 1")
    # The provider's word, not its dot alone.
    s.step("send 4", "wait PROVIDERS", "wait healthy", "prop cursor 1")
    s.end("send q", "exit 0", RESTORED)
    s = Screen(inst, "tui", size="24x100")
    s.end(f"wait {ids[0]}", "wait ● run ", "gone ● running", "send q",
          "exit 0", RESTORED)


def test_the_dashboard_takes_the_setting_at_once(inst):
    inst.start()
    one = inst.spawn()
    s = Screen(inst, "tui", size="24x100")
    s.step(f"wait {one}", "wait ● run ", "send 6", "wait server.host",
           "send /ui.accessible\\r", "gone server.host", "send \\e[D",
           "wait ( true ) false", "send \\x20", "wait written",
           "send 1", "wait ● running")
    s.end("send q", "exit 0", RESTORED)
    assert inst.ok("config", "get", "ui.accessible").text == "true\n"
