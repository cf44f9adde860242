# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands behind a port: real servers of Debian on odd ports, over IPv4 and IPv6, and those that mean no good."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

from identifying import identify, identify_one
from real_servers import SERVERS, free_port, listed, running

pytestmark = pytest.mark.alone  # how long a server may take to answer is measured against the clock

TWELVE = ["openssh", "nginx", "nginx-tls", "apache", "redis", "memcached", "mariadb", "mosquitto", "nats", "vsftpd", "exim",
          "etcd"]


def version_told(server):
    """What the package says, without epoch, the repacker's marks and Debian's revision."""
    ran = subprocess.run(server.told, shell=True, capture_output=True, text=True, check=True)
    version = ran.stdout.strip().split(":")[-1]
    return version.split("-")[0].split("+dfsg")[0].split("+ds")[0].split("~")[0].split("+really")[-1]


def check(name, seen):
    server = SERVERS[name]
    products = {server.product}
    if name == "named":  # answers three questions of class CHAOS a second at most; who are its authors may stay unsaid
        products.add(None)
    assert (seen.outcome, seen.service) == ("named", server.service)
    assert seen.product in products
    if server.told:
        told = version_told(server)
        assert seen.version.startswith(told), (seen.version, told)
    else:
        assert seen.version is None
    assert seen.protocol_version == server.protocol
    assert set(seen.findings) == set(server.findings)
    assert bool(seen.tls) == (server.tls or server.starttls)
    if seen.tls:
        assert seen.tls["starttls"] == server.starttls
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


# ---- certificates, versions ----

@pytest.fixture
def tls_server(tmp_path):
    """tls_server(days, issuer, *words): openssl's own server with a certificate of that life; its port."""
    with contextlib.ExitStack() as stack:
        def start(days, signed_by_other=False, words=()):
            make_certificate(tmp_path, days, signed_by_other)
            port = free_port("127.0.0.1")
            process = stack.enter_context(subprocess.Popen(
                ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", tmp_path / "cert.pem", "-key",
                 tmp_path / "key.pem", "-quiet", *words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL))
            stack.callback(process.kill)
            while not listed("tcp", port):
                assert process.poll() is None
                time.sleep(0.02)
            return port
        yield start


def make_certificate(folder, days, signed_by_other):
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=folder)
    if not signed_by_other:
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", days,
                "-subj", "/CN=common.test")
        return
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=issuer")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=common.test")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days, "-out",
            "cert.pem")


@pytest.mark.needs("program:socat")
@pytest.mark.parametrize("name", ["git", "smbd", "xrdp", "prometheus", "dropbear", "mariadb", "memcached", "postgresql", "rsync"])
def test_behind_tls_whoever_answers_is_named_all_the_same(tmp_path, name):
    make_certificate(tmp_path, 300, False)
    with running(name, "127.0.0.1") as server, contextlib.ExitStack() as stack:
        port = free_port("127.0.0.1")
        process = stack.enter_context(subprocess.Popen(
            ["socat", f"OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,verify=0,cert={tmp_path}/cert.pem,key={tmp_path}/key.pem",
             f"TCP:127.0.0.1:{server.port}"], start_new_session=True, stderr=subprocess.DEVNULL))
        stack.callback(os.killpg, process.pid, signal.SIGKILL)
        while not listed("tcp", port):
            assert process.poll() is None
            time.sleep(0.02)
        plain, seen = identify_one("127.0.0.1", server.port), identify_one("127.0.0.1", port)
    assert seen.outcome == "named" and seen.tls
    assert (seen.service, seen.product, seen.version) == (plain.service, plain.product, plain.version)


@pytest.mark.parametrize("days, by_other, findings", [
    (300, False, {"certificate-self-signed"}), (300, True, set()), (10, True, {"certificate-expiring"}),
    (0, True, {"certificate-expired"})])
def test_certificate_is_told_by_its_life_and_signer(tls_server, days, by_other, findings):
    seen = identify_one("127.0.0.1", tls_server(days, by_other))
    assert seen.service == "tls" and seen.tls["names"] == ["common.test"]
    assert set(seen.findings) == findings
    assert abs(seen.tls["not_after"] - time.time() - days * 86400) < 3600


@pytest.mark.parametrize("words, version", [
    (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), "TLSv1"), (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "TLSv1.1"),
    (("-tls1_2",), "TLSv1.2"), (("-tls1_3",), "TLSv1.3")])
def test_old_versions_of_tls_are_seen(tls_server, words, version):
    seen = identify_one("127.0.0.1", tls_server(300, words=words))
    assert (seen.service, seen.tls["version"]) == ("tls", version)


def test_server_that_wants_a_certificate_of_ours_still_shows_its_own(tls_server):
    seen = identify_one("127.0.0.1", tls_server(300, words=("-tls1_2", "-Verify", "1")))
    assert seen.service == "tls" and seen.tls["names"] == ["common.test"]
