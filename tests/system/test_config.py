# SPDX-License-Identifier: MIT
"""stacyvm config set, unset and edit: what the file says afterwards, and that
nothing anybody wrote is lost."""
import pathlib
import stat

import pytest

from screen import Screen
from svm import wait_for
TEXT = """\
# mine
server:
  port: 7777   # the usual

defaults:
  # short lives
  ttl: 5m
"""


@pytest.fixture
def home(inst):
    """An instance whose file is TEXT, and the file."""
    path = pathlib.Path(inst.ok("config", "path").text.strip())
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(TEXT)
    inst.path = path
    del inst.env["STACYVM_SERVER_PORT"]
    return inst


def editor(inst, script):
    """$EDITOR: a shell script that gets the file as $1."""
    path = inst.home / "edit"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    inst.env["EDITOR"] = str(path)
    inst.env["TMPDIR"] = str(inst.home)
    return path


def drafts(inst):
    return sorted(inst.home.glob("stacyvm-edit-*"))


def test_set_keeps_what_is_around(home):
    r = home.ok("config", "set", "defaults.ttl", "2h")
    assert r.text == "defaults.ttl = 2h0m0s\n"
    assert home.path.read_text() == TEXT.replace("5m", "2h")
    home.ok("config", "set", "server.port", "8080")
    home.ok("config", "set", "logging.level", "warn")
    text = home.path.read_text()
    for line in ("# mine", "  port: 8080   # the usual", "  # short lives",
                 "  level: warn"):
        assert line in text.split("\n"), text
    assert home.ok("config", "get", "server.port").text == "8080\n"
    r = home.ok("config", "unset", "logging.level", "--json").json()
    assert (r["changed"], r["value"], r["origin"]) == (
        True, "debug", "environment STACYVM_LOGGING_LEVEL")
    assert home.path.read_text() == TEXT.replace("5m", "2h").replace(
        "7777", "8080")
    r = home.ok("config", "unset", "logging.level", "--json").json()
    assert r["changed"] is False


def test_set_makes_a_file_of_ones_own(inst):
    path = pathlib.Path(inst.ok("config", "path", "--json").json()["path"])
    inst.ok("config", "set", "defaults.ttl", "1h")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    r = inst.ok("config", "get", "defaults.ttl", "--json").json()
    assert r == {"key": "defaults.ttl", "value": "1h0m0s",
                 "origin": f"{path}:2"}
    r = inst.ok("config", "set", "--json", "server.allowed_hosts", "a.test",
                "b.test").json()
    assert r["value"] == ["a.test", "b.test"] and r["changed"] is True


@pytest.mark.parametrize("key,value,status,words", [
    ("defaults.ttl", "soon", 2, "soon"),
    ("defaults.ttl", "48h", 2, "defaults.max_ttl"), # the whole is checked
    ("default.ttl", "1h", 3, "default.ttl"),
    ("server.port", "65536", 2, "65535"),
    ("server.host", "0.0.0.0", 2, "without a key"),
    ("keys.sandboxes.kil", "x", 2, "kil"),
    ("auth.api_key", "0123456789abcdef", 2, "standard input")])
def test_what_would_not_do_is_not_written(home, key, value, status, words):
    r = home.must_fail("config", "set", key, value)
    assert words in r.errtext
    assert r.code != 0 and home.path.read_text() == TEXT
    assert drafts(home) == [] and len(list(home.path.parent.iterdir())) == 1
    e = home.must_fail("config", "set", key, value, "--json")
    if "standard" not in words:
        assert b'"error"' in e.err


def test_a_key_by_standard_input(home):
    key = "0123456789abcdef0123456789abcdef"
    r = home.ok("config", "set", "auth.api_key", "-", input=key + "\n")
    assert key not in r.text and "***" in r.text
    assert f"api_key: {key}" in home.path.read_text()
    home.must_fail("config", "set", "auth.api_key", "-", input="a\nb\n")
    home.ok("config", "unset", "auth.api_key")
    assert home.path.read_text() == TEXT


def test_who_says_otherwise_is_named(home):
    r = home.ok("config", "set", "defaults.ttl", "1h",
                env={"STACYVM_DEFAULTS_TTL": "3h"})
    assert "STACYVM_DEFAULTS_TTL says otherwise" in r.errtext
    assert "ttl: 1h" in home.path.read_text()


def test_the_daemon_reads_it_at_once(home):
    """What it can take; the rest says that it needs a restart."""
    home.env["STACYVM_SERVER_PORT"] = "0"
    home.start()
    pid = home.daemon_pid()

    def ttl():
        return home.api("GET", "/config").json()["defaults.ttl"]["value"]

    assert ttl() == "5m0s"
    r = home.ok("config", "set", "defaults.ttl", "8m", "--json").json()
    assert (r["changed"], r["restart"]) == (True, False)
    wait_for(lambda: ttl() == "8m0s", "the daemon to read it")
    r = home.ok("config", "set", "providers.native.base_uid", "9999999",
                "--json").json()
    assert (r["changed"], r["restart"]) == (True, True)
    editor(home, 'sed -i s/8m/9m/ "$1"')
    home.ok("config", "edit")
    wait_for(lambda: ttl() == "9m0s", "the daemon to read it")
    assert home.daemon_pid() == pid
    home.kill_daemon()
    home.ok("config", "set", "defaults.ttl", "1m")
    assert not home.answers(), "none is started for that"


