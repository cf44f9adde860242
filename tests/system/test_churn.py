# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets that stay are never lost and never doubled, however many others come and go."""

import collections
import json

import pytest

pytestmark = [pytest.mark.alone, pytest.mark.needs("root")]
LISTINGS = 40


def test_lasting_sockets_are_in_every_listing_once(scene, doorward, source):
    made = scene("churn", lasting=1600, together=400, buckets=64)
    lasting = set(made.lasting)
    assert len(lasting) == 1601
    lost = doubled = 0
    for _ in range(LISTINGS):
        seen = doorward.list(*source, "--all", "--netns", made.pid)
        count = collections.Counter(s["inode"] for s in seen.sockets)
        lost += sum(count[inode] == 0 for inode in lasting)
        doubled += sum(count[inode] > 1 for inode in lasting)
    assert (lost, doubled) == (0, 0), f"of {LISTINGS * 1601}"


def test_lasting_sockets_keep_their_holder(scene, doorward, source):
    made = scene("churn", lasting=1600, together=400, buckets=64)
    lasting = set(made.lasting)
    for _ in range(5):
        seen = doorward.list(*source, "--all", "--netns", made.pid)
        wrong = [s for s in seen.sockets if s["inode"] in lasting and s.pids != {made.pid}]
        assert wrong == []


def test_jsonl_loses_and_doubles_none_either(scene, doorward):
    made = scene("churn", lasting=1600, together=400, buckets=64)
    lasting = set(made.lasting)
    for _ in range(10):
        status, out, err = doorward.run("list", "--output", "jsonl", "--all", "--netns", made.pid, text=False)
        assert status == 0, err
        *rows, end = [json.loads(line) for line in out.splitlines()]
        assert end["end"] is True
        count = collections.Counter(row["inode"] for row in rows)
        assert [inode for inode in lasting if count[inode] != 1] == []


def test_no_socket_is_told_twice(scene, doorward, source):
    made = scene("churn", lasting=200, together=400, buckets=64)
    for _ in range(10):
        seen = doorward.list(*source, "--all", "--netns", made.pid)
        count = collections.Counter(s["inode"] for s in seen.sockets if s["inode"])
        assert [inode for inode, n in count.items() if n > 1] == []


@pytest.mark.needs("bpf")
def test_what_was_opened_or_closed_under_way_is_not_called_unseen(scene, doorward):
    """It was in no descriptor when its process was looked at, or in none any more."""
    made = scene("churn", lasting=200, together=400, buckets=64)
    for _ in range(20):
        seen = doorward.list("--source", "bpf", "--all", "--netns", made.pid, "tcp state = established")
        assert seen.all(held_by="unseen") == []
        assert seen["complete"], seen["missing"]
