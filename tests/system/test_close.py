# SPDX-License-Identifier: GPL-2.0-or-later
"""`doorward close`: each way of closing, on real processes, in a network of their own."""

import json
import os
import subprocess
import sys

import pytest

from conftest import NOBODY
from servers import Asked, Stage, closed, dies_slowly, is_alive

ADDRESSES = {"ipv4": "127.0.0.1", "ipv6": "::1"}


@pytest.fixture
def stage():
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = Stage()
    yield made
    made.close()


@pytest.fixture(params=["root", "nobody"])
def who(request):
    return None if request.param == "root" else NOBODY


def one(told):
    step, = told["steps"]
    return step


# ---- by process ----

@pytest.mark.parametrize("holders", [1, 5])
@pytest.mark.parametrize("family", ADDRESSES)
@pytest.mark.parametrize("udp", [0, 1], ids=["tcp", "udp"])
def test_every_holder_ends_and_the_port_is_free(stage, doorward, who, udp, family, holders):
    made = stage.serve(ADDRESSES[family], udp=udp, holders=holders, uid=who)
    beside = stage.serve(ADDRESSES[family], udp=udp, uid=who)
    told = closed(stage.doorward(doorward, who), f"{'udp' if udp else 'tcp'}/{made.port}")
    step = one(told)
    assert (step["way"], step["outcome"], step["bind_plain"], step["bind_reuseaddr"]) == ("process", "free", True, True)
    assert {h["pid"] for h in step["holders"]} == set(made.pids)
    assert not any(map(is_alive, made.pids))
    assert stage(f"bind_error({made.address!r}, {made.port}, kind=socket.SOCK_{'DGRAM' if udp else 'STREAM'})") == 0
    assert is_alive(beside.pid), "others are left alone"


def test_our_own_listener_closes_whoever_we_are(scene, doorward):
    made = scene("tcp-listener", workers=4)
    step = one(closed(doorward, made.port))
    assert step["outcome"] == "free"
    assert not any(map(is_alive, made.pids))


def test_what_became_of_sockets_that_are_alike_is_told_once(scene, doorward):
    made = scene("reuseport-group", count=3)
    assert len(made.sockets) == 3
    status, out, _ = doorward.run("close", "--yes", f"tcp/127.0.0.1:{made.port}")
    outcome = out[out.rindex(f"tcp/127.0.0.1:{made.port}  free"):]
    assert status == 0 and "2 more sockets of the same address, alike" in outcome
    assert out.count(f"tcp/127.0.0.1:{made.port}  free") == 1


def test_without_a_yes_nothing_is_done(stage, doorward):
    made = stage.serve()
    status, out, err = stage.doorward(doorward).run("close", made.port)
    assert status == 3 and "--yes" in err
    assert f"SIGTERM to python3 (pid {made.pid})" in out, "the plan is shown all the same"
    assert is_alive(made.pid)


def test_a_dry_run_says_the_plan_as_json_and_does_nothing(stage, doorward):
    made = stage.serve(holders=3)
    stage(f"[keep(socket.create_connection(('127.0.0.1', {made.port}))) for _ in range(3)] and None")
    status, out, err = stage.doorward(doorward).run("close", made.port, "--dry-run", "--json")
    assert status == 0, err
    step = one(json.loads(out))
    assert (step["way"], step["refused"], step["outcome"]) == ("process", False, None)
    assert "3 connections wait in the backlog and will be reset" in step["consequences"]
    assert all(map(is_alive, made.pids))


TWO_DOORS = """
import ctypes, os, signal, socket, sys
if len(sys.argv) > 1:
    os.setgroups([]); os.setresgid(*3 * [int(sys.argv[1])]); os.setresuid(*3 * [int(sys.argv[1])])
    ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: else its own user may not look at it
kept = [socket.create_server(("127.0.0.1", 8080)), socket.create_server(("127.0.0.1", 8443)),
        socket.create_server(("::1", 8443), family=socket.AF_INET6), socket.socket(type=socket.SOCK_DGRAM)]
kept[3].bind(("127.0.0.1", 8443))
kept.append(socket.create_connection(("127.0.0.1", 8443)))
if os.fork():
    print("up", flush=True)
signal.pause()
"""


