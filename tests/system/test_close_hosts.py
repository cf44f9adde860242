# SPDX-License-Identifier: GPL-2.0-or-later
"""`doorward close` on what a real systemd, Docker and Podman hold."""

import pathlib
import shutil
import subprocess

import pytest

from conftest import Doorward, program
from hosts import until
from hosts.docker import docker  # noqa: F401 a fixture
from hosts.nspawn import machine  # noqa: F401 a fixture
from hosts.podman import podman  # noqa: F401 a fixture
from servers import closed, is_alive

pytestmark = pytest.mark.needs("root")


def one(told):
    step, = told["steps"]
    return step


# ---- systemd ----

@pytest.fixture(scope="module")
def inside(machine):  # noqa: F811
    """`close` in the machine's network, seen from outside."""
    if not (pathlib.Path(program("DOORWARD", "src/doorward")).parent / "bus.so").exists():
        pytest.skip("built without libsystemd")

    class Inside(Doorward):
        def run(self, command, *args, **how):
            return super().run(command, "--netns", machine.pid, *args, **how)

    return Inside()


def state(machine, unit):  # noqa: F811
    return machine.command("systemctl", "show", "-P", "ActiveState", unit)


def knock(machine, port):  # noqa: F811
    subprocess.run(["nsenter", "-t", str(machine.pid), "--net", "--", "/usr/bin/python3", "-c",
                    f"import socket; socket.create_connection(('127.0.0.1', {port})).close()"], check=True)


def listens(machine, port):  # noqa: F811
    return subprocess.run(["nsenter", "-t", str(machine.pid), "--net", "--", "ss", "-tlnH", f"sport = :{port}"],
                          capture_output=True, text=True, check=True).stdout.strip()


def test_a_process_that_systemd_starts_again_came_back(machine, inside):  # noqa: F811
    before = machine.main_pid("always.service")
    step = one(closed(inside, 7008, "--by", "process", statuses=[1]))
    assert any("always.service has Restart=always: systemd will start it again; stop the unit instead" in c
               for c in step["consequences"])
    assert step["outcome"] == "came back"
    holder, = step["holders_after"]
    assert holder["unit"] == "always.service" and holder["pid"] != before and not is_alive(before)
    assert (holder["parent_pid"], holder["parent_name"]) == (machine.pid, "systemd")


def test_its_unit_is_stopped_and_stays_so(machine, inside):  # noqa: F811
    machine.command("systemctl", "start", "always.service")
    step = one(closed(inside, 7008))
    assert (step["way"], step["object"], step["outcome"]) == ("unit", "always.service", "free")
    assert "Restart=always" in step["because"]
    assert state(machine, "always.service") in ("inactive", "failed")
    assert not listens(machine, 7008)


def test_a_socket_is_stopped_before_its_service(machine, inside):  # noqa: F811
    """act-6: a connection waits meanwhile, and the service holds the socket too."""
    machine.command("systemctl", "start", "knocked.socket")
    knock(machine, 7009)
    until(lambda: state(machine, "knocked.service") == "active", "the service")
    step = one(closed(inside, 7009))
    assert (step["way"], step["object"]) == ("unit", "knocked.socket, then knocked.service")
    assert (step["outcome"], step["bind_plain"]) == ("free", True)
    assert state(machine, "knocked.socket") == "inactive"
    assert state(machine, "knocked.service") in ("inactive", "failed")


def test_a_socket_whose_service_never_ran_is_stopped_too(machine, inside):  # noqa: F811
    machine.command("systemctl", "reset-failed")
    machine.command("systemctl", "start", "knocked.socket")
    step = one(closed(inside, 7009))
    assert step["outcome"] == "free" and not listens(machine, 7009)


def test_systemd_itself_is_never_signalled(machine, inside):  # noqa: F811
    machine.command("systemctl", "start", "knocked.socket")
    step = one(closed(inside, 7009, "--by", "process", "--force", statuses=[3]))
    assert step["refused"] and "systemd" in step["because"] and step["hint"] == "--by unit stops it"
    assert listens(machine, 7009)


