# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a port cannot be bound: each cause constructed, the kernel's own answer beside it."""

import ctypes
import errno
import json
import os
import pwd
import re
import struct
import subprocess

import pytest

from room import Room
from servers import dies_slowly

NOBODY = 65534

pytestmark = pytest.mark.needs("root")


@pytest.fixture
def room():
    made = Room()
    yield made
    made.close()


def why(room, doorward, *words, uid=None):
    said = room.doorward(doorward, uid).json("why", *words)
    assert said["can"] == (said["kernel"]["errno"] == 0)
    return said


def causes(said):
    return [c["cause"] for c in said["causes"] if c["errno"]]


def check(said, cause, error):
    """The first cause, seen, is @cause, and the kernel says @error as it said to us."""
    assert said["kernel"]["errno"] == error, said["kernel"]
    assert said["agreement"] == "yes"
    assert said["causes"][0]["cause"] == cause, said["causes"]
    assert said["causes"][0]["errno"] == error
    assert said["causes"][0]["certainty"] == "seen"
    assert said["causes"][0]["remedy"]
    return said["causes"][0]


def test_a_free_port_can_be_bound(room, doorward):
    said = why(room, doorward, 8080)
    assert said["can"] and said["agreement"] == "yes" and not causes(said)
    assert room.doorward(doorward).run("why", 8080)[0] == 0


def test_whose_attempt_it_would_be_is_told_by_name(room, doorward):
    name = pwd.getpwuid(NOBODY).pw_name
    assert f"can be bound by {name}\n" in room.doorward(doorward, NOBODY).run("why", 8080)[1]
    assert f"can be bound by {name}\n" in room.doorward(doorward).run("why", 8080, "--user", NOBODY)[1]