@pytest.fixture
def two_doors(stage, who):
    """A process and its worker, on 8080 and 8443."""
    user = [] if who is None else [str(who)]
    with subprocess.Popen(["nsenter", "-t", str(stage.pid), "--net", "--", sys.executable, "-c", TWO_DOORS, *user],
                          stdout=subprocess.PIPE, process_group=0) as server:
        assert server.stdout.readline()
        yield server
        os.killpg(server.pid, 9)


def test_the_plan_names_what_closes_along(stage, doorward, who, two_doors):
    inside = stage.doorward(doorward, who)
    for target, also in ("tcp/8080", {("tcp", "127.0.0.1"), ("tcp", "::1"), ("udp", "127.0.0.1")}), ("tcp/8443", None):
        status, out, err = inside.run("close", target, "--by", "process", "--dry-run", "--json")
        assert status == 0, err
        step = json.loads(out)["steps"][0]
        found = {(p["proto"], p["local_address"]) for p in step["also_closes"] if p["local_port"] == 8443}
        if also:
            assert found == also and len(step["also_closes"]) == 3
            assert "also serves tcp/8443, udp/8443: they close too" in " ".join(step["consequences"])
        else:
            assert found == {("udp", "127.0.0.1")}, "both listeners on tcp/8443 are targets themselves"
            assert {p["local_port"] for p in step["also_closes"]} == {8080, 8443}
    _, out, _ = inside.run("close", "tcp/8080", "--by", "process", "--dry-run")
    assert "also serves tcp/8443, udp/8443: they close too" in " ".join(out.split())


def test_what_is_taken_out_of_a_process_closes_nothing_else(stage, doorward, two_doors):
    status, out, err = stage.doorward(doorward).run("close", "tcp/8080", "--by", "release", "--dry-run", "--json")
    assert status == 0, err
    assert one(json.loads(out))["also_closes"] == []


def test_a_holder_deaf_to_sigterm_stays_and_is_told(stage, doorward):
    made = stage.serve(deaf=1)
    inside = stage.doorward(doorward)
    step = one(closed(inside, made.port, "--grace", "200ms", statuses=[1]))
    assert (step["outcome"], step["state_after"]) == ("still bound", "LISTEN")
    assert [h["pid"] for h in step["holders_after"]] == [made.pid]
    assert is_alive(made.pid), "it is killed only when forced"

    step = one(closed(inside, made.port, "--grace", "200ms", "--force"))
    assert step["outcome"] == "free"
    assert not is_alive(made.pid)


def test_one_deaf_among_five_keeps_the_port(stage, doorward):
    made = stage.serve(holders=5, deaf=1)
    step = one(closed(stage.doorward(doorward), made.port, "--grace", "300ms", statuses=[1]))
    assert step["outcome"] == "still bound"
    assert [h["pid"] for h in step["holders_after"]] == made.pids[:1]
    assert [is_alive(p) for p in made.pids] == [True] + [False] * 4


def test_a_stopped_holder_is_told_as_stopped(stage, doorward):
    made = stage.serve()
    os.kill(made.pid, 19)
    step = one(closed(stage.doorward(doorward), made.port, "--grace", "100ms", statuses=[1]))
    assert step["outcome"] == "still bound" and "stopped" in step["remark"]


def test_one_that_listens_again_at_once_is_told_with_its_new_pid(stage, doorward):
    made = stage.serve(again=1)
    step = one(closed(stage.doorward(doorward), made.port, statuses=[1]))
    assert step["outcome"] == "came back"
    holder, = step["holders_after"]
    assert holder["pid"] not in made.pids and is_alive(holder["pid"])
    assert holder["parent_pid"] and holder["parent_name"]
    assert (step["bind_plain"], step["in_the_way"]) == (False, [{"what": "other sockets", "count": 1}])
    os.kill(holder["pid"], 9)


