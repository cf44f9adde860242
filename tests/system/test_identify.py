# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands behind a port: real servers of Debian on odd ports, over IPv4 and IPv6, and those that mean no good."""

import contextlib
import subprocess

import pytest

from identifying import identify, identify_one
from real_servers import SERVERS, running

TWELVE = ["openssh", "nginx", "nginx-tls", "apache", "redis", "memcached", "mariadb", "mosquitto", "nats", "vsftpd", "exim",
          "etcd"]


def version_told(server):
    """What the package says, without epoch, the repacker's marks and Debian's revision."""
    ran = subprocess.run(server.told, shell=True, capture_output=True, text=True, check=True)
    version = ran.stdout.strip().split(":")[-1]
    return version.split("-")[0].split("+dfsg")[0].split("+ds")[0].split("~")[0].split("+really")[-1]


def check(name, seen):
    server = SERVERS[name]
    assert (seen.outcome, seen.service, seen.product) == ("named", server.service, server.product)
    if server.told:
        told = version_told(server)
        assert seen.version.replace("p", "p").startswith(told), (seen.version, told)
    else:
        assert seen.version is None
    assert seen.protocol_version == server.protocol
    assert set(seen.findings) == set(server.findings)
    assert bool(seen.tls) == server.tls
    if server.tls:
        assert seen.tls["names"] == ["door.test", "www.door.test", "127.0.0.1"]
        assert seen.tls["version"].startswith("TLSv1.") and seen.tls["cipher"] and seen.tls["not_after"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("name", SERVERS)
def test_real_server_is_named_as_it_names_itself(name, address):
    with running(name, address) as server:
        check(name, identify_one(address, server.port, SERVERS[name].proto))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_twelve_servers_at_once_are_named_with_their_versions(address):
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(running(name, address)) for name in TWELVE}
        seen = identify(*[(address, server.port) for server in servers.values()])
        for name, server in servers.items():
            check(name, seen.by[server.port])