def test_a_listener_is_told_with_its_holder(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    cause = check(why(room, doorward, port, "--bind", "127.0.0.1"), "listener",
                  room(f"bind_error('127.0.0.1', {port})"))
    holder, = cause["sockets"][0]["holders"]
    assert holder["pid"] == room.pid
    status, out, _ = room.doorward(doorward).run("why", port)
    assert status == 1 and f"pid {room.pid}" in out and "EADDRINUSE, 98" in out and "do  " in out


def test_another_address_is_free(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    assert room(f"bind_error('127.0.0.2', {port})") == 0
    assert why(room, doorward, port, "--bind", "127.0.0.2")["can"]
    assert why(room, doorward, f"127.0.0.2:{port}")["can"]


def test_any_overlaps_with_one(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    check(why(room, doorward, port), "listener", room(f"bind_error('::', {port})"))
    check(why(room, doorward, port, "--bind", "0.0.0.0"), "listener", room(f"bind_error('0.0.0.0', {port})"))
    other = room("listen('0.0.0.0', 0)")
    check(why(room, doorward, other, "--bind", "127.0.0.1"), "listener", room(f"bind_error('127.0.0.1', {other})"))


def test_the_dual_stack_wildcard_takes_ipv4(room, doorward):
    port = room("listen('::', 0, v6only=0)")
    cause = check(why(room, doorward, port, "--bind", "0.0.0.0"), "dual-stack", room(f"bind_error('0.0.0.0', {port})"))
    assert "V6ONLY" in cause["because"] and "V6ONLY" in cause["remedy"]
    port = room("listen('::', 0, v6only=1)")
    assert room(f"bind_error('0.0.0.0', {port})") == 0
    assert why(room, doorward, port, "--bind", "0.0.0.0")["can"]


def test_a_dual_stack_bind_meets_ipv4(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    check(why(room, doorward, port, "--bind", "::"), "dual-stack", room(f"bind_error('::', {port}, v6only=0)"))
    assert room(f"bind_error('::', {port}, v6only=1)") == 0
    assert why(room, doorward, port, "--bind", "::", "--v6only")["can"]


def test_a_bound_socket_that_does_not_listen(room, doorward):
    port = room("keep(bind('127.0.0.1', 0)).getsockname()[1]")
    said = why(room, doorward, port, "--bind", "127.0.0.1")
    check(said, "bound-inactive", room(f"bind_error('127.0.0.1', {port})"))
    assert said["bind_reuseaddr"]["errno"] == room(f"bind_error('127.0.0.1', {port}, reuseaddr=1)") == errno.EADDRINUSE


def test_two_may_bind_with_reuseaddr_and_one_may_listen(room, doorward):
    port = room("keep(bind('127.0.0.1', 0, reuseaddr=1)).getsockname()[1]")
    check(why(room, doorward, port, "--bind", "127.0.0.1"), "bound-inactive", room(f"bind_error('127.0.0.1', {port})"))
    said = why(room, doorward, port, "--bind", "127.0.0.1", "--reuseaddr")
    assert said["can"] and room(f"bind_error('127.0.0.1', {port}, reuseaddr=1)") == 0
    warned, = said["causes"]
    assert warned["cause"] == "second-listen" and warned["errno"] == 0


def test_udp_needs_the_option_on_both(room, doorward):
    port = room("keep(bind('127.0.0.1', 0, kind=socket.SOCK_DGRAM)).getsockname()[1]")
    options = f"'127.0.0.1', {port}, kind=socket.SOCK_DGRAM"
    check(why(room, doorward, f"udp/{port}", "--bind", "127.0.0.1"), "datagram-socket", room(f"bind_error({options})"))
    check(why(room, doorward, f"udp/{port}", "--bind", "127.0.0.1", "--reuseaddr"), "reuse-mismatch",
          room(f"bind_error({options}, reuseaddr=1)"))
    assert why(room, doorward, f"tcp/{port}", "--bind", "127.0.0.1")["can"], "TCP and UDP are two doors"
    port = room("keep(bind('127.0.0.1', 0, kind=socket.SOCK_DGRAM, reuseaddr=1)).getsockname()[1]")
    assert why(room, doorward, f"udp/{port}", "--bind", "127.0.0.1", "--reuseaddr")["can"]


def test_reuseport_is_for_one_user(room, doorward):
    port = room("listen('127.0.0.1', 0, reuseport=1)")
    words = port, "--bind", "127.0.0.1", "--reuseport"
    assert room(f"bind_error('127.0.0.1', {port}, reuseport=1)") == 0
    assert why(room, doorward, *words)["can"]
    cause = check(why(room, doorward, *words, "--user", NOBODY), "reuseport-uid",
                  room(f"bind_error('127.0.0.1', {port}, uid={NOBODY}, reuseport=1)"))
    assert "root" in cause["because"]


def test_reuseport_is_needed_on_both(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    check(why(room, doorward, port, "--bind", "127.0.0.1", "--reuseport"), "reuse-mismatch",
          room(f"bind_error('127.0.0.1', {port}, reuseport=1)"))


def test_an_outgoing_connection_has_the_number(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    room(f"client = keep(socket.create_connection(('127.0.0.1', {port})))")
    mine = room("client.getsockname()[1]")
    cause = check(why(room, doorward, mine, "--bind", "0.0.0.0"), "outgoing-connection",
                  room(f"bind_error('0.0.0.0', {mine})"))
    assert "reserve" in cause["remedy"] and "ephemeral" in cause["remedy"]
    check(why(room, doorward, mine, "--bind", "127.0.0.1"), "outgoing-connection",
          room(f"bind_error('127.0.0.1', {mine})"))
    assert room(f"bind_error('127.0.0.2', {mine})") == 0
    assert why(room, doorward, mine, "--bind", "127.0.0.2")["can"]


@pytest.mark.parametrize("reuseaddr", [0, 1])
def test_time_wait_and_whether_reuseaddr_helps(room, doorward, reuseaddr):
    room(f"server = bind('127.0.0.1', 8080, reuseaddr={reuseaddr}); server.listen()")
    room("client = socket.create_connection(('127.0.0.1', 8080)); end = server.accept()[0]")
    room("end.close(); client.close(); server.close()")
    said = why(room, doorward, 8080, "--bind", "127.0.0.1")
    cause = check(said, "time-wait", room("bind_error('127.0.0.1', 8080)"))
    with_it = room("bind_error('127.0.0.1', 8080, reuseaddr=1)")
    assert said["bind_reuseaddr"]["errno"] == with_it == (0 if reuseaddr else errno.EADDRINUSE)
    assert ("does not help" in cause["remedy"]) == (not reuseaddr)
    assert why(room, doorward, 8080, "--bind", "127.0.0.1", "--reuseaddr")["can"] == bool(reuseaddr)


@pytest.mark.parametrize("reuseaddr", [0, 1])
def test_accepted_connections_outlive_the_listener(room, doorward, reuseaddr):
    room(f"server = bind('127.0.0.1', 8080, reuseaddr={reuseaddr}); server.listen()")
    room("client = keep(socket.create_connection(('127.0.0.1', 8080))); end = keep(server.accept()[0]); server.close()")
    said = why(room, doorward, 8080, "--bind", "127.0.0.1")
    cause = check(said, "accepted-connection", room("bind_error('127.0.0.1', 8080)"))
    assert cause["sockets"][0]["holders"][0]["pid"] == room.pid
    assert said["bind_reuseaddr"]["errno"] == room("bind_error('127.0.0.1', 8080, reuseaddr=1)")
    assert (said["bind_reuseaddr"]["errno"] == 0) == bool(reuseaddr)


def test_a_privileged_port(room, doorward):
    cause = check(why(room, doorward, 80, "--user", NOBODY), "privileged-port", room(f"bind_error('::', 80, uid={NOBODY})"))
    assert cause["error"] == "EACCES" and "1024" in cause["because"]
    check(why(room, doorward, 80, uid=NOBODY), "privileged-port", errno.EACCES)
    assert why(room, doorward, 80)["can"]
    room("open('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'w').write('80')")
    assert room(f"bind_error('::', 80, uid={NOBODY})") == 0
    assert why(room, doorward, 80, uid=NOBODY)["can"]


def test_an_address_that_is_not_here(room, doorward):
    check(why(room, doorward, 8080, "--bind", "203.0.113.7"), "address-absent", room("bind_error('203.0.113.7', 8080)"))
    check(why(room, doorward, 8080, "--bind", "2001:db8::7"), "address-absent", room("bind_error('2001:db8::7', 8080)"))
    room("open('/proc/sys/net/ipv4/ip_nonlocal_bind', 'w').write('1')")
    assert room("bind_error('203.0.113.7', 8080)") == 0
    assert why(room, doorward, 8080, "--bind", "203.0.113.7")["can"]


def test_loopback_has_no_address(room, doorward):
    room("ip('address flush dev lo')")
    for address in "127.0.0.1", "::1":
        check(why(room, doorward, 8080, "--bind", address), "address-absent" if "." in address else "family-off",
              room(f"bind_error('{address}', 8080)"))


def test_a_namespace_without_a_local_table_grants_everything(doorward):
    room = Room(is_up=False)
    try:
        assert room("bind_error('127.0.0.1', 8080)") == 0
        assert why(room, doorward, 8080, "--bind", "127.0.0.1")["can"]
    finally:
        room.close()


def test_an_address_that_is_tentative(room, doorward):
    room("ip('link add one type veth peer name two'); ip('link set one up'); ip('link set two up')")
    room("open('/proc/sys/net/ipv6/conf/one/dad_transmits', 'w').write('100')")
    room("ip('address add 2001:db8::1/64 dev one')")
    check(why(room, doorward, 8080, "--bind", "2001:db8::1"), "address-tentative", room("bind_error('2001:db8::1', 8080)"))


def test_an_interface_that_is_down(room, doorward):
    room("ip('link add one type veth peer name two'); ip('address add 2001:db8::1/64 dev one')")
    check(why(room, doorward, 8080, "--bind", "2001:db8::1"), "interface-down", room("bind_error('2001:db8::1', 8080)"))


def test_ipv6_is_off(room, doorward):
    room("open('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'w').write('1')")
    check(why(room, doorward, 8080, "--bind", "::1"), "family-off", room("bind_error('::1', 8080)"))


def test_a_link_local_address_without_its_interface(room, doorward):
    check(why(room, doorward, 8080, "--bind", "fe80::1"), "no-scope", room("bind_error('fe80::1', 8080)"))


def test_a_mapped_address_with_v6only(room, doorward):
    check(why(room, doorward, 8080, "--bind", "::ffff:127.0.0.1", "--v6only"), "mapped-v6only",
          room("bind_error('::ffff:127.0.0.1', 8080, v6only=1)"))


def test_the_kernels_own_socket(room, doorward):
    room("ip('link add vx type vxlan id 7 dstport 4789 local 127.0.0.1 dev lo'); ip('link set vx up')")
    check(why(room, doorward, "udp/4789"), "kernel-socket", room("bind_error('::', 4789, kind=socket.SOCK_DGRAM)"))


def test_the_range_is_full(room, doorward):
    room("open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('40000 40003')")
    room("[keep(bind('127.0.0.1', port)) for port in range(40000, 40004)]")
    check(why(room, doorward, 0, "--bind", "127.0.0.1"), "range-full", room("bind_error('127.0.0.1', 0)"))


def test_a_holder_that_may_not_be_seen_is_not_nobody(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    said = why(room, doorward, port, "--bind", "127.0.0.1", uid=NOBODY)
    cause = check(said, "listener", errno.EADDRINUSE)
    assert cause["because"].startswith("a process you may not inspect (uid 0) listens")
    out = room.doorward(doorward, NOBODY).run("why", port)[1]
    assert "a process you may not inspect (uid 0)" in out and "nobody" not in out.replace("by nobody", "")


def test_a_descriptor_that_was_inherited(room, doorward):
    room("server = bind('127.0.0.1', 0); server.listen(); port = server.getsockname()[1]; server.set_inheritable(True)")
    room("child = keep(subprocess.Popen(['sleep', '1000'], close_fds=False))")
    port, child = room("port"), room("child.pid")
    said = why(room, doorward, port, "--bind", "127.0.0.1")
    assert causes(said) == ["inherited", "listener"] and f"pid {child}" in said["causes"][0]["because"]
    room("server.close()")
    cause = check(why(room, doorward, port, "--bind", "127.0.0.1"), "inherited", room(f"bind_error('127.0.0.1', {port})"))
    assert cause["sockets"][0]["holders"][0]["pid"] == child
    room("child.kill(); child.wait()")
    assert why(room, doorward, port, "--bind", "127.0.0.1")["can"]


@pytest.mark.alone
def test_a_process_that_is_being_torn_down(room, doorward):
    with dies_slowly(room.pid) as slow:
        os.kill(slow.pid, 15)
        cause = check(why(room, doorward, slow.port, "--bind", "127.0.0.1"), "dying-process",
                      room(f"bind_error('127.0.0.1', {slow.port})"))
    assert f"pid {slow.pid}" in cause["because"] and "wait" in cause["remedy"]


def test_another_process_its_namespace_and_its_user(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    said = doorward.json("why", port, "--bind", "127.0.0.1", "--for-pid", room.pid)
    assert check(said, "listener", errno.EADDRINUSE)["sockets"][0]["holders"][0]["pid"] == room.pid
    assert said["question"]["pid"] == room.pid


def test_what_is_to_be_done_in_another_namespace_can_be_done_as_it_stands(room, doorward):
    port = room("listen('127.0.0.1', 0)")
    remedy = doorward.json("why", port, "--bind", "127.0.0.1", "--netns", room.pid)["causes"][0]["remedy"]
    close, free = re.findall(r"`doorward ([^`]+)`", remedy)
    status, out, _ = doorward.run(*close.split(), "--dry-run")
    assert status == 0 and f"(pid {room.pid})" in out and "in network namespace" in out.splitlines()[0]
    assert doorward.run(*free.split(), "--json")[0] == 0
    assert "--netns" not in why(room, doorward, port, "--bind", "127.0.0.1")["causes"][0]["remedy"]
    assert "in network namespace" not in room.doorward(doorward).run("close", port, "--dry-run")[1]


def test_whom_no_right_shows_root_is_told_of_no_right(room, doorward):
    """Its descriptor is on its way between processes."""
    port = room("listen('127.0.0.1', 0)")
    room("ends = keep(socket.socketpair()); socket.send_fds(ends[0], [b'!'], [kept[0].fileno()]); kept[0].close()")
    cause, = why(room, doorward, port, "--bind", "127.0.0.1")["causes"]
    assert cause["sockets"][0]["holders"] == []
    assert "sudo" not in cause["remedy"] and "on its way between processes" in cause["remedy"]


def test_a_process_without_the_right_to_a_privileged_port(room, doorward):
    room("import threading")
    room("child = keep(subprocess.Popen(['sleep', '1000'], user=65534, group=65534, extra_groups=[]))")
    said = doorward.json("why", 80, "--for-pid", room("child.pid"))
    check(said, "privileged-port", room(f"bind_error('::', 80, uid={NOBODY})"))
    assert said["question"]["uid"] == NOBODY
    room("child.kill(); child.wait()")


def test_a_process_that_has_no_descriptor_left(room, doorward):
    room("child = keep(subprocess.Popen([sys.executable, '-c', 'import os, resource\\n"
         "resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))\\nkept = []\\ntry:\\n while 1: kept.append(os.dup(0))\\n"
         "except OSError: print(1, flush=True)\\nimport time; time.sleep(1000)'], stdout=subprocess.PIPE)); child.stdout.readline()")
    check(doorward.json("why", 8080, "--for-pid", room("child.pid")), "descriptor-limit", errno.EMFILE)
    room("child.kill(); child.wait()")


SANDBOX = """
def sandbox():
    # Landlock: no TCP port may be bound (landlock(7))
    libc = ctypes.CDLL(None, use_errno=True)
    ruleset = libc.syscall(444, struct.pack("QQ", 0, 1), 16, 0)
    if ruleset < 0: return False
    libc.prctl(38, 1, 0, 0, 0)
    return libc.syscall(446, ruleset, 0) == 0
"""


def test_a_landlock_sandbox(room, doorward):
    """The program is started inside the sandbox, as whatever is started there is."""
    if not room(SANDBOX) and room("in_child(lambda: int(sandbox()))") == 0:
        pytest.skip("no Landlock for ports here")
    error = room("in_child(lambda: sandbox() and error_of(bind, '127.0.0.1', 8080))")
    path = doorward.path
    room(f"child = os.fork()\nif child == 0:\n sandbox()\n os.dup2(os.open('/dev/null', os.O_RDONLY), 0)\n"
         f" os.dup2(os.open('/tmp/why-{room.pid}', os.O_CREAT | os.O_WRONLY, 0o600), 1)\n"
         f" os.execv({path!r}, [{path!r}, 'why', '8080', '--json', '--bind', '127.0.0.1'])")
    room("os.waitpid(child, 0)")
    try:
        with open(f"/tmp/why-{room.pid}", encoding="utf-8") as said:
            check(json.load(said), "landlock", error)
    finally:
        os.unlink(f"/tmp/why-{room.pid}")
    assert error == errno.EACCES


@pytest.mark.needs("bpf")
def test_a_program_of_a_control_group(room, doorward):
    """A BPF program that refuses each bind of a group, as SocketBindDeny= makes it."""
    mounts = [line.split() for line in open("/proc/self/mounts", encoding="utf-8") if " cgroup2 " in line]
    if not mounts:
        pytest.skip("needs cgroup2")
    group = f"{mounts[0][1]}/doorward-why-{room.pid}"
    os.mkdir(group)
    child = subprocess.Popen(["nsenter", "-t", str(room.pid), "--net", "--", "sleep", "1000"])
    try:
        with open(f"{group}/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write(str(child.pid))
        attach_refusal(group)
        said = doorward.json("why", 8080, "--bind", "127.0.0.1", "--for-pid", child.pid)
        cause = check(said, "cgroup-program", errno.EPERM)
        assert "refuse_bind" in cause["because"] and f"doorward-why-{room.pid}" in cause["because"]
        assert why(room, doorward, 8080, "--bind", "127.0.0.1")["can"], "others may"
    finally:
        child.kill()
        child.wait()
        os.rmdir(group)


def attach_refusal(group):
    """r0 = 0; exit: loaded and attached to cgroup/bind4 by bpf(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(struct.pack("BBhi", 0xb7, 0, 0, 0) + struct.pack("BBhi", 0x95, 0, 0, 0))
    words = ctypes.create_string_buffer(b"GPL")
    load = struct.pack("IIQQIIQII16sII", 18, 2, ctypes.addressof(code), ctypes.addressof(words), 0, 0, 0, 0, 0,
                       b"refuse_bind", 0, 8)
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    program = libc.syscall(number, 5, ctypes.create_string_buffer(load, 128), 128)
    assert program >= 0, os.strerror(ctypes.get_errno())
    directory = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    attach = struct.pack("IIII", directory, program, 8, 0)
    done = libc.syscall(number, 8, ctypes.create_string_buffer(attach, 128), 128)
    os.close(directory)
    os.close(program)
    assert done == 0, os.strerror(ctypes.get_errno())


@pytest.mark.needs("root")
def test_a_process_that_may_not_be_entered_says_how_to(doorward):
    status, _, err = doorward.as_user().run("why", 8080, "--for-pid", os.getpid())
    assert status == 3
    assert err.splitlines()[1:] == ["  run it with sudo"]