@pytest.mark.alone
def test_one_that_dies_slowly_is_dying(stage, doorward):
    with dies_slowly(stage.pid) as slow:
        step = one(closed(stage.doorward(doorward), slow.port, "--grace", "1s", statuses=[1]))
    assert step["outcome"] == "dying"


# ---- what is meant ----

def test_tcp_and_udp_are_two_doors(stage, doorward):
    made = stage.serve()
    other = stage.serve(port=made.port, udp=1)
    closed(stage.doorward(doorward), f"tcp/{made.port}")
    assert not is_alive(made.pid) and is_alive(other.pid)


def test_clients_are_never_meant(stage, doorward):
    made = stage.serve()
    client = subprocess.Popen(["nsenter", "-t", str(stage.pid), "--net", "--", sys.executable, "-c",
                               f"import socket, signal; s = socket.create_connection(('127.0.0.1', {made.port}));"
                               "print(flush=True); signal.pause()"], stdout=subprocess.PIPE)
    client.stdout.readline()
    told = closed(stage.doorward(doorward), made.port)
    assert one(told)["state"] == "LISTEN"
    assert client.poll() is None
    client.kill()
    client.wait()
    client.stdout.close()


def test_what_is_connected_is_chosen_by_an_option_or_a_state(stage, doorward):
    port = stage("listen('127.0.0.1', 0)")
    stage(f"[keep(socket.create_connection(('127.0.0.1', {port}))) for _ in range(2)] and None")
    stage("[keep(kept[0].accept()[0]) for _ in range(2)] and None")
    inside = stage.doorward(doorward)
    plan = json.loads(inside.run("close", port, "--connections", "--dry-run", "--json")[1])
    assert sorted((s["state"], s["way"]) for s in plan["steps"]) == \
        [("ESTABLISHED", "socket")] * 2 + [("LISTEN", "process")]
    told = closed(inside, "--filter", f"port = {port} and state = established")
    assert [s["outcome"] for s in told["steps"]] == ["free", "free"]
    assert stage(f"error_of(kept[1].recv, 1)") == 104, "both ends see a reset"
    assert stage(f"error_of(socket.create_connection, ('127.0.0.1', {port}))") == 0, "the listener lives"


def test_a_pid_and_a_connection_name_one_thing(stage, doorward):
    made, other = stage.serve(), stage.serve()
    inside = stage.doorward(doorward)
    assert one(closed(inside, f"pid:{made.pid}"))["local_port"] == made.port
    assert is_alive(other.pid) and not is_alive(made.pid)

    port = stage("listen('127.0.0.1', 0)")
    clients = stage(f"[keep(socket.create_connection(('127.0.0.1', {port}))).getsockname()[1] for _ in range(2)]")
    step = one(closed(inside, f"tcp/127.0.0.1:{clients[0]}-127.0.0.1:{port}"))
    assert (step["local_port"], step["peer_port"], step["outcome"]) == (clients[0], port, "free")
    assert stage("error_of(kept[1].send, b'x')") != 0 and stage("error_of(kept[2].send, b'x')") == 0


def test_another_network_is_named(stage, doorward):
    made = stage.serve()
    assert doorward.run("close", made.port, "--yes")[0] == 1, "our own alone is meant"
    assert one(closed(doorward, "--netns", stage.pid, made.port))["outcome"] == "free"
    assert not is_alive(made.pid)


