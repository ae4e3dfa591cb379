# SPDX-License-Identifier: MIT
"""What is asked before it is done: nothing, y/N, or a name to type."""
import pytest
from screen import Screen


def ask(inst, *args, answer, code, say=()):
    with Screen(inst, *args) as s:
        s.end("\n".join([f"wait {text}" for text in say] +
                        [f"send {answer}\\r", f"exit {code}"]))


def count(inst):
    return len(inst.api("GET", "/sandboxes").json())


def test_prune_all(inst):
    """Those that run too, but never without the word."""
    boxes = [inst.start().spawn() for _ in range(3)]
    for args in ((), ("--confirm=3",), ("--confirm", ""), ("--no-input",)):
        r = inst.run("prune", "--all", *args)
        assert r.code == 8 and "all" in r.errtext, r
    r = inst.run("prune", "--all")
    assert "all 3" in r.errtext and "--confirm=all to" in r.errtext, r
    r = inst.must_fail("prune", "--all", "--yes")
    assert r.code == 2 and "--confirm=all" in r.errtext
    assert inst.must_fail("prune", "--confirm=all").code == 2
    for answer in ("n", "y", "yes", "ALL", "all ", ""):
        ask(inst, "prune", "--all", answer=answer, code=8,
            say=("all 3 sandboxes", "type all to do it:"))
    assert count(inst) == 3
    ask(inst, "prune", "--all", answer="all", code=0,
        say=("type all to do it:",))
    assert count(inst) == 0
    boxes += [inst.spawn()]
    assert inst.ok("prune", "--all", "--confirm=all").text == "1 pruned\n"
    assert inst.ok("prune", "--all", "--json").json() == {
        "pruned": 0, "failed": 0}, f"nothing to ask: {boxes}"


def test_a_template_that_is_in_use(inst):
    inst.start()
    for name in ("used", "also", "idle"):
        inst.ok("template", "create", name, "--image", "host")
    ids = [inst.spawn("--template", t) for t in ("used", "also", "also")]
    assert inst.ok("template", "rm", "idle").text == "idle\n"
    r = inst.must_fail("template", "rm", "used")
    assert r.code == 8 and "1 sandbox was made" in r.errtext
    assert "--confirm=used to" in r.errtext
    assert "goes on.\n" in r.errtext
    r = inst.must_fail("template", "rm", "used", "--confirm", "also")
    assert r.code == 8 and "used" in r.errtext
    ask(inst, "template", "rm", "also", answer="y", code=8,
        say=("2 sandboxes were made", "type also to do it:"))
    assert len(inst.ok("template", "ls", "--json").json()) == 2
    ask(inst, "template", "rm", "also", answer="also", code=0,
        say=("type also to do it:",))
    inst.ok("template", "create", "also", "--image", "host")
    r = inst.ok("template", "rm", "used", "also", "--confirm=used",
                "--confirm=also")
    assert r.text == "used\nalso\n"
    assert count(inst) == len(ids)
    inst.ok("kill", *ids)


def test_a_copy_of_the_database_put_back(inst, tmp_path):
    inst.start()
    inst.ok("db", "backup", tmp_path / "copy.db")
    inst.ok("daemon", "stop")
    ask(inst, "db", "restore", str(tmp_path / "copy.db"), answer="y", code=8,
        say=("type copy.db to do it:",))
    ask(inst, "db", "restore", str(tmp_path / "copy.db"), answer="copy.db",
        code=0, say=("type copy.db to do it:",))


@pytest.mark.parametrize("answer, code", [("y", 0), ("n", 8), ("", 8)])
def test_what_has_expired(inst, answer, code):
    inst.start()
    ask(inst, "prune", answer=answer, code=code, say=("[y/N]",))


def test_the_end_of_input_is_no(inst):
    inst.start().spawn()
    with Screen(inst, "prune", "--all") as s:
        s.end("wait type all\nsend ^D\nexit 8")
    assert count(inst) == 1
