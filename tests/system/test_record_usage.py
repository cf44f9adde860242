# SPDX-License-Identifier: GPL-2.0-or-later
"""`record`, `history` and --at: what is wrong is said in a line, and how to begin."""

import os
import pathlib

import pytest


@pytest.mark.parametrize("words, said", [
    (["record", "--retain", "30"], "30d, 2GB"),
    (["record", "--retain", "10k"], "1MB at least"),
    (["record", "--retain", ""], "it takes a time, a size, or both"),
    (["record", "--json"], "--status"),
    (["history", "--since", "yestrday"], "did you mean yesterday?"),
    (["history", "--since", "2026-02-30"], "there is no such day"),
    (["history", "--since", "tomorrow"], "still to come"),
    (["history", "--since", "1h", "--until", "2h"], "before --since"),
    (["history", "--first-seen", "--changes"], "a question of its own"),
    (["history", "--limit", "-1"], "a number"),
    (["history", "--idle", "0s", "--changes"], "a question of its own"),
    (["list", "--at", "14:0"], "minutes"),
    (["list", "--db", "x"], "goes with --at"),
    (["list", "--at", "1h", "--read", "x"], "--read"),
    (["netstat", "--at", "1h", "5"], "SECONDS"),
])
def test_what_is_wrong_is_told(doorward, words, said):
    status, out, err = doorward.run(*words)
    assert (status, out) == (2, "")
    assert said in err and len(err.splitlines()) <= 4


@pytest.mark.parametrize("words", [["history"], ["record", "--status"], ["list", "--at", "now"],
                                   ["show", "80", "--at", "1h"], ["netstat", "-an", "--at", "1h"],
                                   ["fport", "--at", "1h"]])
def test_where_nothing_is_recorded_it_says_how_to_begin(doorward, tmp_path, words):
    status, out, err = doorward.run(*words, "--db", tmp_path / "none.db")
    assert (status, out) == (3, "")
    assert "nothing is recorded in" in err
    is_service = any(pathlib.Path(place, "systemd/system/doorward-record.service").exists()
                     for place in ("/etc", "/usr/local/lib", "/usr/lib", "/lib"))
    assert ("sudo systemctl enable --now doorward-record" if is_service else "sudo doorward record") in err


def test_a_file_that_is_no_record_is_refused(doorward, tmp_path):
    other = tmp_path / "other.db"
    other.write_bytes(b"something else\n" * 500)
    status, out, err = doorward.run("history", "--db", other)
    assert (status, out) == (3, "") and str(other) in err
    assert other.read_bytes() == b"something else\n" * 500


@pytest.mark.parametrize("words", [["history"], ["record", "--status"], ["record"]])
def test_what_never_answers_is_not_waited_for(doorward, tmp_path, words):
    os.mkfifo(tmp_path / "pipe.db")
    status, out, err = doorward.run(*words, "--db", tmp_path / "pipe.db")
    assert (status, out) == (3, "") and "is no file" in err
