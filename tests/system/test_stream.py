# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON lines come one after another and not from a snapshot: the same sockets with the same content as --json."""

import collections
import json
import os
import signal
import subprocess

import pytest

pytestmark = pytest.mark.alone
SCENES = [
    ("tcp-listener", {"workers": 5}), ("reuseport-group", {}), ("dual-stack", {}), ("v6only-pair", {}),
    ("two-owners", {}), ("tcp-connection", {}), ("tcp-connection", {"address": "::1"}), ("mapped", {}),
    ("tcp-connection", {"state": "time-wait"}), ("tcp-connection", {"state": "orphan"}),
    ("tcp-connection", {"state": "fin-wait2"}), ("tcp-connection", {"state": "syn-recv"}),
    ("tcp-connection", {"state": "syn-sent"}), ("not-accepted", {}), ("udp", {}), ("udp-connected", {}),
    ("udplite", {}), ("multicast", {}), ("leader-gone", {}), ("deleted-exe", {}), ("bad-name", {}),
]
PRIVILEGED = [
    ("mptcp", {}), ("raw", {}), ("across-netns", {}), ("same-port-two-netns", {}), ("netns-by-socket", {}), ("netns-by-fd", {}),
    ("netns-named", {}), ("cgroup", {"path": "/docker/" + "5a" * 32}), ("vxlan", {"own_netns": 1}),
    ("mptcp-endpoint", {"own_netns": 1}), ("in-transit", {}), ("io-uring-registered", {}), ("destroyed-listener", {}),
]


def lines_of(doorward, *words):
    """The sockets and the end."""
    status, out, err = doorward.run("list", "--output", "jsonl", *words, text=False)
    assert status in (0, 1), err
    *sockets, end = [json.loads(line) for line in out.splitlines()]
    assert end["end"] is True
    assert status == (0 if sockets else 1)
    return sockets, end


def content(row):
    """All of it; the order of holders says nothing."""
    return json.dumps({**row, "holders": sorted(row["holders"], key=lambda h: (h["pid"], h["fd"] or -1))})


def known(scene, names):
    """Those of the scenes that this host can make."""
    made = []
    for name, options in names:
        try:
            made.append(scene(name, **options))
        except (pytest.skip.Exception, RuntimeError):
            continue
    return made


def staying(doorward, words):
    """What two listings and the lines between them say of the sockets that stay."""
    for _ in range(5):
        before, (lines, end), after = doorward.list(*words), lines_of(doorward, *words), doorward.list(*words)
        same = {content(s) for s in before.sockets} & {content(s) for s in after.sockets}
        told = [content(s) for s in lines]
        if same <= set(told):
            break
    count = collections.Counter((s["netns"], s["proto"], s["inode"]) for s in lines if s["inode"])
    lost = sorted(same - set(told))
    assert lost[:3] == [], f"{len(lost)} are not the same"
    assert [key for key, n in count.items() if n > 1] == []
    return same, lines, before, end


@pytest.fixture(scope="module")
def busy(shared_scene):
    return known(shared_scene, SCENES + (PRIVILEGED if os.geteuid() == 0 else []))


def test_the_same_as_json(busy, doorward, source):
    same, _, before, end = staying(doorward, [*source, "--all"])
    assert len(same) >= len(busy)
    assert {m["what"] for m in end["missing"]} == {m["what"] for m in before["missing"]}
    assert end["complete"] == before["complete"]


@pytest.mark.parametrize("words", [[], ["--connections"], ["role = accepted"], ["peer_process ~ scene"],
                                   ["two_owners = yes"], ["--all", "--netns", "self"],
                                   ["--all", "--fields", "inode,cookie,local,remote,process,peer_process"],
                                   ["--all", "--fields", "inode,cookie,local,state,netns"]], ids=" ".join)
def test_the_same_as_json_for_part_of_it(busy, doorward, words):
    if "--fields" in words:
        seen = {json.dumps(s, sort_keys=True) for s in doorward.list(*words)["sockets"]}
        again = {json.dumps(s, sort_keys=True) for s in lines_of(doorward, *words)[0]}
        third = {json.dumps(s, sort_keys=True) for s in doorward.list(*words)["sockets"]}
        assert seen & third <= again
        return
    assert staying(doorward, words)[0]


def test_the_same_as_json_for_an_ordinary_user(busy, doorward, source):
    if source[1] == "bpf":
        pytest.skip("not for an ordinary user")
    same, _, before, end = staying(doorward.as_user(), [*source, "--all"])
    assert same
    assert end["complete"] == before["complete"]


def test_more_open_sockets_than_are_kept_whole(scene, doorward, source):
    """Each process listens on the same numbers as the others, on an address of its own: two owners each."""
    scene("load", kind="half", processes=10, sockets=20000)
    _, rows, _, _ = staying(doorward, [*source, "--all"])
    assert sum(row["two_owners"] for row in rows) >= 10000
    assert sum(row["role"] == "accepted" and row["peer_process"] is not None for row in rows) >= 4900


@pytest.mark.needs("root", "bpf")
def test_memory_for_a_socket_is_small(scene, doorward):
    def peak():
        started = subprocess.Popen([doorward.path, "list", "--all", "--source", "bpf", "--output", "jsonl"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(started.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        return usage.ru_maxrss * 1024

    idle = peak()
    made = scene("load", processes=100, sockets=50000)
    assert (peak() - idle) / made.count <= 40  # 30 at 500,000, where what is small beside them does not count


def first_line_of(words):
    """The program at its first line, which is held up by who reads it."""
    reader, writer = os.pipe()
    started = subprocess.Popen(words, stdout=writer, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    os.close(writer)
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(reader, 1)
    return started, reader, line


def test_lines_come_before_the_last_is_there(scene, doorward):
    scene("load", processes=10, sockets=10000)
    started, reader, line = first_line_of([doorward.path, "list", "--all", "--output", "jsonl"])
    assert json.loads(line)["proto"]
    assert started.poll() is None  # a pipe holds 64 KiB: it waits for its reader
    os.close(reader)
    started.wait(60)
    started.stderr.close()


def test_a_reader_that_goes_away_ends_it(scene, doorward):
    scene("load", processes=10, sockets=10000)
    words = ["env", "--ignore-signal=PIPE", doorward.path, "list", "--all", "--output", "jsonl"]
    started, reader, _ = first_line_of(words)
    os.close(reader)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 3
    assert err.splitlines()[-1] == b"doorward: write the output: nobody reads the output"
    assert b"incomplete" not in err


def test_broken_off_it_says_so(scene, doorward):
    scene("load", processes=10, sockets=10000)
    started, reader, _ = first_line_of([doorward.path, "list", "--all", "--output", "jsonl"])
    started.send_signal(signal.SIGINT)
    rest = b""
    while chunk := os.read(reader, 65536):
        rest += chunk
    os.close(reader)
    started.communicate(timeout=60)
    *_, end = rest.splitlines()
    end = json.loads(end)
    assert started.returncode == 3
    assert end["complete"] is False
    assert {"sockets", "interrupted"} <= {m[key] for m in end["missing"] for key in ("what", "why")}
    assert len(rest.splitlines()) < 10000
