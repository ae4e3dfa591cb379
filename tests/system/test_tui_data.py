# SPDX-License-Identifier: MIT
"""The dashboard's settings, keys and logs."""
import os
import pathlib
import signal
import subprocess

import pytest

import svm
from screen import DRIVER, RESTORED, Screen, drive
from test_metrics import operation
from test_tui import dump


def configure(inst, text):
    path = pathlib.Path(inst.run("config", "path").text.strip())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("screen", ["7", "1"])
def test_keys_under_a_flood_of_events(inst, screen):
    """Events come as fast as the daemon tells them, and a key has its frame
    between them: within 33 ms, or ten times as much where all of it is
    checked by sanitizers and others run beside it."""
    inst.start()
    flood = [os.path.join(svm.BUILD, "tests/bench/bench"), "events",
             inst.socket, "1", "100", "1000000"]
    shown = {"7": "EVENTS  kind", "1": "ACTIVE SANDBOXES"}[screen]
    with svm.Popen(flood, stdout=subprocess.DEVNULL) as p, \
            Screen(inst, "tui") as t:
        try:
            t.step("wait live", f"send {screen}", f"wait {shown}", "wait QUOTA")
            took = []
            for _ in range(15):
                took += [int(line.split()[1]) for line in t.step(
                    "lap x", "send 3", f"gone {shown}", "lap lap",
                    f"send {screen}", f"wait {shown}", "lap lap")
                    if line.startswith("lap ")]
            assert p.poll() is None  # it went on all the time
            t.end("send q", "exit 0")
        finally:
            p.kill()
    took.sort()
    assert took[len(took) // 2] < 330e6, [n // 1000000 for n in took]


def test_the_host_is_this_machine(inst):
    """Whatever is asked elsewhere runs on another machine, of which nothing
    is known here."""
    def figures():
        return operation(inst, "sandbox.stats", None)["count"]
    inst.start()
    inst.sandbox()
    for server, host in (((), "wait HOST\nwait load"),
                         (("--server", f"unix:{inst.socket}"),
                          "gone HOST\ngone load")):
        had = figures()
        with Screen(inst, *server, "tui", size="40x160") as t:
            t.step("wait live")
            # Those of the host are taken with those of the sandbox: twice,
            # for rates.
            svm.wait_for(lambda: figures() >= had + 2, "figures")
            t.step("send ?", "wait HELP", "send \\e", "gone HELP")
            t.end(host, "send q", "exit 0")


def test_keys_change_places(inst):
    inst.start()
    a = inst.sandbox(name="alpha")["id"]
    configure(inst, """
ui: {confirm: never}
keys:
  sandboxes: {kill: f, files: d}
""")
    help_keys = inst.ok("help", "keys").text
    assert help_keys != inst.ok("help", "keys",
                                env={"XDG_CONFIG_HOME": "/proc/nonexistent"}).text
    # f kills without a question; u takes it back.
    drive(inst, f"""
wait {a}
send f
wait killing
send u
wait stays
send q
exit 0
{RESTORED}""")
    assert inst.api("GET", f"/sandboxes/{a}").status == 200


def test_read_only_theme_and_glyphs(inst):
    inst.start()
    a = inst.sandbox()["id"]
    configure(inst, "ui: {read_only: true, glyphs: ascii, theme: mono}\n")
    assert all(ord(c) < 128 for c in dump(inst))
    drive(inst, f"""
wait {a}
send d
wait read-only
send q
exit 0
""")
    theme = pathlib.Path(inst.run("config", "path").text.strip()).parent \
        / "themes/mine.yaml"
    theme.parent.mkdir()
    theme.write_text("accent: blu\n")
    bad = inst.run("tui", "--dump", "--theme", "mine")
    assert bad.code == 1 and "mine.yaml:1: accent: 'blu'" in bad.errtext, bad
    theme.write_text("accent: underline 21\n")
    drive(inst, f"""
wait {a}
attr 0 1 underline
send q
exit 0
""", "--theme", "mine")
    # The environment is above the file.
    assert any(ord(c) >= 128
               for c in dump(inst, STACYVM_UI_GLYPHS="auto"))


def test_bare_opens_the_dashboard_when_told_to(inst):
    inst.start()
    configure(inst, "ui: {bare: tui}\n")
    # Without a terminal it is help all the same.
    assert "Commands:" in inst.ok().text
    p = subprocess.run(
        [DRIVER, "-s", "32x120", "-t", "60", "-", "--", str(svm.STACYVM)],
        input=f"wait no sandboxes\nsend q\nexit 0\n{RESTORED}", text=True,
        capture_output=True, check=False, timeout=60,
        env={**inst.env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
    assert p.returncode == 0, p.stderr


@pytest.mark.parametrize("text, expect", [
    ("keys:\n  sandboxes:\n    kil: d\n",
     "config.yaml:3: keys.sandboxes.kil: no such context and action"),
    ("keys: {sandboxes: {kill: f}}\n", "keys.sandboxes.kill: 'f' is files"),
    ("keys: {sandboxes: {kill: ^X}}\n", "may not be on a Ctrl key"),
    ("keys: {confirm: {'no': ''}}\n", "no way out"),
    ("ui: {leave_key: nonsense}\n",
     "ui.leave_key: 'nonsense' is no key"),
    ("ui: {thme: mono}\n", "did you mean 'ui.theme'?"),
    ("keys: {sandboxes: {kill: \"\\e[2J\"}}\n", "text of one line"),
])
def test_wrong_settings_are_told_before_the_terminal_is_taken(inst, text,
                                                              expect):
    path = configure(inst, text)
    for r in (inst.run("tui", "--dump"), inst.run("config", "lint"),
              inst.run("config", "lint", str(path))):
        assert r.code != 0 and expect in r.err.decode(), r
        assert b"\x1b" not in r.err
    told = inst.run("tui", "--dump").errtext
    assert "stacyvm config edit" in told or "stacyvm help keys" in told


def test_a_directory_changes_no_keys(inst, tmp_path):
    inst.start()
    (tmp_path / "stacyvm.yaml").write_text("ui: {glyphs: ascii}\n")
    assert any(ord(c) >= 128 for c in inst.ok(
        "tui", "--dump", cwd=str(tmp_path)).text)


def test_long_log_lines_are_wrapped(inst):
    inst.start()
    s = inst.sandbox()["id"]
    inst.ok("exec", s, "--", "sh", "-c",
            "echo before; printf '%0300d' 0; echo the-end")
    drive(inst, f"""
wait ▌ {s}
send 5
wait before
gone the-end
send w
wait the-end
send w
gone the-end
send q
exit 0
""")


def test_a_setting_is_changed_and_taken_back(inst):
    """Written with all else as it was, read by the daemon at once."""
    before = "# mine\ndefaults:\n  ttl: 20m # short\n"
    file = configure(inst, before)
    inst.start()

    def ttl_is(text):
        return lambda: inst.api("GET", "/config").json()[
            "defaults.ttl"]["value"] == text

    with Screen(inst, "tui") as t:
        t.step("wait no sandboxes", "send 6", "wait server.port",
               r"send /defaults.ttl\r", "gone server.port", r"send \r",
               "wait do it", "send ^U", r"send 3 days\r",
               "wait not a duration", "send ^U", r"send 45m\r",
               "wait defaults.ttl: written")
        svm.wait_for(ttl_is("45m0s"), "the daemon goes by it")
        assert file.read_text() == before.replace("20m", "45m")
        t.step(r"send \e", "wait server.port", r"send /ui.theme\r",
               "gone server.port", r"send \e[C", "wait ( mission )",
               r"send \x20", "wait ui.theme: written")
        assert "theme: mission" in file.read_text()
        t.end("send uu", "wait taken back", "send q", "exit 0", RESTORED)
    assert file.read_text() == before
    svm.wait_for(ttl_is("20m0s"), "the daemon goes by it")


def test_a_bad_file_never_takes_the_place_of_a_good_one(inst, tmp_path):
    """What $EDITOR leaves is checked first; the next dashboard still starts."""
    before = "# mine\nui:\n  theme: mono\n"
    file = configure(inst, before)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "commands:\\n  hist:\\n'
                      '    scope: nowhere\\n    run: [echo]\\n" >>"$1"\n')
    editor.chmod(0o755)
    inst.start()
    with Screen(inst, "tui", env={"VISUAL": str(editor)}) as t:
        t.step("wait no sandboxes", "send 6", "wait server.port", "send e",
               "wait NOT TAKEN.  EDIT IT AGAIN?", "wait config.yaml:6: ",
               "wait │ and providers ", "wait is kept as")
        assert file.read_text() == before
        assert "theme = mono" in inst.ok("config", "get").text
        editor.write_text('#!/bin/sh\nsed -i s/nowhere/logs/ "$1"\n')
        t.step("send y", "wait the configuration is changed")
        assert file.read_text().startswith(before)
        assert "scope: logs" in file.read_text()
        t.end("send q", "exit 0", RESTORED)
    assert not list(pathlib.Path(inst.env["STACYVM_RUNTIME_DIR"]).glob(
        "edit-*"))
    drive(inst, f"wait no sandboxes\nsend q\nexit 0\n{RESTORED}")


def test_a_command_is_made_on_the_settings_screen(inst):
    """What it runs, as a list; then what belongs to it.  A name that is none
    is told before its value is asked for."""
    file = configure(inst, "# mine\n")
    inst.start()
    with Screen(inst, "tui") as t:
        t.step("wait no sandboxes", "send 6", "wait server.port",
               r"send n^Ukeys.sandboxes.kil\r",
               "wait no such context and action",
               r"send ^Ucommands.hist.key\r",
               "wait there is no commands.hist.run yet",
               r"send ^Ucommands.hist.run\r", "gone is no commands.hist",
               "wait commands.hist.run",
               r"send [echo, x\r", "wait is not a list",
               r"""send ^U[echo, "{id}", "{name}"]\r""",
               "wait commands.hist.run: written",
               r"send n^Ucommands.hist.key\r", "gone written",
               r"send F9\r", "wait commands.hist.key: written",
               "send G", 'wait [echo, "{id}", "{name}"]')
        t.end("send q", "exit 0", RESTORED)
    assert file.read_text() == """# mine
commands:
  hist:
    run: [echo, "{id}", "{name}"]
    key: F9
"""


def test_commands_of_ones_own(inst, tmp_path):
    """A program gets what is selected as text, whatever that says."""
    configure(inst, """
commands:
  argv:
    scope: sandboxes
    key: F5
    run: [sh, -c, 'printf "<%s>\\n" "$@" | tee seen', sh, '{id}',
          '{name} $(touch HACKED)']
    output: show
  front:
    key: F6
    run: [sh, -c, 'echo in front $(cat typed); read x;
          echo "got $x" >typed; exit 7']
  quiet:
    key: F7
    run: [sh, -c, 'sleep 98765']
    output: none
""".replace("98765", f"98765.{os.getpid()}"))
    inst.start()
    s = inst.sandbox(name="web")["id"]
    with Screen(inst, "tui") as t:
        t.step(f"wait {s}", r"send \e[15~", "wait argv: exit status 0",
               f"wait <{s}>", "wait <web $(touch HACKED)>")
        assert (inst.home / "seen").read_text() == \
            f"<{s}>\n<web $(touch HACKED)>\n"
        assert not (inst.home / "HACKED").exists()
        t.step(r"send \e", "gone argv: exit", r"send \e[17~",
               "wait in front", "prop alt 0", r"send hello\r",
               "wait exit status 7", "wait Enter goes back", r"send \r",
               f"wait {s}", "prop alt 1")
        assert (inst.home / "typed").read_text() == "got hello\n"
        # ^C ends what is in front, not the dashboard behind it.
        t.step(r"send \e[17~", "wait in front got hello", "send ^C",
               "wait exit status 130", r"send \r", f"wait {s}",
               r"send \e[18~", "send ^C", "wait cancelled")
        t.end(r"send \e[18~", "send q", "wait still runs", "send y",
              "exit 0", RESTORED)
    # What ran in the background ended with the dashboard.
    svm.wait_for(lambda: subprocess.run(
        ["pgrep", "-f", f"[s]leep 98765.{os.getpid()}"],
        check=False).returncode == 1, "it to end")


def test_a_signal_at_what_a_command_said(inst):
    """Who was to press Enter won't: it isn't waited for, nor longer than that."""
    configure(inst, """
commands:
  front: {key: F6, run: [sh, -c, 'exit 7']}
""")
    inst.start()
    with Screen(inst, "tui") as t:
        t.step("wait no sandboxes", "wait live", "send \\e[17~",
               "wait Enter goes back")
        os.kill(t.pid(), signal.SIGTERM)
        t.end("exit 143", RESTORED)


@pytest.mark.parametrize("text,why", [
    ("run: [sh, -c, 'echo {name}']\n    scope: sandboxes",
     "a name could be a command"),
    ("run: [a]\n    key: q", "key: 'q' is quit there"),
    ("run: ls -l", "must be a list"),
    ("ran: [a]", "is nothing of a command"),
])
def test_bad_commands_are_refused_at_start(inst, text, why):
    configure(inst, f"commands:\n  x:\n    {text}\n")
    for argv in (["tui", "--dump"], ["config", "lint"]):
        r = inst.run(*argv)
        assert r.code != 0 and why in r.errtext, r
        assert "commands.x" in r.errtext and "config.yaml:3" in r.errtext, r


def test_a_view_is_kept(inst):
    inst.start()
    a = inst.sandbox(name="alpha")["id"]
    b = inst.sandbox(name="beta")["id"]
    with Screen(inst, "tui") as t:
        t.end(f"wait {a}", "send 2", "wait FLEET", "send o", "wait SORT BY",
              r"send jj\r", "wait sort: state", "send /alph", f"gone {b}",
              r"send \r", "send S", "wait are kept", "send q", "exit 0", RESTORED)
    drive(inst, f"""
wait {b}
send 2
wait sort: state
wait filter: alph
gone {b}
send q
exit 0
""")
    file = next(pathlib.Path(inst.env["STACYVM_STATE_DIR"]).glob("tui-views*"))
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("[")
    drive(inst, "wait restore the view\nsend 2\nwait sort: age\nsend q\nexit 0")


def test_a_template_in_the_editor(inst, tmp_path):
    inst.start()
    inst.api("POST", "/templates",
             {"name": "tpl", "image": "host", "memory_mb": 100}, check=201)
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/: 100/: 200/' \"$1\"\n")
    editor.chmod(0o755)
    with Screen(inst, "tui", env={"VISUAL": str(editor)}) as t:
        t.step("wait no sandboxes", "send 3", "wait ▌ tpl", "send e",
               "wait changed tpl", "wait 200 MiB")
        # Who else changes templates is seen at once.
        inst.api("POST", "/templates", {"name": "other", "image": "host"},
                 check=201)
        t.step("wait other")
        t.end("send q", "exit 0", RESTORED)
    assert inst.api("GET", "/templates/tpl").json()["memory_mb"] == 200


def test_logs_have_times_and_streams(inst):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo plain; echo broken >&2")
    drive(inst, f"""
wait ▌ {s}
send l
wait plain
wait broken
send T
wait out plain
wait err broken
send t
wait stream: stdout
gone broken
send t
wait err broken
gone out plain
send ttt
wait out plain
wait err broken
send q
exit 0
{RESTORED}""")


def test_logs_of_several_are_merged_to_their_beginning(inst):
    inst.start()
    one, two = inst.sandbox()["id"], inst.sandbox()["id"]
    inst.exec(one, "echo first-line")
    inst.exec(two, "seq -f between%.0f 1 3000")
    inst.exec(one, "echo last-line")
    with Screen(inst, "tui") as t:
        t.step("send 2", f"wait {one}", f"wait {two}", "send A",
               "wait 2 marked", "send a", "wait last-line",
               "wait between3000", "gone first-line", "send g",
               "wait first-line", "wait beginning of the logs",
               "send G", "wait following", "wait last-line")
        inst.exec(two, "echo news")
        t.end("wait news", "send q", "exit 0", RESTORED)


def test_a_log_goes_on_with_the_next_daemon(inst):
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "echo before")
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", "send l", "wait before", "wait following")
        inst.kill_daemon()
        t.step("wait waiting for the daemon")
        inst.start()
        t.step("wait following", "wait before")
        inst.exec(s, "echo after")
        t.step("wait after")
        inst.api("DELETE", f"/sandboxes/{s}", check=200)
        t.end("wait ended", "wait after", "send q", "exit 0", RESTORED)


def test_a_log_is_saved_whole(inst):
    """Also what the view has not loaded, and what its filter leaves out."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "seq -f line%.0f 1 12345")
    path = inst.home / "whole.log"
    path.touch()
    path.chmod(0o644)
    drive(inst, f"""
wait ▌ {s}
send l
wait line12345
wait 1 000/5 000 kept
send /line4321\\r
gone line12345
wait line4322
wait search: line4321
send G
wait line12345
send &line12344\r
gone line12345
send s^U{path}\r
wait REPLACE A FILE?
send y
wait saved 12 345 lines to
send q
exit 0
{RESTORED}""")
    assert path.read_text() == "".join(f"line{n}\n" for n in range(1, 12346))
    assert path.stat().st_mode & 0o7777 == 0o644, "what was there keeps it"


def test_ascii_on_every_screen(inst):
    """Who asks for ASCII is shown nothing else, wherever he goes."""
    inst.start()
    box = inst.sandbox()["id"]
    inst.exec(box, "echo hi >/workspace/there")
    with Screen(inst, "tui", env={"STACYVM_UI_GLYPHS": "ascii"}) as t:
        t.step(f"wait {box}")
        for keys, step in (("1", "wait ACTIVE"), ("3", "wait none yet"),
                           ("4", "wait namespaces"), ("5", "wait LOGS  "),
                           ("6", "wait built-in"), ("7", "wait SPAWN  "),
                           ("?", "wait HELP"), (r"\e", "gone HELP"),
                           ("2", "wait FLEET"), ("s", "wait = stacyvm"),
                           (r"\e", "gone = stacyvm"), ("f", "wait there")):
            shown = "\n".join(t.step(f"send {keys}", step, "snap"))
            assert len(shown) > 200 and shown.isascii(), shown
        t.end("send q", "exit 0")


def test_what_is_in_the_place_is_asked_about(inst, tmp_path):
    """A new file, a new name, an upload."""
    inst.start()
    s = inst.sandbox()["id"]
    inst.exec(s, "cd /workspace; echo a >a; echo have >have")
    up = tmp_path / "have"
    up.write_text("local\n")

    def text(*names):
        r = inst.exec(s, "cd /workspace; cat " + " ".join(names))
        return r.json()["stdout"]
    with Screen(inst, "tui") as t:
        t.step(f"wait ▌ {s}", "send f", "wait have", "send n",
               "wait NEW FILE IN", r"send have\r",
               "wait it is there already", "send \\e", "gone NEW FILE IN",
               "send u", "wait UPLOAD TO", rf"send {up}\r",
               "wait REPLACE A FILE?", r"send \r", "gone REPLACE A FILE?",
               "send gr", "wait RENAME", r"send ^Uhave\r",
               "wait REPLACE A FILE?", r"send \r", "gone REPLACE A FILE?")
        assert text("a", "have") == "a\nhave\n"
        t.step("send gr", "wait RENAME", r"send ^Uhave\r",
               "wait REPLACE A FILE?", "send y", "gone REPLACE A FILE?")
        svm.wait_for(lambda: text("have") == "a\n", "the new name")
        t.end("send u", "wait UPLOAD TO", rf"send {up}\r",
              "wait REPLACE A FILE?", "send y", "wait copied /workspace/have",
              "send q", "exit 0")
    assert text("have") == "local\n"
    assert text("*") == "local\n"
