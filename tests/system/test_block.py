# SPDX-License-Identifier: GPL-2.0-or-later
"""block, unblock, blocks: real traffic against real rules, in namespaces of the test's own. The oracle is what a client
gets, and what nft(8) lists."""

import errno
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import Doorward, program
from networks import blocks, done, elements, net, run  # noqa: F401 fixtures among them

pytestmark = pytest.mark.needs("root", "program:nft", "program:ip")

# ---- traffic ----

@pytest.mark.parametrize("address, loopback", [("10.9.0.1", "127.0.0.1"), ("fd09::1", "::1")])
def test_new_connections_are_refused_from_everywhere(net, run, address, loopback):  # noqa: F811
    port = net.here("listen('::', 0)")
    assert net.outside(f"dial('{address}', {port})") == 0
    assert net.here(f"dial('{loopback}', {port})") == 0
    done(run("block", port))
    assert net.outside(f"dial('{address}', {port})") == errno.ECONNREFUSED
    assert net.here(f"dial('{loopback}', {port})") == errno.ECONNREFUSED
    assert net.here(f"dial('{address}', {port})") == errno.ECONNREFUSED
    done(run("unblock", port))
    assert net.outside(f"dial('{address}', {port})") == 0
    assert net.here(f"dial('{loopback}', {port})") == 0


def test_its_neighbour_is_let_alone(net, run):  # noqa: F811
    port, other = net.here("listen('0.0.0.0', 0)"), net.here("listen('0.0.0.0', 0)")
    done(run("block", f"tcp/{port}"))
    assert net.outside(f"dial('10.9.0.1', {other})") == 0


def test_what_leaves_for_another_host_is_not_refused(net, run):  # noqa: F811
    port = net.outside("listen('0.0.0.0', 0)")
    done(run("block", port))
    assert net.here(f"dial('10.9.0.2', {port})") == 0


@pytest.mark.parametrize("address, loopback", [("10.9.0.1", "127.0.0.1"), ("fd09::1", "::1")])
def test_datagrams_are_refused(net, run, address, loopback):  # noqa: F811
    port = net.here("echo_datagrams('::', 0)")
    assert net.outside(f"send_datagram('{address}', {port})") == 0
    assert net.here(f"send_datagram('{loopback}', {port})") == 0
    done(run("block", f"udp/{port}"))
    assert net.outside(f"send_datagram('{address}', {port})") == errno.ECONNREFUSED
    assert net.here(f"send_datagram('{loopback}', {port})") in (errno.ECONNREFUSED, errno.EPERM)
    done(run("unblock", port))
    assert net.outside(f"send_datagram('{address}', {port})") == 0


def test_tcp_and_udp_are_two_doors(net, run):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    net.here(f"echo_datagrams('0.0.0.0', {port})")
    done(run("block", f"udp/{port}"))
    assert net.outside(f"dial('10.9.0.1', {port})") == 0
    assert net.outside(f"send_datagram('10.9.0.1', {port})") == errno.ECONNREFUSED


def test_established_connections_go_on(net, run):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    client = net.outside(f"dialled('10.9.0.1', {port})")
    server = net.here(f"accept({port})")
    done(run("block", port))
    assert net.outside(f"dial('10.9.0.1', {port})") == errno.ECONNREFUSED
    net.outside(f"say({client}, 'still')")
    assert net.here(f"hear({server})") == "still"
    net.here(f"say({server}, 'here')")
    assert net.outside(f"hear({client})") == "here"


@pytest.mark.parametrize("address", ["10.9.0.1", "fd09::1"])
def test_cut_ends_established_connections_at_both_ends(net, run, address):  # noqa: F811
    port = net.here("listen('::', 0)")
    client = net.outside(f"dialled('{address}', {port})")
    server = net.here(f"accept({port})")
    done(run("block", port, "--cut"))
    assert net.outside(f"hear({client})") == errno.ECONNRESET
    assert net.here(f"hear({server})") == errno.ECONNABORTED


def test_cut_ends_what_waits_in_the_backlog_and_nothing_else(net, run):  # noqa: F811
    port, other = net.here("listen('0.0.0.0', 0)"), net.outside("listen('0.0.0.0', 0)")
    waiting = net.outside(f"dialled('10.9.0.1', {port})")
    kept = net.here(f"keep(socket.create_connection(('10.9.0.2', {other}), 10, ('10.9.0.1', 0))) and len(kept) - 1")
    local = net.here(f"kept[{kept}].getsockname()[1]")
    peer = net.outside(f"accept({other})")
    said = json.loads(done(run("block", f"tcp/{port}", f"tcp/{local}", "--cut", "--json")))
    assert said["cut"] == {"ended": 1, "failed": 0, "spared": 0, "elsewhere": 0}
    assert net.outside(f"hear({waiting})") == errno.ECONNRESET
    net.outside(f"say({peer}, 'dialled from here')")
    assert net.here(f"hear({kept})") == "dialled from here"