@pytest.mark.needs("root")
@pytest.mark.parametrize("named", ["pid", "number"])
def test_a_network_that_ends_with_what_was_closed_is_looked_at_all_the_same(doorward, named):
    inside = "import socket\ns = socket.create_server(('0.0.0.0', 0))\nprint(s.getsockname()[1], flush=True)\ninput()"
    with subprocess.Popen(["unshare", "--net", sys.executable, "-c", inside], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as other:
        port = int(other.stdout.readline())
        place = other.pid if named == "pid" else os.stat(f"/proc/{other.pid}/ns/net").st_ino
        step = one(closed(doorward, "--netns", place, port))
        assert (step["outcome"], step["bind_plain"]) == ("free", True)


def test_nothing_there_is_said_so(stage, doorward):
    status, out, _ = stage.doorward(doorward).run("close", 9, "--yes")
    assert (status, out) == (1, "nothing is open there\n")


@pytest.mark.parametrize("words", [[], ["pid:none"], ["tcp/1.2.3.4:x-1.2.3.4:5"], ["8080", "--by", "magic"],
                                   ["--filter", "prot = 8"]])
def test_what_cannot_be_understood_is_refused(doorward, words):
    status, out, err = doorward.run("close", *words, "--yes")
    assert (status, out) == (2, "") and err.startswith("doorward: close: ")


# ---- by socket ----

@pytest.mark.needs("root")
@pytest.mark.parametrize("state", ["syn-sent", "syn-recv", "established", "fin-wait1", "fin-wait2", "close-wait",
                                   "last-ack", "closing", "time-wait", "orphan"])
def test_a_connection_ends_in_every_state(scene, doorward, state):
    made = scene("tcp-connection", state=state, own_netns=True)
    inside = doorward.inside(made.scene_pid, "net")
    found = [s for s in inside.list("--netns", "self", "--all", "not state = listen").sockets if s["state"]]
    word = {"orphan": "FIN_WAIT2"}.get(state, state.upper().replace("-", "_"))
    meant = [s for s in found if s["state"] in (word, "FIN_WAIT1", "FIN_WAIT2")]
    assert meant, found
    told = closed(inside, "--filter", f"port = {meant[0]['local_port']} and not state = listen")
    assert {s["way"] for s in told["steps"]} == {"socket"}
    assert {s["outcome"] for s in told["steps"]} == {"free"}


def test_a_listener_and_udp_are_refused_by_socket(stage, doorward):
    """A port that was bound by its number stays so; one that the kernel chose goes with the listening."""
    tcp, udp, chosen = stage.serve(port=8080), stage.serve(udp=1), stage.serve()
    inside = stage.doorward(doorward)
    for made, proto in ((tcp, "tcp"), (udp, "udp")):
        step = one(closed(inside, f"{proto}/{made.port}", "--by", "socket", statuses=[3]))
        assert step["refused"] and "--by process" in step["hint"]
        assert is_alive(made.pid)
    step = one(closed(inside, f"udp/{udp.port}", "--by", "socket", "--force", statuses=[3]))
    assert step["refused"], "force or not: it would serve on"
    step = one(closed(inside, f"tcp/{tcp.port}", "--by", "socket", "--force", statuses=[1]))
    assert (step["outcome"], step["state_after"]) == ("still bound", "BOUND")
    step = one(closed(inside, f"tcp/{chosen.port}", "--by", "socket", "--force"))
    assert step["outcome"] == "free"
    assert stage(f"bind_error('127.0.0.1', {chosen.port})") == 0


@pytest.mark.needs("root")
def test_ending_a_connection_needs_a_right(scene, doorward):
    made = scene("tcp-connection", state="established", uid=NOBODY)
    server = made.socket("server") if any(s.role == "server" for s in made.sockets) else made.sockets[0]
    step = one(closed(doorward.as_user(), "--filter", f"port = {server.local_port} and state = established",
                      statuses=[3]))
    assert "CAP_NET_ADMIN" in step["because"]


# ---- the guards ----

def test_another_users_holder_is_refused_clearly(stage, doorward):
    made = stage.serve()
    step = one(closed(stage.doorward(doorward, NOBODY), made.port, statuses=[3]))
    assert step["refused"] and step["hint"] == "run it with sudo"
    assert is_alive(made.pid)


@pytest.mark.needs("root")
def test_who_has_all_rights_is_not_told_to_get_more(scene, doorward):
    """In transit in a message: no process holds it, and root cannot help."""
    made = scene("in-transit")
    as_root, as_user = [one(closed(who, made.port, statuses=[3])) for who in (doorward, doorward.as_user())]
    assert as_root["refused"] and as_root["hint"] is None
    assert as_user["refused"] and as_user["hint"] == "run it with sudo"
    assert "of root" in as_user["because"]


def test_what_anothers_process_holds_too_is_still_bound(stage, doorward):
    made = stage.serve(holders=2, uid=[NOBODY, 0])
    step = one(closed(stage.doorward(doorward, NOBODY), made.port, "--grace", "300ms", statuses=[1]))
    assert (step["outcome"], step["holders_after"]) == ("still bound", [])
    assert is_alive(made.pids[1])


@pytest.mark.needs("root")
def test_a_holder_in_another_pid_namespace_ends_by_our_number(scene, doorward):
    made = scene("pid-namespace")
    step = one(closed(doorward, made.port, "--grace", "300ms", "--force"))
    assert step["outcome"] == "free"
    assert not is_alive(made.pid)


PARENT = """
import json, os, signal, socket, subprocess, sys
s = socket.create_server(('127.0.0.1', 0))
os.set_inheritable(s.fileno(), False)
ran = subprocess.run([*sys.argv[1:], 'close', str(s.getsockname()[1]), '--yes', '--force', '--json'],
                     capture_output=True, text=True)
print(json.dumps([ran.returncode, ran.stdout]))
"""


def test_its_own_parents_are_never_closed(doorward):
    ran = subprocess.run([sys.executable, "-c", PARENT, *doorward.prefix, doorward.path], capture_output=True,
                         text=True, timeout=60)
    assert ran.returncode == 0, "it lives"
    status, out = json.loads(ran.stdout)
    step = one(json.loads(out))
    assert status == 3 and step["refused"] and "parent of doorward" in step["because"]


def test_the_door_of_this_session_needs_force(stage, doorward):
    made = stage.serve()
    session = {"SSH_CONNECTION": f"127.0.0.1 50000 127.0.0.1 {made.port}"}
    inside = stage.doorward(doorward)
    status, out, _ = inside.run("close", made.port, "--yes", "--json", environment=session)
    assert status == 3 and "this session came through it" in one(json.loads(out))["because"]
    assert is_alive(made.pid)
    assert inside.run("close", made.port, "--yes", "--force", environment=session)[0] == 0
    assert not is_alive(made.pid)


def test_the_connection_of_this_session_needs_force(stage, doorward):
    port = stage("listen('127.0.0.1', 0)")
    client = stage(f"keep(socket.create_connection(('127.0.0.1', {port}))).getsockname()[1]")
    session = {"SSH_CONNECTION": f"127.0.0.1 {client} 127.0.0.1 {port}"}
    words = "close", f"tcp/127.0.0.1:{port}-127.0.0.1:{client}", "--yes", "--json"
    status, out, _ = stage.doorward(doorward).run(*words, environment=session)
    assert status == 3 and one(json.loads(out))["refused"]
    assert stage.doorward(doorward).run(*words, "--force", environment=session)[0] == 0


# ---- between the plan and the deed ----

def test_a_no_on_the_terminal_does_nothing(stage, doorward):
    made = stage.serve()
    asked = Asked(stage.doorward(doorward), made.port)
    assert f"pid {made.pid}" in asked.plan
    status, said = asked.answer("n")
    assert status == 3 and "nothing was done" in said and is_alive(made.pid)


def test_a_yes_on_the_terminal_does_it(stage, doorward):
    made = stage.serve()
    status, said = Asked(stage.doorward(doorward), made.port).answer("y")
    assert status == 0 and "free" in said and not is_alive(made.pid)


def test_a_target_that_closed_by_itself_meanwhile_is_free(stage, doorward):
    made = stage.serve()
    asked = Asked(stage.doorward(doorward), made.port)
    stage(f"end({made.pid})")
    status, said = asked.answer("y")
    assert status == 0 and "free" in said


def test_a_holder_that_let_go_of_the_port_meanwhile_is_spared(stage, doorward):
    port = stage("listen('127.0.0.1', 0)")
    asked = Asked(stage.doorward(doorward), port)
    stage("kept[0].close()")
    status, said = asked.answer("y")
    assert status == 0 and "free" in said
    assert stage("1") == 1, "the room itself held it, and lives"


def test_another_socket_on_the_same_port_is_not_hit(stage, doorward):
    """The same process listens anew there: the plan did not mean that socket."""
    port = stage("listen('127.0.0.1', 0)")
    asked = Asked(stage.doorward(doorward), port)
    stage(f"kept[0].close() or listen('127.0.0.1', {port}) and None")
    status, said = asked.answer("y")
    assert status == 1 and "came back" in said or "still bound" in said
    assert stage("1") == 1


REUSE = r"""
import os, socket, sys, signal
def serve(port):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen()
    return made
first = os.fork()
if first == 0:
    s = serve(0)
    print(os.getpid(), s.getsockname()[1], flush=True)
    signal.pause()
sys.stdin.readline()
os.kill(first, 9)
os.waitpid(first, 0)
with open("/proc/sys/kernel/ns_last_pid", "w") as last:
    last.write(str(first - 1))
again = os.fork()
if again == 0:
    s = socket.create_server(("127.0.0.1", 0))
    print(os.getpid(), s.getsockname()[1], flush=True)
    signal.pause()
os.waitpid(again, 0)
print("ended", flush=True)
"""


@pytest.mark.needs("root")
def test_a_process_that_got_the_pid_meanwhile_is_not_hit(doorward):
    """In a pid namespace of its own the number of the one that ended is given to another at once."""
    words = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
             'ip link set lo up; exec "$@"', "sh", "/usr/bin/python3", "-c", REUSE]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as inner:
        pid, port = map(int, inner.stdout.readline().split())
        outer = int(open(f"/proc/{inner.pid}/task/{inner.pid}/children").read().split()[0])
        asked = Asked(doorward.inside(outer, "net", "pid", "mount"), port)
        assert f"pid {pid}" in asked.plan
        inner.stdin.write("\n")
        inner.stdin.flush()
        again, _ = map(int, inner.stdout.readline().split())
        assert again == pid, "the scene: the number is used again"
        status, said = asked.answer("y")
        assert status == 0 and "free" in said
        alive = int(open(f"/proc/{outer}/task/{outer}/children").read().split()[0])
        assert is_alive(alive), "it is another process, and lives"
        os.kill(outer, 9)


