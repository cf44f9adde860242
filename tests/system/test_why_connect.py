# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a port cannot be reached: each cause constructed, the kernel's own answer beside it."""

import errno

import pytest

from room import Room

pytestmark = pytest.mark.needs("root")

NOBODY = 65534
DIAL = """
def dial(address, port, source=None, wait=0.5, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    s.settimeout(wait)
    try:
        if source: s.bind((source, 0))
        s.connect((address, port))
        return 0
    except TimeoutError: return errno.ETIMEDOUT
    except OSError as error: return error.errno
    finally: s.close()
"""


@pytest.fixture
def room():
    made = Room()
    made(DIAL)
    yield made
    made.close()


@pytest.fixture
def pair(room):
    """Two namespaces on one link: room has 192.0.2.1, the other 192.0.2.2."""
    other = Room()
    other(DIAL)
    room(f"ip('link add one type veth peer name two'); ip('link set two netns {other.pid}')")
    room("ip('address add 192.0.2.1/24 dev one'); ip('link set one up')")
    other("ip('address add 192.0.2.2/24 dev two'); ip('link set two up')")
    yield room, other
    other.close()


def why(room, doorward, *words, uid=None):
    said = room.doorward(doorward, uid).json("why", *words, "--connect")
    assert said["question"]["attempt"] == "connect"
    assert said["can"] == (said["kernel"]["errno"] == 0)
    return said


def check(said, cause, error):
    assert said["kernel"]["errno"] == error, said["kernel"]
    assert said["agreement"] == "yes"
    assert said["causes"][0]["cause"] == cause, said["causes"]
    assert said["causes"][0]["certainty"] == "seen"
    return said["causes"][0]


