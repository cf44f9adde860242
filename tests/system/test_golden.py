# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings shown again give the same bytes: the views are tested without root and without a network.

A recording is a file of tests/golden; what is expected of it stands beside it, in a folder of its name. `make golden`
writes the expected files anew; the commit says why.
"""

import json
import os
import pathlib
import re

import pytest

from conftest import Doorward

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
RECORDINGS = sorted(p for p in GOLDEN.iterdir() if p.is_file())

VIEWS = {
    "table": [],
    "ungrouped": ["--no-group"],
    "wide": ["--output", "wide"],
    "connections": ["--connections"],
    "all": ["--all"],
    "json": ["--all", "--json"],
    "jsonl": ["--all", "--output", "jsonl"],
    "csv": ["--all", "--output", "csv"],
    "raw": ["--output", "raw"],
    "fields": ["--fields", "local,held_by,process,two_owners", "--sort", "-port"],
    "json-fields": ["--json", "--fields", "local,pid"],
    "filter": ["port = 80 or proto = udp"],
    "state": ["state = established"],
}


STORIES = {
    "show-80": ["80"],
    "show-8080": ["8080"],
    "show-service": ["https"],
    "show-protocol": ["udp/4789"],
    "show-address": ["[::1]:8080"],
    "show-range": ["9001-9004"],
    "show-nobody": ["2"],
    "show-json": ["--json", "8080"],
}
EXPLAINED = {"explain-443": ["443"], "explain-json": ["--json", "53"], "explain-40000": ["40000"]}


def compare(expected, out):
    if os.environ.get("DOORWARD_GOLDEN") == "write":
        expected.parent.mkdir(exist_ok=True)
        expected.write_bytes(out)
    assert out.decode() == expected.read_bytes().decode()


def listed(doorward, recording, words):
    status, out, _ = doorward.run("list", "--read", recording, *words, text=False,
                                  environment={"LC_ALL": "C.UTF-8"})
    assert status in (0, 1)
    return out


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda p: p.stem)
def test_a_recording_is_shown_as_it_was(doorward, recording, view):
    expected = GOLDEN / f"{recording.stem}.expected" / view
    compare(expected, listed(doorward, recording, VIEWS[view]))


@pytest.mark.parametrize("view", STORIES)
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda p: p.stem)
def test_a_recording_is_shown_as_the_same_story(doorward, recording, view):
    status, out, _ = doorward.run("show", "--read", recording, *STORIES[view], text=False,
                                  environment={"LC_ALL": "C.UTF-8"})
    assert status in (0, 1)
    compare(GOLDEN / f"{recording.stem}.expected" / view, out)


@pytest.mark.parametrize("view", EXPLAINED)
@pytest.mark.needs("root", "program:unshare")
def test_a_number_is_explained_as_it_was(doorward, view):
    """In a network namespace of its own: what is ephemeral there is the kernel's own choice."""
    status, out, _ = Doorward(["unshare", "--net"]).run("explain", *EXPLAINED[view], text=False)
    assert status == 0
    out = re.sub(rb'"(host|boot_id|time|netns)":("[^"]*"|[0-9.]*)', rb'"\1":null', out)
    compare(GOLDEN / "explain.expected" / view, out)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda p: p.stem)
def test_what_was_shown_as_json_is_read_as_the_same(doorward, recording, tmp_path):
    first = listed(doorward, recording, VIEWS["json"])
    saved = tmp_path / "saved.json"
    saved.write_bytes(first)
    assert listed(doorward, saved, VIEWS["json"]) == first


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda p: p.stem)
def test_a_line_of_jsonl_is_a_socket_of_json(doorward, recording):
    whole = json.loads(listed(doorward, recording, VIEWS["json"]))
    *lines, end = [json.loads(line) for line in listed(doorward, recording, VIEWS["jsonl"]).splitlines()]
    assert lines == whole["sockets"]
    assert end == {"end": True, "complete": whole["complete"], "missing": whole["missing"]}