# ---- what is said of the port afterwards ----

def test_time_wait_stands_in_the_way_of_a_plain_bind(stage, doorward):
    port = stage("listen('127.0.0.1', 0, reuseaddr=1)")
    stage(f"keep(socket.create_connection(('127.0.0.1', {port}))) and keep(kept[0].accept()[0]) and None")
    stage("kept[2].close() or kept[1].close()")
    stage("kept[0].close()")
    made = stage.serve(port=port, reuseaddr=1)
    step = one(closed(stage.doorward(doorward), made.port))
    assert step["outcome"] == "free"
    assert (step["bind_plain"], step["bind_reuseaddr"]) == (False, True)
    assert step["in_the_way"] == [{"what": "TIME_WAIT", "count": 1}]


def test_accepted_connections_that_live_on_stand_in_the_way(stage, doorward):
    """A forking server's children keep the port without listening; without SO_REUSEADDR nobody can bind it."""
    port = stage("listen('127.0.0.1', 0)")
    stage(f"keep(socket.create_connection(('127.0.0.1', {port}))) and keep(kept[0].accept()[0]) and None")
    stage("""
child = os.fork()
if child == 0:
    kept[2].close(); kept[1].close()
    while True: signal.pause()
kept[0].close()
""")
    step = one(closed(stage.doorward(doorward), port, statuses=[1]))
    assert step["outcome"] == "still bound"
    assert (step["bind_plain"], step["bind_reuseaddr"]) == (False, False)
    assert step["in_the_way"] == [{"what": "accepted connections", "count": 1}]
    assert [h["pid"] for h in step["holders_after"]] == [stage.pid]


