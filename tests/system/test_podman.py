# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports that a real Podman publishes belong to their container."""

import json
import subprocess

import pytest

from hosts.podman import podman  # noqa: F401 a fixture

pytestmark = pytest.mark.needs("root")


@pytest.fixture(scope="module")
def shop(podman):  # noqa: F811
    return podman.run("shop", ["18080:80"], [80])


def test_a_published_port_belongs_to_its_container(doorward, source, shop):
    seen = doorward.list(*source, "port = 18080").sockets
    assert seen
    for one in seen:
        assert one["holders"][0]["name"] == "conmon"
        assert one["container"] == {"engine": "podman", "id": shop.id, "name": "shop"}
        assert one["answered_by"]["process"]["pid"] == shop.pid


def test_a_process_in_a_container_bears_its_name(doorward, source, shop):
    inside, = [s for s in doorward.list(*source, "port = 80").sockets if shop.pid in s.pids]
    assert inside["holders"][0]["container"] == {"engine": "podman", "id": shop.id, "name": "shop"}


def test_of_several_ports_each_leads_to_its_own(doorward, podman):  # noqa: F811
    made = podman.run("range", ["18090-18091:8090-8091", "18099:8092", "18098:8099", "18053:53/udp"],
                      [8090, 8091, 8092, "udp/53"])
    answers = {s["local_port"]: s["answered_by"]["process"] for s in doorward.list("port in 18000-18099").sockets
               if s["container"]["name"] == "range"}
    assert {port: answer and answer["pid"] for port, answer in answers.items()} == \
        {18090: made.pid, 18091: made.pid, 18099: made.pid, 18098: None, 18053: made.pid}


@pytest.mark.needs("program:strace")
def test_it_costs_no_walk_over_all_processes(doorward, shop, tmp_path):
    seen = {}
    for port in (1, 18080):
        subprocess.run(["strace", "-f", "-c", "-o", tmp_path / "calls", "-e", "trace=openat", doorward.path, "list",
                        f"port = {port}"], capture_output=True, timeout=60)
        seen[port] = int((tmp_path / "calls").read_text().split("total")[0].split()[-1])
    assert seen[18080] < seen[1] + 60


def test_a_namespace_is_called_by_its_container(doorward, shop):
    inside, = [s for s in doorward.list("port = 80").sockets if shop.pid in s.pids]
    assert inside["netns_name"] == "podman:shop"
    for named in ("podman:shop", "shop", shop.id[:12]):
        assert [s.pids for s in doorward.list("--netns", named).sockets] == [{shop.pid}]


def test_of_several_ports_inside_the_one_of_the_same_number_is_meant(doorward, podman):  # noqa: F811
    made = podman.run("several", ["18085:18085"], [80, 18085])
    for one in doorward.list("port = 18085").sockets:
        if one["holders"][0]["name"] == "conmon":
            assert one["answered_by"]["process"]["pid"] == made.pid


@pytest.mark.parametrize("words", [(), ("--fields", "inode,netns_name")], ids=["whole", "names"])
def test_a_stream_of_many_names_a_namespace_by_its_container(scene, doorward, shop, words):
    """Of so many open sockets a stream keeps few whole: what names a namespace is among them."""
    scene("load", kind="half", processes=10, sockets=20000)
    inode, = {s["inode"] for s in doorward.list("port = 80").sockets if shop.pid in s.pids}
    _, out, _ = doorward.run("list", "--all", "--output", "jsonl", *words)
    name, = {s["netns_name"] for s in map(json.loads, out.splitlines()) if s.get("inode") == inode}
    assert name == "podman:shop"
