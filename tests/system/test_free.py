# SPDX-License-Identifier: GPL-2.0-or-later
"""free: ports that can be bound now. The oracle binds itself, every port that is claimed and every one that is not."""

import errno
import subprocess

import pytest

from room import Room

pytestmark = pytest.mark.needs("root")

# what a plain bind on every address of both families says, for each port of a range
TRY = """
def try_range(first, last, kind=socket.SOCK_STREAM, address='::'):
    def one(port):
        made = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, kind)
        if address == '::': made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            return error_of(made.bind, (address, port))
        finally:
            made.close()
    return {port: one(port) for port in range(first, last + 1)}
"""


@pytest.fixture
def room():
    made = Room()
    made(TRY)
    yield made
    made.close()


@pytest.fixture
def free(room, doorward):
    """free(...) -> its JSON; the status is 0 exactly where there are as many as were wanted."""
    def ask(*words, uid=None):
        program = room.doorward(doorward, uid)
        status, _, err = program.run("free", *words)
        said = program.json("free", *words)
        assert (status == 0) == (len(said["ports"]) == said["wanted"]), err
        assert (status == 0) == (err == "")
        return said
    return ask


def oracle(room, first, last, **how):
    tried = room(f"try_range({first}, {last}, **{how!r})")
    return [int(port) for port, error in tried.items() if error == 0]


def test_what_it_claims_is_what_a_bind_finds(room, free):
    room("[listen('0.0.0.0', p) for p in (20000, 20003)]")
    room("listen('127.0.0.1', 20004)")
    room("listen('::1', 20006)")
    room("keep(bind('0.0.0.0', 20007))")  # bound, and neither listening nor connected
    room("keep(bind('0.0.0.0', 20008, socket.SOCK_DGRAM))")
    said = free("--from", 20000, "--to", 20015, "--count", 100)
    assert said["ports"] == oracle(room, 20000, 20015)
    assert said["ports"] == [p for p in range(20000, 20016) if p not in (20000, 20003, 20004, 20006, 20007)]
    assert said["taken"] == 5


def test_udp_is_another_door(room, free):
    room("listen('0.0.0.0', 20000)")
    room("keep(bind('127.0.0.1', 20001, socket.SOCK_DGRAM))")
    said = free("--from", 20000, "--to", 20003, "--count", 100, "--proto", "udp")
    assert said["ports"] == oracle(room, 20000, 20003, kind=2) == [20000, 20002, 20003]


def test_on_one_address_another_is_no_hindrance(room, free):
    room("listen('127.0.0.1', 20000)")
    room("listen('0.0.0.0', 20001)")
    assert free("--from", 20000, "--to", 20003, "--count", 9, "--bind", "127.0.0.2")["ports"] == \
        oracle(room, 20000, 20003, address="127.0.0.2") == [20000, 20002, 20003]
    assert free("--from", 20000, "--to", 20003, "--count", 9, "--bind", "::1")["ports"] == \
        oracle(room, 20000, 20003, address="::1") == [20000, 20001, 20002, 20003]


def test_a_connection_that_outlived_its_listener_and_time_wait_keep_a_port(room, free):
    room("""def leave(port, closes_first):
    listener = bind('127.0.0.1', port, reuseaddr=1); listener.listen()
    client = socket.create_connection(('127.0.0.1', port)); server = listener.accept()[0]
    listener.close()
    if closes_first: server.close(); client.recv(1); client.close()
    else: keep(client); keep(server)""")
    room("leave(20000, False)")
    room("leave(20001, True)")
    said = free("--from", 20000, "--to", 20002, "--count", 9)
    assert said["ports"] == oracle(room, 20000, 20002) == [20002]


def test_the_lowest_come_first_and_no_more_than_wanted(free):
    assert free()["ports"] == [1024]
    assert free("--count", 3)["ports"] == [1024, 1025, 1026]


def test_the_ephemeral_range_is_passed_over_unless_asked(room, free):
    room("open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('20002 20005') and None")
    said = free("--from", 20000, "--to", 20007, "--count", 9)
    assert said["ports"] == [20000, 20001, 20006, 20007]
    assert (said["ephemeral"], said["ephemeral_first"], said["ephemeral_last"]) == (4, 20002, 20005)
    assert free("--from", 20000, "--to", 20007, "--count", 8, "--ephemeral")["ports"] == list(range(20000, 20008))


def test_reserved_ports_are_passed_over_unless_asked(room, free):
    room("open('/proc/sys/net/ipv4/ip_local_reserved_ports', 'w').write('20001,20003-20004') and None")
    said = free("--from", 20000, "--to", 20005, "--count", 9)
    assert (said["ports"], said["reserved"]) == ([20000, 20002, 20005], 3)
    assert free("--from", 20000, "--to", 20005, "--count", 6, "--reserved")["ports"] == list(range(20000, 20006))


def test_when_there_are_fewer_it_says_why(room, doorward):
    room("listen('0.0.0.0', 40000)")
    room("open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('32768 60999') and None")
    status, out, err = room.doorward(doorward).run("free", "--from", 40000, "--to", 40001)
    assert (status, out) == (1, "")
    assert "0 of 1" in err and "ephemeral range 32768-60999" in err
    status, out, err = room.doorward(doorward).run("free", "--from", 40000, "--to", 40001, "--ephemeral", "--count", 2)
    assert (status, out) == (1, "40001\n")
    assert "1 of 2 tcp ports" in err and "1 is taken" in err


def test_as_a_user_the_lowest_ports_are_refused(room, free):
    room("open('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'w').write('1000') and None")
    said = free("--from", 998, "--to", 1003, "--count", 9, uid=65534)
    assert (said["ports"], said["refused"]) == ([1000, 1001, 1002, 1003], 2)
    assert room("[p for p in range(998, 1004) if bind_error('::', p, uid=65534) == 0]") == said["ports"]
    assert free("--from", 998, "--to", 1003, "--count", 6)["ports"] == list(range(998, 1004))


def test_without_ipv6_there_are_ports_too(room, free):
    room("open('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'w').write('1') and None")
    room("listen('127.0.0.1', 20000)")
    assert free("--from", 20000, "--to", 20002, "--count", 2)["ports"] == [20001, 20002]


def test_another_namespace(room, doorward):
    room("listen('0.0.0.0', 20000)")
    said = doorward.json("free", "--netns", room.pid, "--from", 20000, "--to", 20001)
    assert said["ports"] == [20001]


@pytest.mark.parametrize("words, status", [
    (["--from", 0], 2), (["--to", 65536], 2), (["--count", 0], 2), (["--from", 9, "--to", 8], 2),
    (["--proto", "raw"], 2), (["--bind", "nowhere"], 2), (["--netns", "all"], 2), (["--bind", "192.0.2.1"], 3),
])
def test_what_cannot_be_meant_is_told(room, doorward, words, status):
    ran = room.doorward(doorward).run("free", *words)
    assert (ran[0], ran[1]) == (status, "")
    assert ran[2].startswith("doorward: free: ")


def test_an_address_that_is_absent_says_so(room, doorward):
    _, _, err = room.doorward(doorward).run("free", "--bind", "192.0.2.1")
    assert "address" in err and errno.errorcode[errno.EADDRNOTAVAIL] not in err


def test_what_it_gives_can_be_bound_by_another_program(room, doorward):
    port = int(room.doorward(doorward).run("free")[1])
    assert room(f"bind_error('0.0.0.0', {port})") == 0
    assert subprocess.run(["nsenter", "-t", str(room.pid), "--net", "--", "ss", "-Hanp", f"sport = {port}"],
                          capture_output=True, text=True, check=True).stdout == ""
