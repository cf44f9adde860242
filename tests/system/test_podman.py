# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports that a real Podman publishes belong to their container."""

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


def test_of_several_ports_inside_the_one_of_the_same_number_is_meant(doorward, podman):  # noqa: F811
    made = podman.run("several", ["18085:18085"], [80, 18085])
    for one in doorward.list("port = 18085").sockets:
        if one["holders"][0]["name"] == "conmon":
            assert one["answered_by"]["process"]["pid"] == made.pid
