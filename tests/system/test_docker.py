# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports that a real Docker publishes belong to their container."""

import pytest

from hosts.docker import docker  # noqa: F401 a fixture

pytestmark = pytest.mark.needs("root")


@pytest.fixture(scope="module")
def web(docker):  # noqa: F811
    return docker.run("web", ["18081:80", "127.0.0.1:18082:81", "18053:53/udp"], [80, 81, "udp/53"])


def name_of(container):
    return container["engine"], container["id"], container["name"]


def published(doorward, *words):
    seen = doorward.list(*words).sockets
    assert seen and all(s["holders"][0]["name"] == "docker-proxy" for s in seen)
    return seen


@pytest.mark.parametrize("port, proto, n", [(18081, "tcp", 2), (18082, "tcp", 1), (18053, "udp", 2)])
def test_a_published_port_belongs_to_its_container(doorward, source, web, port, proto, n):
    seen = published(doorward, *source, f"port = {port}")
    assert len(seen) == n
    for one in seen:
        assert one["proto"] == proto
        assert name_of(one["container"]) == ("docker", web.id, "web")


def test_the_process_that_will_answer_is_named_beside_the_proxy(doorward, source, web):
    for port in (18081, 18082, 18053):
        for one in published(doorward, *source, f"port = {port}"):
            assert one["answered_by"]["process"]["pid"] == web.pid
            assert one["answered_by"]["process"]["exe"] == "/listen"
            assert web.pid not in one.pids


def test_it_is_the_same_in_a_listing_of_all(doorward, web):
    rows = [s for s in doorward.list().sockets if s["local_port"] == 18081]
    assert len(rows) == 2 and all(s["answered_by"]["process"]["pid"] == web.pid for s in rows)


def test_one_container_behind_two_proxies_is_no_second_owner(doorward, web):
    assert [s["two_owners"] for s in published(doorward, "port = 18081")] == [False, False]


def test_a_process_in_a_container_and_its_namespace_bear_its_name(doorward, web):
    inside = [s for s in doorward.list("port = 80").sockets if web.pid in s.pids]
    assert len(inside) == 1
    assert name_of(inside[0]["holders"][0]["container"]) == ("docker", web.id, "web")
    assert inside[0]["netns_name"] == "docker:web"
    assert inside[0]["answered_by"] is None


@pytest.mark.parametrize("named", ["docker:web", "web", "docker:{id}", "{id}", "net:[{netns}]", "{netns}"])
def test_a_namespace_is_chosen_by_what_a_row_shows_of_it(doorward, web, named):
    inside, = [s for s in doorward.list("port = 80").sockets if web.pid in s.pids]
    words = named.format(id=web.id[:12], netns=inside["netns"])
    seen = doorward.list("--netns", words)
    assert {s["local_port"] for s in seen.sockets} == {80, 81, 53}
    assert {s["netns_name"] for s in seen.sockets} == {"docker:web"}


@pytest.mark.parametrize("named", ["docker:no", "podman:web", "docker:", "we"])
def test_what_names_no_container_is_refused(doorward, web, named):
    status, out, err = doorward.run("list", "--netns", named)
    assert (status, out) == (2, "")
    assert err.startswith(f"doorward: list: there is no network namespace {named}\n")


def test_a_namespace_bears_its_name_whatever_else_is_asked(doorward, web):
    seen = doorward.json("list", "--fields", "pid,netns_name", "netns_name = docker:web")
    assert {h["pid"] for s in seen.sockets for h in s["holders"]} == {web.pid}


def test_the_table_names_container_and_answer(doorward, web):
    rows = [line for line in doorward.table("port = 18082") if "18082" in line]
    assert len(rows) == 1 and "docker web" in rows[0] and "listen" in rows[0] and "docker-proxy" in rows[0]


def test_each_of_two_containers_has_its_own_port(doorward, docker, web):  # noqa: F811
    other = docker.run("other", ["18083:80"], [80])
    for one in published(doorward, "port = 18083"):
        assert name_of(one["container"]) == ("docker", other.id, "other")
        assert one["answered_by"]["process"]["pid"] == other.pid
    for one in published(doorward, "port = 18081"):
        assert one["answered_by"]["process"]["pid"] == web.pid


def test_without_a_listener_the_container_is_named_and_nobody_answers(doorward, docker):  # noqa: F811
    idle = docker.run("idle", ["18084:80"], [8000])
    for one in published(doorward, "port = 18084"):
        assert name_of(one["container"]) == ("docker", idle.id, "idle")
        assert one["answered_by"]["process"] is None