def test_cut_ends_only_those_from_where_it_blocks(net, run):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    own, far = net.here(f"dialled('127.0.0.1', {port})"), net.outside(f"dialled('10.9.0.1', {port})")
    said = json.loads(done(run("block", port, "--from", "outside", "--cut", "--json")))
    assert said["cut"]["ended"] == 1
    assert net.outside(f"hear({far})") == errno.ECONNRESET
    server = net.here(f"accept({port})")
    net.here(f"say({own}, 'own')")
    assert net.here(f"hear({server})") == "own"


# ---- from where, to where ----

def test_from_outside_lets_this_host_come_in(net, run):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    done(run("block", port, "--from", "outside"))
    assert net.outside(f"dial('10.9.0.1', {port})") == errno.ECONNREFUSED
    assert net.here(f"dial('127.0.0.1', {port})") == 0
    assert net.here(f"dial('10.9.0.1', {port})") == 0


@pytest.mark.parametrize("network, is_refused", [("10.9.0.0/24", True), ("10.9.0.2", True), ("10.9.0.128/25", False),
                                                 ("0.0.0.0/0", True), ("fd09::/16", False)])
def test_from_a_network(net, run, network, is_refused):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    done(run("block", f"tcp/{port}", "--from", network))
    assert net.outside(f"dial('10.9.0.1', {port})") == (errno.ECONNREFUSED if is_refused else 0)
    done(run("unblock", port, "--from", network))
    assert net.outside(f"dial('10.9.0.1', {port})") == 0


def test_from_a_network_of_ipv6(net, run):  # noqa: F811
    port = net.here("listen('::', 0)")
    done(run("block", f"tcp/{port}", "--from", "fd09::/64"))
    assert net.outside(f"dial('fd09::1', {port})") == errno.ECONNREFUSED
    assert net.outside(f"dial('10.9.0.1', {port})") == 0
    assert net.here(f"dial('::1', {port})") == 0


@pytest.mark.parametrize("target, refused", [("127.0.0.1", {"127.0.0.1"}), ("localhost", {"127.0.0.1", "::1"}),
                                             ("[fd09::1]", {"fd09::1"}), ("0.0.0.0", {"127.0.0.1", "10.9.0.1"}),
                                             ("[::]", {"127.0.0.1", "10.9.0.1", "::1", "fd09::1"})])
def test_an_address_is_that_address_alone(net, run, target, refused):  # noqa: F811
    assert net.outside
    port = net.here("listen('::', 0)")
    done(run("block", f"{target}:{port}"))
    answers = {a: net.here(f"dial('{a}', {port})") for a in ("127.0.0.1", "10.9.0.1", "::1", "fd09::1")}
    assert answers == {a: errno.ECONNREFUSED if a in refused else 0 for a in answers}


def test_a_range_and_what_is_let_in_out_of_it(net, run, blocks):  # noqa: F811
    port = net.here("listen('0.0.0.0', 20005)")
    done(run("block", "tcp/20000-20010", "--for", "1h", "--reason", "all of them"))
    assert net.outside(f"dial('10.9.0.1', {port})") == errno.ECONNREFUSED
    done(run("unblock", port))
    assert net.outside(f"dial('10.9.0.1', {port})") == 0
    assert [(b["first_port"], b["last_port"], b["seconds"], b["reason"]) for b in blocks()] == \
        [(20000, 20004, 3600, "all of them"), (20006, 20010, 3600, "all of them")]
    done(run("block", "tcp/20004-20006"))
    assert net.outside(f"dial('10.9.0.1', {port})") == errno.ECONNREFUSED
    assert [(b["first_port"], b["last_port"], b["seconds"]) for b in blocks()] == \
        [(20000, 20003, 3600), (20004, 20006, None), (20007, 20010, 3600)]


# ---- its life ----

def test_it_ends_by_itself(net, run, blocks):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    before = time.monotonic()
    done(run("block", f"tcp/{port}", "--for", "2s"))
    assert net.here(f"dial('127.0.0.1', {port})") == errno.ECONNREFUSED
    assert [b["seconds"] for b in blocks()] == [2]
    while elements(net):
        assert time.monotonic() - before < 30
        time.sleep(0.02)
    assert 2 <= time.monotonic() - before
    assert net.here(f"dial('127.0.0.1', {port})") == 0
    assert blocks() == []


