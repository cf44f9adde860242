# SPDX-License-Identifier: GPL-2.0-or-later
"""What was saved of a real host is shown again elsewhere, without privilege and after the host has changed."""

import json
import subprocess

import pytest

import oracles

SCENES = [("tcp-listener", {"workers": 2}), ("v6only-pair", {}), ("two-owners", {}), ("tcp-connection", {}),
          ("tcp-connection", {"state": "time-wait"}), ("udp-connected", {}), ("mapped", {}), ("mptcp", {}),
          ("bad-name", {"kind": "bytes"})]


@pytest.fixture
def saved(scene, doorward, tmp_path):
    """A listing of many kinds of sockets, taken before they went: (its bytes, a file that anybody may read)."""
    def save(form):
        made = [scene(name, **options) for name, options in SCENES]
        text = " or ".join(f"port = {m.port} or peer_port = {m.port}" for m in made)
        status, out, _ = doorward.run("list", "--all", "--netns", "self", "--output", form, text, text=False)
        assert status == 0
        for m in made:
            m.close()
        file = tmp_path / f"saved.{form}"
        file.write_bytes(out)
        return out, file
    return save


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_it_comes_back_to_the_byte(saved, doorward, form):
    written, file = saved(form)
    _, again, _ = doorward.run("list", "--all", "--read", file, "--output", form, text=False)
    if form == "jsonl":  # a stream has no order
        again, written = sorted(again.splitlines()), sorted(written.splitlines())
    assert again == written


def test_a_filter_selects_in_it(saved, doorward):
    written, file = saved("json")
    whole = json.loads(written)["sockets"]
    seen = doorward.list("--read", file, "state = established and role = accepted")
    assert seen.sockets == [s for s in whole if s["state"] == "ESTABLISHED" and s["role"] == "accepted"]
    assert seen.sockets


@pytest.mark.parametrize("cut", [0.3, 0.7, 0.999])
@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_cut_file_is_incomplete(saved, doorward, form, cut):
    written, file = saved(form)
    file.write_bytes(written[:int(len(written) * cut)])
    seen = doorward.list("--all", "--read", file)
    assert not seen["complete"]
    assert [m["why"] for m in seen.missing("sockets")] == ["cut"]
    whole = json.loads(written)["sockets"] if form == "json" else \
        [json.loads(line) for line in written.splitlines()[:-1]]
    key = ("local_address", "local_port", "peer_address", "peer_port", "inode")
    ends = [tuple(s[k] for k in key) for s in whole]
    assert {tuple(s[k] for k in key) for s in seen.sockets} <= set(ends)
    assert 0 < len(seen.sockets) <= len(whole)


def test_a_dump_of_ss_has_what_ss_shows(scene, doorward, tmp_path):
    made = [scene(name, **options) for name, options in
            [("tcp-listener", {}), ("v6only-pair", {}), ("tcp-connection", {"state": "close-wait"})]]
    ports = {m.port for m in made}
    file = tmp_path / "ss.dump"
    subprocess.run(["ss", "-tan", "-D", file], check=True)
    seen = doorward.list("--all", "--read", file)
    theirs = {(r["local"], r["peer"], r["state"]) for r in oracles.ss("-tan")}
    ours = {(s.local, s["state"]) for s in seen.sockets if ports & {s["local_port"], s["peer_port"]}}
    assert ours == {(local, state) for local, peer, state in theirs if ports & {local[1], peer[1]}}
    assert seen["complete"]


@pytest.mark.parametrize("words", [["--netns", "self"], ["--netns", "web"], ["--source", "bpf"]], ids=" ".join)
def test_what_says_how_this_host_is_looked_at_is_not_taken_in_silence(saved, doorward, words):
    _, file = saved("json")
    for command in (["list"], ["show", "80"]):
        status, out, err = doorward.run(*command, "--read", file, *words)
        assert (status, out) == (2, "") and words[0] in err
    assert doorward.run("list", "--all", "--read", file, "--netns", "all")[0] == 0


NONE = {"empty": b"", "blank": b"\n", "text": b"hello", "program": b"\x7fELF" + bytes(100), "brace": b"{", "list": b"[]",
        "schema": b'{"schema":"other/1"}', "socket": b'{"schema":"doorward/1","sockets":[{}]}'}


@pytest.mark.parametrize("content", NONE.values(), ids=NONE)
def test_what_is_none_is_refused_in_words(doorward, tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    status, out, err = doorward.run("list", "--read", file)
    assert status == 2 and not out
    assert err.startswith(f"doorward: list: {str(file)[:20]}")
