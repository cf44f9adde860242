# SPDX-License-Identifier: GPL-2.0-or-later
"""Who started a holder, in words: a real ssh session, tmux, and what else stands above it."""

import getpass
import json
import os
import socket
import subprocess

import pytest

from conftest import program
from hosts import until


def listener_words():
    return f"{program('SCENE', 'tests/scenes/scene')} tcp-listener"


def parents(doorward, port):
    holder, = doorward.json("show", port).sockets[0]["holders"]
    return holder["parents"]


@pytest.fixture(scope="module")
def ssh(tmp_path_factory):
    """ssh(command): the command in a session of a real sshd on a port of its own."""
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "keys").write_text((folder / "user.pub").read_text())
    os.makedirs("/run/sshd", exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", folder / "host", "-p", str(port), "-o",
         "ListenAddress=127.0.0.1", "-o", f"AuthorizedKeysFile={folder}/keys", "-o", "StrictModes=no", "-o",
         "UsePAM=no", "-o", "PidFile=none", "-o", "PermitRootLogin=yes"], stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "Server listening" in line:
            break
    sessions = []

    def run(command):
        sessions.append(subprocess.Popen(
            ["ssh", "-F", "none", "-i", folder / "user", "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o",
             "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1", command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return sessions[-1]

    yield run
    for session in sessions:
        session.communicate()
    server.terminate()
    server.communicate()


@pytest.mark.needs("root", "program:ssh", "program:sshd")
def test_an_ssh_session_says_of_whom_and_from_where(doorward, ssh, tmp_path):
    session = ssh(listener_words())
    port = json.loads(session.stdout.readline())["port"]
    above = [p for p in parents(doorward, port) if p["name"].startswith("sshd")]
    user = getpass.getuser()
    assert [p["is"] for p in above if p["from"]][0] == f"an ssh session of {user} from 127.0.0.1"
    assert (above[-1]["is"], above[-1]["from"]) == ("the ssh server", None)
    words = f"an ssh session of {user} from 127.0.0.1"
    _, out, _ = doorward.run("show", port)
    assert words in " ".join(out.split())

    _, saved, _ = doorward.run("show", "--json", port)
    (tmp_path / "saved").write_text(saved)
    _, again, _ = doorward.run("show", "--read", tmp_path / "saved", port)
    assert words in " ".join(again.split())


@pytest.mark.needs("program:tmux")
def test_tmux_is_named(doorward, tmp_path):
    words = ["tmux", "-L", f"doorward-{os.getpid()}", "-f", "/dev/null"]
    subprocess.run([*words, "new-session", "-d", f"{listener_words()} > {tmp_path}/made; sleep 600"], check=True)
    try:
        until(lambda: (tmp_path / "made").exists() and (tmp_path / "made").read_text().endswith("\n"), "the scene")
        port = json.loads((tmp_path / "made").read_text())["port"]
        assert "tmux" in [p["is"] for p in parents(doorward, port)]
    finally:
        subprocess.run([*words, "kill-server"], check=True)
