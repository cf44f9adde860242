# SPDX-License-Identifier: GPL-2.0-or-later
"""A fail2ban of this host: it is told of before anything is sent to what it watches."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from room import Room
from scans import HERE, listen_at, make_net  # pylint: disable=unused-import

pytestmark = pytest.mark.needs("root", "program:nft", "program:fail2ban-server")


@pytest.fixture(name="guard")
def make_guard(tmp_path):
    """A real fail2ban of its own, with two jails; words that run a program where it is the host's."""
    shutil.copytree("/etc/fail2ban", tmp_path / "etc")
    shutil.rmtree(tmp_path / "etc/jail.d")
    os.makedirs(tmp_path / "etc/jail.d")
    os.makedirs(tmp_path / "run")
    log = tmp_path / "log"
    log.write_text("")
    jail = f"enabled = true\nbackend = polling\nlogpath = {log}\naction =\n"
    (tmp_path / "etc/jail.local").write_text(f"[sshd]\n{jail}[vsftpd]\n{jail}")
    (tmp_path / "etc/fail2ban.local").write_text("[Definition]\ndbfile = None\n")
    words = [f"-c{tmp_path}/etc", f"-s{tmp_path}/run/fail2ban.sock", f"-p{tmp_path}/run/fail2ban.pid"]
    with subprocess.Popen(["fail2ban-server", *words, "-xf", f"--logtarget={tmp_path}/said", "start"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        while subprocess.run(["fail2ban-client", *words, "ping"], capture_output=True, check=False).returncode:
            assert server.poll() is None, "it does not begin"
            time.sleep(0.1)  # it says to nobody when it is ready
        yield ["unshare", "--mount", "sh", "-c", f"mkdir -p /run/fail2ban && mount --bind {tmp_path}/run /run/fail2ban && "
               f"mount --bind {tmp_path}/etc /etc/fail2ban && exec \"$@\"", "sh"]
        server.send_signal(signal.SIGTERM)
        server.wait(30)


@pytest.fixture(name="lo")
def make_lo():
    room = Room()
    yield room
    room.close()


def test_its_jails_are_named_before_anything_is_sent(lo, doorward, guard):
    listen_at(lo, ["127.0.0.1"], [2222])
    inside = lo.doorward(doorward)
    inside.prefix += guard
    status, _, err = inside.run("scan", "127.0.0.1", "-p", "2222", "--json")
    assert status == 0
    line, = [line for line in err.splitlines() if "fail2ban" in line]
    assert "jails" in line and "sshd" in line and "vsftpd" in line and "proftpd" not in line
    assert "ignoreself" in line and "--no-identify" in line
    _, _, err = inside.run("scan", "127.0.0.1", "-p", "2222", "--json", "--no-identify")
    assert "fail2ban" in err and "--no-identify" not in err


def test_a_stranger_is_not_spared(net, doorward, guard):
    listen_at(net.here, [HERE[4]], [2222])
    inside = net.here.doorward(doorward)
    inside.prefix += guard
    _, _, err = inside.run("scan", HERE[4], "--from", "stranger", "-p", "2222", "--json")
    assert "shut out who asks" in err


def test_others_are_not_warned_of(net, doorward, guard):
    inside = net.outside.doorward(doorward, uid=65534)  # who does not see that the neighbour is this host's
    inside.prefix = inside.prefix[:5] + guard + inside.prefix[5:]
    _, _, err = inside.run("scan", HERE[4], "-p", "2222", "--json")
    assert "fail2ban" not in err and "not this host's" in err


def test_without_it_nothing_is_said(lo, doorward):
    _, _, err = lo.doorward(doorward).run("scan", "127.0.0.1", "-p", "1", "--json")
    assert "fail2ban" not in err