@pytest.fixture(scope="module")
def as_its_user(machine, inside):  # noqa: F811
    """The program inside of the machine, as the user whose systemd and services run there."""
    built = pathlib.Path(program("DOORWARD", "src/doorward"))
    place = machine.folder / "program"
    place.mkdir()
    for path in built, built.parent / "bus.so":
        shutil.copy(path, place)

    class User(Doorward):
        path = "/program/doorward"

        def __init__(self):
            self.prefix = ["nsenter", "-t", str(machine.pid), "-a", "--", *inside.as_user().prefix]

    return User()


@pytest.mark.parametrize("by", ["root", "its user"])
def test_a_unit_of_a_users_own_systemd_is_stopped(machine, inside, as_its_user, by):  # noqa: F811
    machine.command("systemctl", "start", "user@65534.service")
    try:
        until(lambda: listens(machine, 7010), "the service")
        step = one(closed(inside if by == "root" else as_its_user, 7010))
        assert (step["way"], step["object"], step["outcome"]) == ("unit", "mine.service", "free")
    finally:
        machine.command("systemctl", "kill", "--signal=KILL", "user@65534.service")  # asked to, it may take two minutes


def test_a_unit_of_the_system_is_refused_to_a_user_who_may_end_its_process(machine, as_its_user):  # noqa: F811
    """No polkit is there that could be asked: systemd's own socket is for root alone."""
    machine.command("systemctl", "start", "theirs.service")
    step = one(closed(as_its_user, 7011, "--by", "unit", statuses=[3]))
    assert step["refused"] and "systemd" in step["because"] and step["hint"] == "run it with sudo"
    assert listens(machine, 7011)
    step = one(closed(as_its_user, 7011))
    assert (step["way"], step["outcome"]) == ("process", "free")
    assert any("could not be asked" in c for c in step["consequences"])


def test_a_scope_is_no_unit_to_stop(scene, doorward):
    """A login session has its name in the control group, and many other things in it."""
    made = scene("tcp-listener")
    step = one(closed(doorward, made.port, "--by", "unit", statuses=[3]))
    assert step["refused"] and "--by process" in step["hint"]
    assert is_alive(made.pid)


# ---- engines ----

def in_network(doorward, engine):
    return Doorward([*engine.network.words])


def test_dockers_container_stops_and_its_published_port_is_free(doorward, docker):  # noqa: F811
    made = docker.run("closed", ["18091:80"], [80])
    told = closed(in_network(doorward, docker), 18091, "--grace", "1s")
    assert {s["object"] for s in told["steps"]} == {"docker closed"}
    assert [(s["way"], s["outcome"]) for s in told["steps"]] == [("container", "free")] * 2
    assert docker.command("inspect", "-f", "{{.State.Running}}", "closed") == "false"
    assert not is_alive(made.pid)


def test_to_end_dockers_proxy_alone_is_told_what_it_is(doorward, docker):  # noqa: F811
    docker.run("proxied", ["18092:80"], [80])
    status, out, err = in_network(doorward, docker).run("close", 18092, "--by", "process", "--dry-run")
    assert status == 0, err
    assert "docker proxied runs on" in " ".join(out.split())


def test_podmans_container_stops_and_its_published_port_is_free(doorward, podman):  # noqa: F811
    made = podman.run("closed", ["18093:80"], [80])
    step = one(closed(in_network(doorward, podman), 18093, "--grace", "1s"))
    assert (step["way"], step["object"], step["outcome"]) == ("container", "podman closed", "free")
    assert podman.command("inspect", "-f", "{{.State.Running}}", "closed") == "false"
    assert not is_alive(made.pid)


def test_a_container_of_no_engine_is_refused(scene, doorward):
    made = scene("tcp-listener")
    step = one(closed(doorward, made.port, "--by", "container", statuses=[3]))
    assert step["refused"] and is_alive(made.pid)
