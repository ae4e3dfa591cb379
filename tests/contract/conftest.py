# SPDX-License-Identifier: MIT
"""Fixtures: those of the system tests, and the clients.  All over TCP, by
address and by name."""
import importlib.util
import os
import sys

import pytest

HERE = os.path.dirname(__file__)
SYSTEM = os.path.join(HERE, os.pardir, "system", "conftest.py")
spec = importlib.util.spec_from_file_location("system_conftest", SYSTEM)
system_conftest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(system_conftest)
globals().update({k: v for k, v in vars(system_conftest).items()
                  if not k.startswith("__")})
sys.path.insert(0, HERE)

from clients import (ADMIN, API, KEY, Async, Sync, httpx,  # noqa: E402
                     tcp_instance)


@pytest.fixture(scope="module")
def shared(provider):
    inst = tcp_instance(provider)
    yield inst
    inst.stop()


@pytest.fixture(scope="module")
def guarded(provider):
    """One that asks for a key."""
    inst = tcp_instance(provider, STACYVM_AUTH_API_KEY=KEY,
                        STACYVM_AUTH_ADMIN_API_KEY=ADMIN)
    yield inst
    inst.stop()


@pytest.fixture(scope="module", params=[
    (Sync, "127.0.0.1"), (Sync, "localhost"), (Async, "localhost")],
    ids=["sync", "sync-localhost", "async-localhost"])
def call(request, shared):
    if not httpx:
        pytest.skip("needs python3-httpx")
    kind, host = request.param
    c = kind(shared.port, host)
    yield c
    c.close()


@pytest.fixture
def client(shared):
    """A plain httpx.Client for streams."""
    if not httpx:
        pytest.skip("needs python3-httpx")
    with httpx.Client(base_url=f"http://localhost:{shared.port}{API}",
                      timeout=60) as c:
        yield c
