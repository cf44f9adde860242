# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of socket, shown as what it is."""

import pytest

import oracles


def look(doorward, source, made, *options):
    return doorward.list(*source, *options, f"port = {made.port}").one(inode=made.inode)


def test_a_bound_udp_socket_is_open(scene, doorward, source):
    made = scene("udp")
    row = look(doorward, source, made)
    assert (row["proto"], row["state"], row.pids) == ("udp", "UNCONN", {made.pid})


def test_a_connected_udp_socket_has_its_peer(scene, doorward, source):
    made = scene("udp-connected")
    client = made.socket("client")
    row = doorward.list(*source, "--all", f"port = {made.client_port}").one(inode=client.inode)
    assert row.peer == ("127.0.0.1", made.port)
    assert (row["state"], row.pids) == ("ESTABLISHED", {made.pid})


def test_udp_lite_is_not_udp(scene, doorward, source):
    made = scene("udplite")
    row = look(doorward, source, made)
    assert (row["proto"], row.pids) == ("udplite", {made.pid})


@pytest.mark.needs("root")
@pytest.mark.parametrize("role, address", [("ipv4", "0.0.0.0"), ("ipv6", "::")])
def test_a_raw_socket_is_seen_with_its_holder(scene, doorward, source, role, address):
    made = scene("raw")
    inner = made.socket(role)
    row = doorward.list(*source, "--all", "proto = raw").one(inode=inner.inode)
    assert (row["family"], row["local_address"], row.pids) == (role, address, {made.pid})


def test_an_mptcp_socket_is_one_row(scene, doorward, source):
    made = scene("mptcp")
    seen = doorward.list(*source, "--all", f"port = {made.port}")
    row = seen.one(inode=made.inode)
    assert (row["proto"], row["mptcp"], row["state"], row.pids) == ("tcp", True, "LISTEN", {made.pid})
    server = seen.one(inode=made.socket("server").inode)
    assert (server["mptcp"], server["state"]) == (True, "ESTABLISHED")


@pytest.mark.needs("root")
def test_both_sources_say_the_same_of_mptcp(scene, doorward):
    made = scene("mptcp")
    told = {}
    for source in ("bpf", "proc"):
        seen = doorward.list("--source", source, "--all", f"port = {made.port}")
        told[source] = [
            [seen.one(inode=inode)[key] for key in ("cookie", "mptcp", "recv_queue", "send_queue", "backlog")]
            for inode in (made.inode, made.socket("server").inode)
        ]
    assert told["bpf"] == told["proc"]


def test_plain_tcp_is_not_called_mptcp(scene, doorward, source):
    assert look(doorward, source, scene("tcp-listener"))["mptcp"] is False


def test_a_dual_stack_listener_is_known_from_one_that_is_not(scene, doorward, source):
    both, only = scene("dual-stack"), scene("v6only-pair")
    assert look(doorward, source, both)["v6only"] is False
    seen = doorward.list(*source, f"port = {only.port}")
    assert seen.one(inode=only.socket("ipv6").inode)["v6only"] is True
    assert seen.one(inode=only.socket("ipv4").inode)["v6only"] in (None, False)


def test_v6only_agrees_with_ss(scene, doorward):
    made = [scene("dual-stack"), scene("v6only-pair")]
    ports = {m.port for m in made}
    theirs = {r["inode"]: r["v6only"] for r in oracles.ss("-t", "-l") if r["local"][1] in ports}
    for row in doorward.list(f"port = {made[0].port} or port = {made[1].port}").sockets:
        if row["family"] == "ipv6":
            assert row["v6only"] is theirs[row["inode"]]


def test_a_mapped_address_stays_itself_in_json_and_is_ipv4_in_the_table(scene, doorward, source):
    made = scene("mapped")
    row = look(doorward, source, made)
    assert (row["family"], row["local_address"], row["reach"]) == ("ipv6", "::ffff:127.0.0.1", "loopback")
    line, = [x for x in doorward.table(*source, f"port = {made.port}") if str(made.port) in x]
    assert "127.0.0.1" in line and "ffff" not in line


