# SPDX-License-Identifier: GPL-2.0-or-later
"""The maker of scenes itself: what it says is so, and nothing of it stays."""

import os
import pathlib
import signal
import subprocess

import psutil
import pytest

import oracles
from conftest import program


def started(name, *options):
    ran = subprocess.Popen([program("SCENE", "tests/scenes/scene"), name, *options], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return ran, ran.stdout.readline()


def test_what_a_scene_says_is_in_the_kernels_tables(scene):
    made = scene("tcp-listener", workers=2)
    row, = [r for r in oracles.proc_net("tcp") if r["inode"] == made.inode]
    assert (row["local"], row["state"], row["uid"]) == (("127.0.0.1", made.port), "LISTEN", os.getuid())
    assert oracles.pids_by_proc(made.inode) == set(made.pids)
    theirs, = [r for r in oracles.ss("-t", "-l") if r["inode"] == made.inode]
    assert theirs["cookie"] == made.cookie


@pytest.mark.parametrize("end", ["stdin", "SIGTERM", "SIGKILL"])
def test_nothing_of_a_scene_stays(end):
    ran, line = started("tcp-listener", "--workers", "3")
    assert line
    children = psutil.Process(ran.pid).children(recursive=True)
    assert len(children) == 3
    if end == "stdin":
        ran.stdin.close()
    else:
        ran.send_signal(getattr(signal, end))
    ran.wait(10)
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    ran.stdout.close()
    ran.stderr.close()


@pytest.mark.needs("root")
def test_a_named_namespace_and_a_control_group_are_taken_away(scene):
    named, group = scene("netns-named"), scene("cgroup", path="/scene-test/inner")
    place = pathlib.Path(f"/run/netns/{named.netns_name}")
    assert place.exists()
    folders = list(pathlib.Path("/sys/fs/cgroup").glob("**/scene-test"))
    assert folders
    named.close()
    group.close()
    assert not place.exists()
    assert not any(folder.exists() for folder in folders)


@pytest.mark.parametrize("words", [[], ["no-such-scene"], ["tcp-listener", "--no-such", "1"],
                                   ["tcp-listener", "--port"]])
def test_a_wrong_command_line_is_status_2(words):
    ran = subprocess.run([program("SCENE", "tests/scenes/scene"), *words], capture_output=True,
                         stdin=subprocess.DEVNULL, timeout=10)
    assert (ran.returncode, ran.stdout) == (2, b"") and ran.stderr


def test_all_scenes_are_listed():
    out = subprocess.run([program("SCENE", "tests/scenes/scene"), "--list"], capture_output=True, check=True,
                         timeout=10).stdout.decode()
    assert out.count("\n") > 40 and "tcp-listener: " in out


def test_the_load_leaves_no_time_wait(scene):
    before = sum(r["state"] == "TIME_WAIT" for r in oracles.proc_net("tcp"))
    made = scene("load", processes=2, sockets=2000)
    assert len(made.pids) == 2
    made.close()
    after = sum(r["state"] == "TIME_WAIT" and r["local"][0].startswith("127.77.") for r in oracles.proc_net("tcp"))
    assert after == 0, f"{before} before"
