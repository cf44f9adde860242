# SPDX-License-Identifier: GPL-2.0-or-later
"""Each allocation and each write made to fail in turn, in a build with -Dfaults=true (src/base/faults.h).

Whatever fails: the program says so and ends with 3, or it could do without and everything is as if nothing had
failed. JSON is valid, or there is none.
"""

import json
import os
import shutil
import signal
import subprocess

import pytest

from conftest import TREE

GOLDEN = TREE / "tests/golden"
SMALL = """{"schema":"doorward/1","host":"a","time":1790010000.5,"boot_id":"b","complete":true,"missing":[],"sockets":[
{"proto":"tcp","family":"ipv4","state":"LISTEN","local_address":"0.0.0.0","local_port":80,"uid":0,"user":"root",
"holders":[{"pid":8,"fd":3,"name":"nginx","exe":"/bin/nginx","container":{"engine":"docker","id":"ab","name":"w"},
"unit":"nginx.service","parents":[{"pid":1,"name":"systemd"}]},{"pid":9,"fd":3,"name":"nginx"}]},
{"proto":"udp","family":"ipv6","state":"UNCONN","local_address":"::1","local_port":53,"holders":[]}]}
"""


@pytest.fixture(scope="session")
def faulty():
    """The program with its points of failure, built once."""
    named = os.environ.get("DOORWARD_FAULTS")
    if named:
        return named
    build = TREE / "build-faults"
    if not shutil.which("meson") or not os.access(TREE, os.W_OK):
        pytest.skip("no build with -Dfaults=true can be made here")
    if not (build / "build.ninja").exists():
        ran = subprocess.run(["meson", "setup", build, "-Dfaults=true", "-Dbuildtype=debug"], cwd=TREE,
                             capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout
    ran = subprocess.run(["ninja", "-C", build, "src/doorward"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    return build / "src/doorward"


def run(program, words, fault=None, told=None):
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": "/nonexistent"}
    if fault:
        env["DOORWARD_FAULT"] = fault
    if told:
        env["DOORWARD_FAULT_TOLD"] = str(told)
    ran = subprocess.run([program, *map(str, words)], env=env, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    return ran.returncode, ran.stdout, ran.stderr.decode()


def passed(program, words, tmp_path):
    """How often each point is passed, and what comes of it when nothing fails."""
    told = tmp_path / "told"
    usual = run(program, words, told=told)
    assert usual[0] in (0, 1), usual
    return dict(line.split() for line in told.read_text().splitlines()), usual


def check(words, fault, got, usual):
    status, out, err = got
    case = f"{' '.join(map(str, words))} with {fault}"
    assert status in (3, usual[0]), f"{case}: {status} {err}"
    if status == 3:
        has_reason = err.startswith("doorward: ") and ("out of memory" in err or "no space left" in err)
        assert has_reason or fault.startswith("write:") and fault.endswith("+"), f"{case}: {err}"
        assert "allocate" not in fault or not out, f"{case}: {out[:200]}"
    else:
        is_told = err == usual[2] or "out of memory to say" in err or fault.startswith("write:")  # to stderr, too
        assert out == usual[1] and is_told, f"{case}: {err}"


CASES = {
    "table": ["list", "--all", "--read", GOLDEN / "all-kinds.dump"],
    "wide": ["list", "-o", "wide", "--read", GOLDEN / "ss-tcp.dump", "port = 8080 or reach = any"],
    "json": ["list", "--all", "--json", "--read", GOLDEN / "all-kinds.dump"],
    "jsonl": ["list", "--all", "-o", "jsonl", "--read", GOLDEN / "ss-tcp.dump"],
    "csv": ["list", "-o", "csv", "--sort", "-port", "--fields", "port,reach", "--read", GOLDEN / "ss-tcp.dump"],
    "raw": ["list", "-o", "raw", "--read", GOLDEN / "ss-tcp.dump"],
    "saved": ["list", "--json", "--read", "SMALL"],
    "saved-table": ["list", "--read", "SMALL"],
    "show": ["show", "80", "--read", "SMALL"],
    "show-json": ["show", "80", "--json", "--read", "SMALL"],
    "fields": ["fields", "--json"],
}


@pytest.fixture
def words(request, tmp_path):
    small = tmp_path / "small.json"
    small.write_text(SMALL)
    return [small if word == "SMALL" else word for word in CASES[request.param]]


@pytest.mark.parametrize("words", CASES, indirect=True)
@pytest.mark.parametrize("point", ["allocate", "write"])
def test_each_in_turn(faulty, tmp_path, words, point):
    counts, usual = passed(faulty, words, tmp_path)
    assert int(counts[point])
    for k in range(1, int(counts[point]) + 1):
        for lasting in ("", "+") if k % 5 == 1 else ("",):
            fault = f"{point}:{k}{lasting}"
            check(words, fault, run(faulty, words, fault), usual)


def is_valid(out, is_lines):
    texts = out.splitlines() if is_lines else [out] if out else []
    for text in texts:
        json.loads(text)
    return True


WRITTEN_EARLY = 32768  # bytes: a listing that is longer is written in parts, so its beginning may be out

LIVE = {
    "proc": ["list", "--all", "--json", "--source", "proc", "--netns", "self"],
    "bpf": ["list", "--all", "--json", "--source", "bpf", "--netns", "self"],
    "jsonl": ["list", "--all", "-o", "jsonl", "--source", "proc"],
    "show": ["show", "--json", "22"],
    "deliver": ["deliver", "--json", "127.0.0.1:22"],
    "version": ["version", "--json"],
}


@pytest.mark.parametrize("kind", LIVE)
def test_the_kernels_own_sockets_with_each_allocation_in_turn(faulty, tmp_path, kind):
    """What is there may change under way, so only how it ends is looked at."""
    if kind == "bpf" and run(faulty, LIVE[kind])[0] not in (0, 1):
        pytest.skip("no BPF here")
    counts, usual = passed(faulty, LIVE[kind], tmp_path)
    for k in range(1, int(counts["allocate"]) + 1, 1 + int(counts["allocate"]) // 300):
        status, out, err = run(faulty, LIVE[kind], f"allocate:{k}")
        assert status in (0, 1, 3), f"allocate:{k}: {status} {err}"
        assert status != 3 or "out of memory" in err, f"allocate:{k}: {err}"
        assert status != 3 or not out or len(out) >= WRITTEN_EARLY, f"allocate:{k}: {out[:100]}"
        assert status == 3 or (out and is_valid(out, kind == "jsonl")), f"allocate:{k}: {out[:100]} {err}"


def test_who_ends_under_way_is_told_as_far_as_it_was_seen(faulty, scene):
    """The program waits behind the sockets, before it reads who their holders are."""
    made = scene("tcp-listener")
    env = {**os.environ, "DOORWARD_FAULT": "wait:collected"}
    with subprocess.Popen([faulty, "list", "--json", "--source", "proc", f"port = {made.port}"], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        _, status = os.waitpid(ran.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        made.close()
        os.kill(ran.pid, signal.SIGCONT)
        out, err = ran.communicate(timeout=60)
    one, = json.loads(out)["sockets"]
    assert [h["pid"] for h in one["holders"]] == made.pids and one["holders"][0]["cmdline"] is None, err


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["list", "-o", "jsonl"], ["list", "-o", "csv"],
                                   ["show", "80"], ["fields"], ["version"], ["help"], ["netstat", "-a"], ["fport"]],
                         ids=" ".join)
def test_a_full_disk_is_told(doorward, words):
    with open("/dev/full", "wb") as full:
        ran = subprocess.run([doorward.path, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ran.returncode == 3
    assert "doorward: write the output: no space left\n" in ran.stderr


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["fields"]], ids=" ".join)
def test_an_output_that_is_closed_is_told(doorward, words):
    ran = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", doorward.path, *words], stderr=subprocess.PIPE, text=True,
                         timeout=60)
    assert ran.returncode == 3 and "doorward: write the output:" in ran.stderr