def test_what_can_be_reached(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    assert room(f"dial('127.0.0.1', {port})") == 0
    assert why(room, doorward, port)["can"]
    status, out, _ = room.doorward(doorward).run("why", port, "--connect")
    assert status == 0 and "can be reached" in out


def test_nothing_listens(room, doorward):
    check(why(room, doorward, "127.0.0.1:9"), "nothing-listens", room("dial('127.0.0.1', 9)"))
    check(why(room, doorward, "[::1]:9"), "nothing-listens", room("dial('::1', 9)"))
    check(why(room, doorward, "udp/127.0.0.1:9"), "nothing-listens", errno.ECONNREFUSED)


def test_it_listens_on_loopback_only(pair, doorward):
    room, other = pair
    port = other("listen('127.0.0.1', 0)")
    cause = check(why(room, doorward, f"192.0.2.2:{port}"), "loopback-only", room(f"dial('192.0.2.2', {port})"))
    assert cause["sockets"][0]["holders"][0]["pid"] == other.pid
    port = room("listen('127.0.0.1', 0)")
    check(why(room, doorward, f"192.0.2.1:{port}"), "loopback-only", room(f"dial('192.0.2.1', {port})"))


def test_it_listens_on_another_address(pair, doorward):
    room, _ = pair
    port = room("listen('192.0.2.1', 0)")
    cause = check(why(room, doorward, f"127.0.0.1:{port}"), "other-address", room(f"dial('127.0.0.1', {port})"))
    assert "192.0.2.1" in cause["because"]


def test_it_listens_in_another_namespace(pair, doorward):
    room, other = pair
    port = other("listen('0.0.0.0', 0)")
    cause = check(why(room, doorward, f"127.0.0.1:{port}"), "other-namespace", room(f"dial('127.0.0.1', {port})"))
    assert cause["sockets"][0]["holders"][0]["pid"] == other.pid
    assert why(room, doorward, f"192.0.2.2:{port}")["can"]


def test_the_backlog_is_full(room, doorward):
    port = room("listen('127.0.0.1', 0, backlog=1)")
    room(f"[keep(socket.create_connection(('127.0.0.1', {port}), 1)) for i in range(2)]")
    cause = check(why(room, doorward, f"127.0.0.1:{port}"), "backlog-full", room(f"dial('127.0.0.1', {port})"))
    assert "2 connections wait" in cause["because"] and "holds 1" in cause["because"]


@pytest.mark.parametrize("kind, error", [("unreachable", errno.EHOSTUNREACH), ("prohibit", errno.EACCES),
                                         ("blackhole", errno.EINVAL), (None, errno.ENETUNREACH)])
def test_the_route_is_missing_or_forbids(room, doorward, kind, error):
    if kind:
        room(f"ip('route add {kind} 198.51.100.0/24')")
    assert room("dial('198.51.100.7', 80)") == error
    check(why(room, doorward, "198.51.100.7:80"), "no-route", error)


def test_nobody_on_the_link(pair, doorward):
    room, _ = pair
    room("open('/proc/sys/net/ipv4/neigh/one/retrans_time_ms', 'w').write('100')")
    check(why(room, doorward, "192.0.2.77:80"), "neighbour", room("dial('192.0.2.77', 80, wait=5)"))


def test_an_own_end_and_another_place(pair, doorward):
    room, other = pair
    port = other("listen('192.0.2.2', 0)")
    said = room.doorward(doorward).json("why", f"192.0.2.2:{port}", "192.0.2.1", "--connect")
    assert said["can"] and said["question"]["from"] == "192.0.2.1"
    said = room.doorward(doorward).json("why", f"192.0.2.2:{port}", "203.0.113.7", "--connect")
    assert said["kernel"]["errno"] == room(f"dial('192.0.2.2', {port}, '203.0.113.7')") == errno.EADDRNOTAVAIL
    assert check(said, "address-absent", errno.EADDRNOTAVAIL)["because"].startswith("203.0.113.7, where it is to begin, ")
    said = doorward.json("why", f"127.0.0.1:{port}", room.pid, "--connect")
    check(said, "other-namespace", errno.ECONNREFUSED)
    assert doorward.json("why", f"192.0.2.2:{port}", room.pid, "--connect")["can"]


def test_a_port_alone_is_of_the_family_of_its_other_end(room, doorward):
    port = room("listen('::1', 0)")
    said = room.doorward(doorward).json("why", port, "::1", "--connect")
    assert said["can"] and said["question"]["address"] == "::1"
    status, out, err = room.doorward(doorward).run("why", f"127.0.0.1:{port}", "::1", "--connect")
    assert (status, out) == (2, "") and "one end is IPv4, the other is IPv6" in err


def test_a_user_is_told_what_may_be_seen(room, doorward):
    check(why(room, doorward, "127.0.0.1:9", uid=NOBODY), "nothing-listens", errno.ECONNREFUSED)


# ---- traced ----

def nft(room, text):
    room(f"subprocess.run(['nft', '-f', '-'], input={text!r}, text=True, check=True)")


def rule_of(room, table, chain):
    """Handle of the only rule there, as nft itself tells it."""
    listed = room(f"subprocess.run('nft -a list chain {table} {chain}'.split(), capture_output=True, text=True).stdout")
    line, = [line for line in listed.splitlines() if "dport" in line]
    return int(line.rpartition("handle ")[2])


@pytest.mark.needs("program:nft")
@pytest.mark.parametrize("hook", ["input", "output", "prerouting"])
@pytest.mark.parametrize("verdict, error", [("drop", errno.ETIMEDOUT), ("reject", errno.ECONNREFUSED),
                                            ("reject with tcp reset", errno.ECONNREFUSED)])
def test_a_rule_is_named(room, doorward, hook, verdict, error):
    if hook == "prerouting" and verdict.startswith("reject"):
        pytest.skip("reject is for input, forward and output")
    port = room("listen('127.0.0.1', 0)")
    nft(room, f"table inet gate {{ chain way {{ type filter hook {hook} priority 0; tcp dport {port} {verdict}; }}; }}")
    assert room(f"dial('127.0.0.1', {port})") == error
    cause = check(why(room, doorward, f"127.0.0.1:{port}"), "firewall", error)
    assert cause["rule"] == {"family": "inet", "table": "gate", "chain": "way", "text": cause["rule"]["text"],
                             "handle": rule_of(room, "inet gate", "way")}
    tables = room("subprocess.run('nft list tables'.split(), capture_output=True, text=True).stdout")
    assert tables.split("\n") == ["table inet gate", ""], "nothing of ours is left"


@pytest.mark.needs("program:nft")
def test_the_policy_of_a_chain(room, doorward):
    port = room("listen('::1', 0)")
    nft(room, "table ip6 gate { chain way { type filter hook input priority 0; policy drop; }; }")
    cause = check(why(room, doorward, f"[::1]:{port}"), "firewall", room(f"dial('::1', {port})"))
    assert cause["rule"]["family"] == "ip6" and cause["rule"]["handle"] == 0 and "policy" in cause["because"]


@pytest.mark.needs("program:nft")
def test_a_rule_in_another_namespace_is_named(pair, doorward):
    room, other = pair
    port = other("listen('192.0.2.2', 0)")
    nft(other, f"table ip gate {{ chain way {{ type filter hook input priority 0; tcp dport {port} drop; }}; }}")
    cause = check(why(room, doorward, f"192.0.2.2:{port}"), "firewall", room(f"dial('192.0.2.2', {port})"))
    assert (cause["rule"]["table"], cause["rule"]["handle"]) == ("gate", rule_of(other, "ip gate", "way"))
    assert "in network namespace" in cause["because"]


@pytest.mark.needs("program:nft")
def test_a_user_is_told_how_to_learn_more(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    nft(room, f"table inet gate {{ chain way {{ type filter hook input priority 0; tcp dport {port} drop; }}; }}")
    cause = check(why(room, doorward, f"127.0.0.1:{port}", uid=NOBODY), "silent", errno.ETIMEDOUT)
    assert "sudo" in cause["remedy"]


@pytest.mark.needs("bpf")
def test_the_kernels_reason_reverse_path(pair, doorward):
    room, other = pair
    port = other("listen('0.0.0.0', 0)")
    other("open('/proc/sys/net/ipv4/conf/two/rp_filter', 'w').write('1')")
    room("ip('address add 203.0.113.9/32 dev lo')")
    assert room(f"dial('192.0.2.2', {port})") == 0, "both ends know each other on the link"
    said = room.doorward(doorward).json("why", f"192.0.2.2:{port}", "203.0.113.9", "--connect")
    cause = check(said, "dropped", room(f"dial('192.0.2.2', {port}, '203.0.113.9')"))
    assert "IP_RPFILTER" in cause["because"]


@pytest.mark.needs("bpf")
def test_the_kernels_reason_socket_filter(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    room("filter = struct.pack('HBBI', 6, 0, 0, 0); buffer = ctypes.create_string_buffer(filter)")
    room("kept[-1].setsockopt(socket.SOL_SOCKET, 26, struct.pack('HP', 1, ctypes.addressof(buffer)))")
    cause = check(why(room, doorward, f"127.0.0.1:{port}"), "dropped", room(f"dial('127.0.0.1', {port})"))
    assert "SOCKET_FILTER" in cause["because"]


@pytest.mark.needs("bpf", "program:nft")
def test_nat_leads_where_nothing_listens(pair, doorward):
    """It listens, but a rule sends the packet to another namespace, where nobody does."""
    room, _ = pair
    nft(room, "table ip nat { chain out { type nat hook output priority -100; "
              "ip daddr 192.0.2.1 tcp dport 8080 dnat to 192.0.2.2:80; }; }")
    port = room("listen('0.0.0.0', 8080)")
    said = why(room, doorward, f"192.0.2.1:{port}")
    cause = check(said, "other-namespace", room("dial('192.0.2.1', 8080)"))
    assert "192.0.2.2:80 in network namespace" in said["notes"][0]
    assert cause["sockets"][0]["holders"][0]["pid"] == room.pid


@pytest.mark.needs("program:nft")
def test_a_block_of_our_own_is_named(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    status, _, err = room.doorward(doorward).run("block", f"tcp/{port}")
    if status:
        pytest.skip(err)
    error = room(f"dial('127.0.0.1', {port})")
    assert error
    cause = check(why(room, doorward, f"127.0.0.1:{port}"), "block", error)
    assert "doorward unblock" in cause["remedy"]