def test_table_and_json_say_the_same_words(stage, doorward):
    made = stage.serve(deaf=1)
    inside = stage.doorward(doorward)
    status, out, _ = inside.run("close", made.port, "--yes", "--grace", "50ms")
    step = one(closed(inside, made.port, "--grace", "50ms", statuses=[1]))
    assert status == 1 and step["outcome"] in out and step["remark"] in " ".join(out.split())


def test_an_ended_connection_is_no_bound_socket(stage, doorward, source):
    """Its program still has the descriptors, whose getsockname() tells a port that they do not hold."""
    port = stage("listen('127.0.0.1', 0)")
    local = stage(f"keep(socket.create_connection(('127.0.0.1', {port}))).getsockname()[1]")
    stage("keep(kept[-2].accept()[0]) and None")
    inside = stage.doorward(doorward)
    closed(inside, f"tcp/127.0.0.1:{local}-127.0.0.1:{port}")
    assert stage(f"bind_error('127.0.0.1', {local})") == 0
    seen = inside.list(*source, "--netns", "self", "--all")
    assert [(s["local_port"], s["state"]) for s in seen.sockets] == [(port, "LISTEN")]


# ---- what people and programs type ----

@pytest.mark.parametrize("words", [
    ["65536"], ["99999999999999999999"], ["9000-8000"], [""], ["tcp/"], ["pid:0"], ["pid:x"], ["8\x1b[31m0"], ["80\n81"],
    ["--filter", "port = 1 and"], ["--filter", "port = 1\nand"], ["8080", "--grace", "-5s"], ["8080", "--by", "magic"],
    ["8080", "--grace", "99999999999999999h"], ["8080", "--grace", "soon"], [],
    ["--filter", ""], ["8080", "--filter", " \t"], ["8080", "--netns", "no-such"], ["8080", "--netns", "99999999"],
])
def test_what_cannot_be_meant_is_told_in_one_piece(doorward, words):
    status, out, err = doorward.run("close", *words, "--yes")
    assert (status, out) == (2, "") and err.startswith("doorward: close: ")
    assert "\x1b" not in err and all(line.startswith("  ") for line in err.splitlines()[1:]), err


@pytest.mark.parametrize("words", [["0"], ["pid:99999999"], ["0-65535"], ["1"], ["--filter", "port = 1"]])
def test_where_nothing_is_there_is_nothing_to_do(stage, doorward, words):
    assert stage.doorward(doorward).run("close", *words, "--yes") == (1, "nothing is open there\n", "")


def test_that_a_process_may_not_be_looked_at_is_not_that_it_has_nothing(stage, doorward):
    made = stage.serve()
    status, out, err = stage.doorward(doorward, NOBODY).run("close", f"pid:{made.pid}", "--yes")
    assert (status, out) == (3, "") and f"pid:{made.pid}: its sockets may not be looked at" in err
    assert stage.doorward(doorward).run("close", f"pid:{os.getpid()}", "--dry-run")[0] == 1


def test_a_name_that_a_terminal_could_obey_is_shown_escaped(scene, doorward):
    made = scene("bad-name", kind="escape")
    status, out, err = doorward.run("close", made.port, "--by", "process", "--dry-run")
    assert status == 0 and "\x1b" not in out + err and f"pid {made.pid}" in out