def test_the_filter_takes_a_mapped_address_for_ipv4(scene, doorward):
    made = scene("mapped")
    seen = doorward.list(f"port = {made.port} and address = 127.0.0.1")
    assert seen.one(inode=made.inode)


def test_a_socket_bound_to_an_interface_names_it(scene, doorward, source):
    made = scene("interface-bound")
    assert look(doorward, source, made)["interface"] == made.interface


def test_a_socket_bound_to_none_names_none(scene, doorward, source):
    assert look(doorward, source, scene("tcp-listener"))["interface"] is None


@pytest.mark.needs("root")
def test_an_interface_of_another_namespace_has_its_name_there(scene, doorward, source):
    made = scene("link-local", own_netns=True)
    row = look(doorward, source, made)
    assert (row["local_address"], row["reach"], row["interface"]) == (made.address, "link-local", made.interface)


@pytest.mark.parametrize("address, interface", [("239.255.7.7", "lo"), ("ff02::1:7", "lo")])
def test_a_socket_of_a_multicast_group_reaches_multicast(scene, doorward, source, address, interface):
    made = scene("multicast", address=address, interface=interface)
    row = look(doorward, source, made)
    assert (row["local_address"], row["reach"]) == (address, "multicast")


@pytest.mark.parametrize("address, reach", [("127.0.0.1", "loopback"), ("127.9.8.7", "loopback"), ("::1", "loopback"),
                                            ("0.0.0.0", "any"), ("::", "any")])
def test_reach_follows_the_bind_address(scene, doorward, source, address, reach):
    assert look(doorward, source, scene("tcp-listener", address=address))["reach"] == reach


def test_broadcast_is_a_reach_of_its_own(scene, doorward, source):
    made = scene("udp", address="255.255.255.255")
    assert look(doorward, source, made)["reach"] == "broadcast"


def test_the_number_is_named_and_classed(doorward, scene):
    made = scene("tcp-listener")
    row = look(doorward, (), made)
    low, high = map(int, open("/proc/sys/net/ipv4/ip_local_port_range").read().split())
    assert row["ephemeral"] is (low <= made.port <= high)
    assert row["class"] == ("dynamic" if made.port >= 49152 else "registered" if made.port >= 1024 else "well-known")


@pytest.mark.needs("root")
def test_a_well_known_number_has_its_service(scene, doorward):
    made = scene("tcp-listener", own_netns=True, port=443)
    row = look(doorward, ("--netns", str(made.pid)), made)
    assert (row["service"], row["class"], row["ephemeral"]) == ("https", "well-known", False)


def test_the_cookie_is_the_kernels(scene, doorward, source):
    made = scene("tcp-listener")
    row = look(doorward, source, made)
    assert row["cookie"] == made.cookie


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_both_families_have_every_fact(scene, doorward, source, address):
    made = scene("tcp-listener", address=address, workers=1)
    row = look(doorward, source, made)
    promised = {"proto", "family", "local_address", "local_port", "peer_address", "peer_port", "state", "role",
                "service", "class", "ephemeral", "reach", "interface", "inode", "cookie", "netns", "netns_name", "uid",
                "user", "recv_queue", "send_queue", "backlog", "v6only", "mptcp", "held_by", "container",
                "peer_process", "holders"}
    assert promised <= set(row)
    assert {"pid", "fd", "name", "exe", "exe_deleted", "cmdline", "cwd", "uid", "user", "start_time", "ppid", "unit",
            "container"} <= set(row["holders"][0])
    assert row["local_address"] == address


def test_the_document_has_what_is_promised(doorward):
    seen = doorward.list("port = 1")
    assert {"schema", "host", "time", "boot_id", "complete", "missing", "sockets"} <= set(seen)
    assert seen["boot_id"] == open("/proc/sys/kernel/random/boot_id").read().strip()
