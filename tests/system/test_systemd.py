# SPDX-License-Identifier: GPL-2.0-or-later
"""A real systemd: sockets that it holds for a service, and the units of processes."""

import subprocess

import pytest

from hosts.nspawn import machine  # noqa: F401 a fixture

pytestmark = pytest.mark.needs("root")

ACTIVATED = [(7001, "tcp", "echo.service"), (7002, "udp", "echo.service"), (7003, "tcp", "each@.service"),
             (7005, "tcp", "other.service"), (7007, "tcp", "moved.service")]


def one_of(doorward, machine, port, *words):  # noqa: F811
    """The socket on that port in the machine's network."""
    netns = int(machine.command("stat", "-Lc", "%i", "/proc/self/ns/net"))
    found, = [s for s in doorward.list(*words, f"port = {port}").sockets if s["netns"] == netns]
    return found


@pytest.mark.parametrize("port, proto, unit", ACTIVATED)
def test_the_service_behind_a_socket_is_named(doorward, source, machine, port, proto, unit):  # noqa: F811
    seen = one_of(doorward, machine, port, *source)
    assert seen["proto"] == proto
    assert seen.pids == {machine.pid}
    assert seen["holders"][0]["name"] == "systemd"
    assert seen["answered_by"]["unit"] == unit


def test_a_port_that_a_drop_in_took_away_is_not_open(doorward, machine):  # noqa: F811
    netns = int(machine.command("stat", "-Lc", "%i", "/proc/self/ns/net"))
    assert not [s for s in doorward.list("port = 7006").sockets if s["netns"] == netns]


def test_a_service_has_its_unit_and_its_machine(doorward, source, machine):  # noqa: F811
    seen = one_of(doorward, machine, 7004, *source)
    pid = machine.main_pid("web.service")
    assert seen.pids == {pid}
    holder = seen["holders"][0]
    assert holder["unit"] == "web.service"
    assert holder["container"] == {"engine": "systemd-nspawn", "id": machine.name, "name": machine.name}
    assert seen["answered_by"] is None


def test_an_activated_service_stands_beside_systemd(doorward, machine):  # noqa: F811
    subprocess.run(["nsenter", "-t", str(machine.pid), "--net", "--", "/usr/bin/python3", "-c",
                    "import socket; socket.create_connection(('127.0.0.1', 7001)).close()"], check=True)
    machine.command("systemctl", "start", "echo.service")
    seen = one_of(doorward, machine, 7001)
    assert seen.pids == {machine.pid, machine.main_pid("echo.service")}
    assert seen["answered_by"]["unit"] == "echo.service"


def test_the_story_of_a_socket_names_its_service(doorward, machine):  # noqa: F811
    status, out, err = doorward.run("show", "7003")
    assert status == 0, err
    assert "each@.service" in out