def test_a_wrong_key_can_be_taken_out(home):
    home.path.write_text(TEXT + "serve:\n  x: 1\n")
    home.must_fail("config", "get")
    home.ok("config", "unset", "serve.x")
    assert home.path.read_text() == TEXT
    assert home.must_fail("config", "unset", "serve.x").code == 3


def test_a_command_of_ones_own(home):
    """What it runs is a list, in brackets or word by word; what is set is
    named by its key, as it stands in no line."""
    home.path.write_text("# mine\n")
    r = home.ok("config", "set", "commands.x.run", "[echo, 'a b', '{id}']")
    assert r.text == 'commands.x.run = [echo, a b, "{id}"]\n', r
    home.ok("config", "set", "commands.x.key", "F9")
    assert home.path.read_text() == (
        '# mine\ncommands:\n  x:\n    run: [echo, a b, "{id}"]\n'
        "    key: F9\n")
    home.ok("config", "set", "commands.x.run", "echo", "{id}", "x,y")
    assert '    run: [echo, "{id}", "x,y"]\n' in home.path.read_text()
    before = home.path.read_text()
    for key, value, why in (
            ("commands.x.run", "[echo", "is not a list"),
            ("commands.x.run", "[echo, {id}]", 'such as [git, log, "{id}"]'),
            ("commands.x.run", "ls -l", "must be a list"),
            ("commands.y.key", "F8", "commands.y: has no run"),
            ("keys.sandboxes.kil", "d", "no such context and action")):
        r = home.must_fail("config", "set", key, value)
        assert r.errtext.startswith("stacyvm: cannot set: "), r
        assert why in r.errtext and "config.yaml:" not in r.errtext, r
    assert home.path.read_text() == before
    home.ok("config", "unset", "commands.x.key")
    r = home.ok("config", "unset", "commands.x.run", "--json").json()
    assert (r["changed"], r["origin"]) == (True, "default")
    assert home.path.read_text() == "# mine\n"


# -- the editor

def test_edit(home):
    editor(home, 'sed -i "s/5m/6m/" "$1"')
    home.path.chmod(0o640)
    home.ok("config", "edit")
    assert home.path.read_text() == TEXT.replace("5m", "6m")
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o640, "kept"
    assert drafts(home) == []
    editor(home, "exit 0")
    home.ok("config", "edit")
    assert home.path.read_text() == TEXT.replace("5m", "6m")


def test_edit_begins_a_file(inst):
    editor(inst, 'grep -q stacyvm.yaml "$1" && echo "defaults: {ttl: 9m}" '
           '>>"$1"; stat -c %a "$1" "${1%/*}" >"$HOME/modes"')
    inst.ok("config", "edit")
    assert inst.ok("config", "get", "defaults.ttl").text == "9m0s\n"
    path = pathlib.Path(inst.ok("config", "path").text.strip())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (inst.home / "modes").read_text().split() == ["600", "700"]


@pytest.mark.parametrize("script,words", [
    ('echo "ttl: 1" >>"$1"', "ttl"),
    ('printf "a: [" >"$1"', "config.yaml:"),
    ('printf "x: \\000" >"$1"', "NUL"),
    ('echo "# more" >>"$1"; exit 3', "status 3"),
    ('echo "# more" >>"$1"; kill -9 $$', "status 137")])
def test_what_was_written_is_kept(home, script, words):
    editor(home, script)
    r = home.must_fail("config", "edit")
    assert words in r.errtext, r
    assert home.path.read_text() == TEXT
    [draft] = drafts(home)
    assert f"{draft}/config.yaml" in r.errtext
    assert (draft / "config.yaml").read_bytes() != TEXT.encode()


def test_an_editor_that_is_not_there(home):
    home.env["EDITOR"] = "/no/such/editor"
    home.env["TMPDIR"] = str(home.home)
    r = home.must_fail("config", "edit")
    assert "/no/such/editor" in r.errtext and "EDITOR" in r.errtext
    assert drafts(home) == [], "nothing was written, so nothing is kept"


def test_a_file_that_changed_meanwhile(home):
    editor(home, f'echo "# mine too" >>"$1"; echo "# other" >>{home.path}')
    r = home.must_fail("config", "edit")
    assert r.code == 6 and "changed by another" in r.errtext
    assert home.path.read_text() == TEXT + "# other\n"
    assert len(drafts(home)) == 1


@pytest.mark.parametrize("answer", ["y", "n"])
def test_edit_again(home, answer):
    """The first attempt is wrong, the second mends it, if there is one."""
    editor(home, """
if [ -e "$HOME/once" ]; then sed -i s/never/7m/ "$1"
else sed -i s/5m/never/ "$1"; : >"$HOME/once"; fi
""")
    status = 0 if answer == "y" else 8
    Screen(home, "config", "edit").end(
        f"wait Edit again? [Y/n]\nwait never\nsend {answer}\\r\n"
        f"exit {status}\n")
    if answer == "y":
        assert home.path.read_text() == TEXT.replace("5m", "7m")
        assert drafts(home) == []
    else:
        assert home.path.read_text() == TEXT
        [draft] = drafts(home)
        assert "never" in (draft / "config.yaml").read_text()
