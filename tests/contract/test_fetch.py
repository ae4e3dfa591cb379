# SPDX-License-Identifier: MIT
"""What the published TypeScript client does: fetch.mjs, one case at a time."""
import re
import shutil
import subprocess

import pytest

import svm
from clients import KEY
from svm import API

NODE = shutil.which("node")
SCRIPT = svm.ROOT / "tests/contract/fetch.mjs"
CASES = re.findall(r"^async function case_(\w+)", SCRIPT.read_text(), re.M)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("case", [
    pytest.param(c, marks=[pytest.mark.native] * (c == "quick_start"))
    for c in CASES])
def test_fetch(shared, guarded, box, case, host):
    if not NODE:
        pytest.skip("needs node")
    r = subprocess.run(
        [NODE, SCRIPT, case, f"http://{host}:{shared.port}{API}", box,
         f"http://{host}:{guarded.port}{API}", KEY],
        capture_output=True, text=True, timeout=100)
    assert r.returncode == 0, r.stderr
    assert r.stdout == f"ok {case}\n"
