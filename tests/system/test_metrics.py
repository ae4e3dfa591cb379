# SPDX-License-Identifier: MIT
"""Counters and histograms that add up."""
import re


def operation(inst, name, provider="mock"):
    """Of any provider with None."""
    for o in inst.api("GET", "/metrics", check=200).json()["operations"]:
        if o["operation"] == name and provider in (o["provider"], None):
            return o
    return {"count": 0, "failures": 0}


def test_operations_are_counted(inst):
    inst.start()
    sid = inst.sandbox(provider="mock")["id"]
    for _ in range(3):
        inst.exec(sid, "true")
    assert inst.exec(sid, "true", workdir="/none").status == 400
    o = operation(inst, "exec")
    assert (o["count"], o["failures"]) == (4, 1)
    buckets = o["latency"]["buckets"]
    counts = [b["count"] for b in buckets]
    assert counts == sorted(counts) and counts[-1] == 4
    assert buckets[-1]["le_ms"] is None and o["latency"]["sum_ms"] > 0
    bounds = [b["le_ms"] for b in buckets[:-1]]
    assert bounds == sorted(bounds)
    inst.exec(sid, "sleep 0.3")
    later = operation(inst, "exec")
    assert later["latency"]["sum_ms"] - o["latency"]["sum_ms"] >= 300
    slow = [b["count"] for b in later["latency"]["buckets"]
            if b["le_ms"] == 250]
    assert slow[0] <= 4
    inst.api("DELETE", f"/sandboxes/{sid}", check=200)
    assert operation(inst, "sandbox.create")["count"] == 1
    assert operation(inst, "sandbox.destroy")["count"] == 1
    # A request about no sandbox has no provider.
    assert operation(inst, "metrics", "")["count"] >= 3


def test_prometheus_text(inst):
    inst.start()
    sid = inst.sandbox(provider="mock")["id"]
    inst.exec(sid, "true")
    r = inst.api("GET", "/metrics/prometheus", check=200)
    assert r.headers["content-type"].startswith("text/plain; version=0.0.4")
    types, values = {}, {}
    for line in r.text.splitlines():
        if m := re.fullmatch(r"# TYPE (\S+) (counter|gauge|histogram)", line):
            assert m[1] not in types, "a family comes once"
            types[m[1]] = m[2]
        elif not line.startswith("# HELP"):
            m = re.fullmatch(r'(stacyvm_\w+)(\{[^}]*\})? (\S+)', line)
            assert m, line
            values[m[1] + (m[2] or "")] = float(m[3])
            family = re.sub(r"_(bucket|sum|count)$", "", m[1])
            assert m[1] in types or types[family] == "histogram", line
    for name, kind in types.items():
        assert (kind == "counter") == name.endswith("_total"), name
    label = '{operation="exec",provider="mock"}'
    name = "stacyvm_operation_duration_seconds"
    assert values[f"stacyvm_operations_total{label}"] == 1
    assert values[f"{name}_count{label}"] == 1
    assert values[name + '_bucket{operation="exec",provider="mock",'
                  'le="+Inf"}'] == 1
    assert 0 < values[f"{name}_sum{label}"] < 60