def test_what_is_blocked_again_has_the_new_time_and_reason(run, blocks):  # noqa: F811
    done(run("block", "tcp/20000", "--for", "1h", "--reason", "first"))
    done(run("block", "tcp/20000", "--reason", "second"))
    assert [(b["seconds"], b["reason"]) for b in blocks()] == [(None, "second")]
    done(run("block", "tcp/20000", "--for", "5m"))
    block, = blocks()
    assert (block["seconds"], block["reason"]) == (300, None)
    assert 290 < block["seconds_left"] <= 300


def test_with_the_last_block_the_table_goes(net, run):  # noqa: F811
    done(run("block", "20000", "--from", "outside"))
    done(run("block", "20000", "20001"))
    done(run("unblock", "20000"))
    assert [o["set"]["name"] for o in net.listed() if "set" in o] == ["to_any_from_any"]
    done(run("unblock", "20001"))
    assert net.nft("list ruleset") == ""


def test_blocks_of_many_who_block_at_once_all_stand(net, run, blocks):  # noqa: F811
    assert net.here
    ran = {}
    threads = [threading.Thread(target=lambda p=p: ran.update({p: run("block", f"tcp/{p}")}))
               for p in range(20000, 20012)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {p: r[0] for p, r in ran.items()} == {p: 0 for p in range(20000, 20012)}, ran
    assert [b["first_port"] for b in blocks()] == list(range(20000, 20012))


# ---- the kernel is asked, never a memory ----

def test_what_is_sent_to_all_is_refused_where_it_arrives(net, run):  # noqa: F811
    assert net.outside
    net.here("echo = keep(bind('', 20000, socket.SOCK_DGRAM))")
    net.here("echo.settimeout(10)")
    net.outside("caller = keep(bind('', 0, socket.SOCK_DGRAM))")
    net.outside("caller.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)")
    net.outside("caller.sendto(b'before', ('10.9.0.255', 20000))")
    assert net.here("echo.recv(100).decode()") == "before"
    done(run("block", "udp/20000"))
    net.outside("caller.sendto(b'refused', ('10.9.0.255', 20000))")
    done(run("unblock", "20000"))
    net.outside("caller.sendto(b'after', ('10.9.0.255', 20000))")
    assert net.here("echo.recv(100).decode()") == "after"


def test_a_flushed_table_is_not_claimed_to_block(net, run, doorward):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    done(run("block", port))
    net.nft("flush ruleset")
    assert net.here(f"dial('127.0.0.1', {port})") == 0
    status, out, err = run("blocks")
    assert (status, out, err) == (1, "", "doorward: blocks: nothing is blocked here\n")
    assert net.here.doorward(doorward).json("blocks")["blocks"] == []
    assert run("unblock", port)[0] == 1


@pytest.mark.parametrize("harm", ["flush table inet doorward", "flush chain inet doorward to_any_from_any.out",
                                  "flush chain inet doorward to_any_from_any.in; "
                                  "delete chain inet doorward to_any_from_any.in"])
def test_elements_without_their_rules_are_not_claimed_to_block(net, run, doorward, harm):  # noqa: F811
    done(run("block", "tcp/20000"))
    net.nft(harm)
    status, out, err = run("blocks")
    assert (status, out) == (1, "")
    assert "refuse nothing" in err
    said = net.here.doorward(doorward).json("blocks")
    assert said["blocks"] == []
    assert [b["first_port"] for b in said["idle"]] == [20000]


def test_a_dormant_table_is_not_claimed_to_block_and_wakes_for_the_next(net, run, doorward, blocks):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    done(run("block", f"tcp/{port}", "--for", "1h"))
    net.nft("add table inet doorward { flags dormant; }")
    assert net.here(f"dial('127.0.0.1', {port})") == 0
    status, out, err = run("blocks")
    assert (status, out) == (1, "")
    assert "dormant" in err
    said = net.here.doorward(doorward).json("blocks")
    assert (said["blocks"], said["dormant"]) == ([], True)
    assert run("unblock", port)[0] == 3
    done(run("block", "tcp/20000"))
    assert net.here(f"dial('127.0.0.1', {port})") == errno.ECONNREFUSED
    assert sorted(b["first_port"] for b in blocks()) == sorted([port, 20000])
    net.nft("add table inet doorward { flags dormant; }")
    done(run("unblock", "--all"))
    assert net.nft("list ruleset") == ""


def test_blocking_again_mends_the_rules(net, run, blocks):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    done(run("block", f"tcp/{port}"))
    net.nft("flush table inet doorward")
    assert net.here(f"dial('127.0.0.1', {port})") == 0
    done(run("block", f"tcp/{port}"))
    assert net.here(f"dial('127.0.0.1', {port})") == errno.ECONNREFUSED
    assert [b["first_port"] for b in blocks()] == [port]


def test_what_it_refused_is_counted_by_the_kernel(net, run, blocks):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    done(run("block", f"tcp/{port}"))
    for _ in range(3):
        net.here(f"dial('127.0.0.1', {port})")
    assert [b["refused_packets"] for b in blocks()] == [3]


def test_no_other_table_is_touched(net, run):  # noqa: F811
    assert net.container
    before = net.nft("list ruleset")
    done(run("block", "8088", "--for", "1h"))
    done(run("block", "8089", "--from", "outside"))
    listed = net.nft("list ruleset")
    assert before in listed and "table inet doorward" in listed
    done(run("unblock", "--all"))
    assert net.nft("list ruleset") == before


# ---- what a person types ----

@pytest.mark.parametrize("reason", ["it's Monday; drop", "$x { } } flush ruleset", "# no comment", "grün ✓", "x" * 100])
def test_a_reason_is_kept_as_it_was_given(net, run, blocks, reason):  # noqa: F811
    net.nft("table inet other { }")
    done(run("block", "tcp/20000", "--reason", reason))
    assert [b["reason"] for b in blocks()] == [reason]
    assert "table inet other" in net.nft("list ruleset")
    done(run("unblock", "20000"))


@pytest.mark.parametrize("reason", ['" } flush ruleset; #', "a\nflush ruleset", "back\\slash", "\x1b[31m", "x" * 101, "",
                                    b"\xff\xfe", "‮"])
def test_a_reason_that_nft_or_a_terminal_could_take_wrongly_is_refused(net, run, reason):  # noqa: F811
    net.nft("table inet other { }")
    status, _, err = run("block", "tcp/20000", "--reason", reason.decode("utf-8", "surrogateescape")
                         if isinstance(reason, bytes) else reason)
    assert status == 2
    assert "--reason" in err
    assert net.nft("list ruleset").split() == "table inet other { }".split()


@pytest.mark.parametrize("words", [["raw/1"], ["20000", "--from", "10.0.0.0/33"], ["20000", "--from", "inside"],
                                   ["127.0.0.1:20000", "--from", "fd00::/8"], ["20000", "--for", "soon"],
                                   ["20000", "--for", "9999999d"], ["20000", "--for", "0"], ["20000", "--netns", "all"], []])
def test_what_cannot_be_meant_is_exit_2(net, run, words):  # noqa: F811
    assert run("block", *words)[0] == 2
    assert net.nft("list ruleset") == ""


def test_a_name_of_a_service_is_its_port(run, blocks):  # noqa: F811
    done(run("block", "https"))
    assert [(b["proto"], b["first_port"]) for b in blocks()] == [("tcp", 443), ("udp", 443)]


def test_what_blocks_shows_of_where_can_be_typed(run, blocks):  # noqa: F811
    done(run("block", "tcp/20000"))
    done(run("block", "tcp/20000", "--from", "outside"))
    done(run("unblock", "20000", "--from", "anywhere"))
    assert [b["from"] for b in blocks()] == ["outside"]


def test_the_table_shows_each(run):  # noqa: F811
    done(run("block", "tcp/20000", "--for", "10m", "--reason", "until it is patched"))
    done(run("block", "[::1]:20001", "--from", "fd00::/8"))
    assert [" ".join(line.split()) for line in done(run("blocks")).splitlines()] == [
        "BLOCKED FROM FOR ANOTHER REFUSED REASON",
        "tcp/20000 anywhere 10 min 0 until it is patched",
        "tcp/[::1]:20001 fd00::/8 no end 0",
        "udp/[::1]:20001 fd00::/8 no end 0",
    ]


# ---- elsewhere, and without the right ----

def test_another_namespace_by_pid(net, doorward):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    before = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    done(doorward.run("block", port, "--netns", net.here.pid))
    assert net.here(f"dial('127.0.0.1', {port})") == errno.ECONNREFUSED
    client_of_none = doorward.json("blocks", "--netns", net.here.pid)
    assert {b["first_port"] for b in client_of_none["blocks"]} == {port}
    assert subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout == before
    done(doorward.run("unblock", port, "--netns", net.here.pid))
    assert net.here(f"dial('127.0.0.1', {port})") == 0


def test_cut_in_another_namespace(net, doorward):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    client = net.outside(f"dialled('10.9.0.1', {port})")
    said = json.loads(done(doorward.run("block", port, "--netns", net.here.pid, "--cut", "--json")))
    assert said["cut"]["ended"] == 1
    assert net.outside(f"hear({client})") == errno.ECONNRESET


@pytest.mark.parametrize("words", [["block", "20000"], ["unblock", "20000"], ["blocks"]])
def test_without_the_right_it_is_refused_clearly(net, doorward, words):  # noqa: F811
    status, out, err = net.here.doorward(doorward, uid=65534).run(*words)
    assert (status, out) == (3, "")
    assert "not permitted" in err and "CAP_NET_ADMIN" in err
    assert net.nft("list ruleset") == ""


def test_the_port_of_this_session_wants_an_end_or_force(net, doorward):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    ssh = {"SSH_CONNECTION": f"10.9.0.2 40000 10.9.0.1 {port}"}
    inside = net.here.doorward(doorward)
    status, _, err = inside.run("block", port, environment=ssh)
    assert status == 3
    assert "this session" in err
    assert net.nft("list ruleset") == ""
    assert inside.run("block", port, "--for", "1m", environment=ssh)[0] == 0
    assert inside.run("block", port, "--force", environment=ssh)[0] == 0
    assert inside.run("block", port, "--from", "10.7.0.0/16", environment=ssh)[0] == 0


def test_cut_spares_the_connection_of_this_session(net, doorward):  # noqa: F811
    port = net.here("listen('0.0.0.0', 0)")
    client, other = (net.outside(f"dialled('10.9.0.1', {port})") for _ in range(2))
    local = net.outside(f"kept[{client}].getsockname()[1]")
    ssh = {"SSH_CONNECTION": f"10.9.0.2 {local} 10.9.0.1 {port}"}
    inside = net.here.doorward(doorward)
    said = json.loads(done(inside.run("block", port, "--for", "1m", "--cut", "--json", environment=ssh)))
    assert said["cut"] == {"ended": 1, "failed": 0, "spared": 1, "elsewhere": 0}
    assert net.outside(f"hear({other})") == errno.ECONNRESET
    said = json.loads(done(inside.run("block", port, "--for", "1m", "--cut", "--force", "--json", environment=ssh)))
    assert said["cut"] == {"ended": 1, "failed": 0, "spared": 0, "elsewhere": 0}
    assert net.outside(f"hear({client})") == errno.ECONNRESET


# ---- the module ----

@pytest.fixture
def place():
    """A directory that every user may look into."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="doorward-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def alone(net, place):
    """The program with no module beside it, and none installed."""
    if list(pathlib.Path("/usr/local/lib").glob("**/doorward/nft.so")):
        pytest.skip("a module is installed here")
    path = shutil.copy(program("DOORWARD", "src/doorward"), place)
    if b"libnftables.so" in pathlib.Path(path).read_bytes():
        pytest.skip("the modules are linked in")
    copied = net.here.doorward(Doorward())
    copied.path = path
    return copied


def test_an_absent_module_says_which_package_is_missing(alone):
    status, out, err = alone.run("block", "20000")
    assert (status, out) == (3, "")
    tried = str(pathlib.Path(alone.path).parent)
    assert f"the module nft is not installed: nft.so is not in {tried} or /usr" in err and "make install" in err
    assert "libnftables-dev" in err
    facilities = {of["name"]: of for of in alone.json("version")["facilities"]}
    assert facilities["packet filter"]["built_in"] and not facilities["packet filter"]["works"]


def test_one_that_cannot_be_loaded_says_which_package_it_wants(alone, place):
    (place / "nft.so").write_bytes(b"no library")
    status, _, err = alone.run("blocks")
    assert status == 3
    assert "cannot be loaded" in err and "libnftables1" in err


@pytest.mark.needs("program:setcap")
def test_with_rights_of_its_own_nothing_beside_it_is_loaded(alone, place):
    shutil.copy(pathlib.Path(program("DOORWARD", "src/doorward")).with_name("nft.so"), place)
    assert alone.run("blocks")[0] == 1
    if subprocess.run(["setcap", "cap_net_admin=ep", alone.path], check=False).returncode != 0:
        pytest.skip("no capabilities of files here")
    alone.prefix += ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    status, _, err = alone.run("blocks")
    assert status == 3
    assert "the module nft is not installed" in err
