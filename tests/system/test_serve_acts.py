# SPDX-License-Identifier: GPL-2.0-or-later
"""What serve does for a page: plans, acts, blocks; the kernel is asked what came of it."""

import pathlib
import signal
import subprocess
import sys

import psutil
import pytest

from conftest import TREE
from pages import LIMIT, page, serve  # noqa: F401 (fixtures)
from served import server  # noqa: F401 (fixtures)


# ---- what it does ----

def plan(page, **what):
    answer = page.post("/api/plan", what)
    assert answer.status == 200, answer.body
    return answer.json


def act(page, planned, **changed):
    return page.post("/api/act", {"plan": planned["plan"], "identities": planned["identities"], **changed})


def is_listening(port):
    return any(c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in psutil.net_connections("tcp"))


def test_a_plan_does_nothing_and_its_act_closes(page, server):
    one = server()
    planned = plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}")
    assert planned["can_act"] and not planned["acted"] and "SIGTERM" in planned["text"]
    assert len(planned["identities"]) == len(planned["steps"]) == 1
    assert is_listening(one.port) and one.process.poll() is None
    done = act(page, planned)
    assert (done.status, done.json["free"], done.json["steps"][0]["outcome"]) == (200, True, "free")
    assert not is_listening(one.port)
    assert one.process.wait(LIMIT) == -signal.SIGTERM
    assert act(page, planned).status == 409  # good once


def test_a_plan_whose_process_was_replaced_closes_nothing(page, server):
    """The same port, the same command line, another process: who confirmed has seen the other."""
    one = server()
    planned = plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}")
    one.end()
    other = server(one.port)
    refused = act(page, planned)
    assert refused.status == 409, refused.body
    assert other.process.poll() is None and is_listening(one.port)


BECOMES_ANOTHER = """
import os, socket, sys
sock = socket.create_server(("127.0.0.1", 0))
sock.set_inheritable(True)
print(sock.getsockname()[1], flush=True)
sys.stdin.readline()
os.execvp(sys.executable, [sys.executable, "-c", "import sys; print('another', flush=True); sys.stdin.read()"])
"""


def test_a_plan_whose_process_became_another_program_closes_nothing(page):
    """The same pid, start and socket: execve(2) keeps them all."""
    with subprocess.Popen([sys.executable, "-c", BECOMES_ANOTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        port = int(one.stdout.readline())
        planned = plan(page, action="close", target=f"tcp/127.0.0.1:{port}")
        print(file=one.stdin, flush=True)
        assert one.stdout.readline() == "another\n"
        assert act(page, planned).status == 409
        assert one.poll() is None and is_listening(port)
        assert act(page, plan(page, action="close", target=f"tcp/127.0.0.1:{port}")).status == 200
        assert not is_listening(port)


def test_an_act_must_name_what_it_confirms(page, server):
    one = server()
    for changed in ({"identities": []}, {"identities": ["0" * 16]}, {"plan": "0" * 16}):
        planned = plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}")
        refused = act(page, planned, **changed)
        assert refused.status == 409
    planned = plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}")
    assert act(page, planned, identities=planned["identities"] * 2).status == 409
    assert page.post("/api/act", {"plan": "x", "identities": []}).status == 400
    assert one.process.poll() is None and is_listening(one.port)


def test_plans_are_bounded_and_the_oldest_gives_way(serve, server):
    """A person may look at many, and leave them: the next is always to be had."""
    page, one = serve(), server()
    planned = [plan(page, action="close", target=f"tcp/127.0.0.1:{one.port}") for _ in range(20)]
    processes = page.processes
    jobs = [int(pid) for pid in pathlib.Path(f"/proc/{processes[2]}/task/{processes[2]}/children").read_text().split()]
    assert len(jobs) <= 9  # one may be on its way out
    assert act(page, planned[11]).status == 409
    assert one.process.poll() is None and is_listening(one.port)
    assert act(page, planned[12]).status == 200
    assert not is_listening(one.port)


def test_a_plan_tells_what_is_wrong(page):
    assert page.post("/api/plan", {"action": "close"}).status == 400
    assert page.post("/api/plan", {"action": "close", "target": "nonsense here"}).status == 400
    wrong = page.post("/api/plan", {"action": "close", "filter": "staet = listen"})
    assert (wrong.status, wrong.json["error"]["at"]) == (400, 0)
    nothing = plan(page, action="close", target="tcp/1")
    assert (nothing["can_act"], nothing["identities"]) == (False, [])


def test_serve_does_not_close_itself(page):
    planned = plan(page, action="close", target=f"tcp/127.0.0.1:{page.port}")
    assert not planned["can_act"] and planned["steps"][0]["refused"]


@pytest.mark.needs("root", "program:nft", "program:unshare")
def test_block_refuses_until_unblock(doorward):
    """In a network of its own: the page is asked from inside it."""
    ran = subprocess.run(["unshare", "--net", sys.executable, "-c", f"""
import socket, sys
sys.path[:0] = [{str(TREE / "tests/system")!r}]
import subprocess
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
import conftest, pages
page = pages.Page(conftest.Doorward())
door = socket.create_server(("127.0.0.1", 0))
port = door.getsockname()[1]
def reached():
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
def do(**what):
    planned = page.post("/api/plan", what).json
    assert planned["can_act"], planned
    assert reached() == (what["action"] == "block")
    return page.post("/api/act", {{"plan": planned["plan"], "identities": planned["identities"]}})
assert reached()
done = do(action="block", target=f"tcp/{{port}}", for_ms=600000)
assert done.status == 200 and len(done.json["blocks"]) == 1, done.body
assert not reached()
done = do(action="unblock", target=f"tcp/{{port}}")
assert done.json["unblocked"] == 1, done.body
assert reached()
assert page.end() == (0, "")
print("so it is")
"""], capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, "so it is"), ran.stderr
