# SPDX-License-Identifier: GPL-2.0-or-later
"""A real systemd, in a container of systemd-nspawn: the programs of this host, units of the test's own.

It is started where systemd would have put it, in the control group of systemd-nspawn@NAME.service. Its root is a
folder of the test's with this host's /usr, read only, so nothing is downloaded and its tmpfiles rules touch nothing.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from hosts import cgroup_mounts, listener, read_until, remove_groups, skip_unless

UNITS = {
    "test.target": """
[Unit]
Requires=basic.target
Wants=echo.socket each.socket named.socket moved.socket web.service always.service knocked.socket ready.service
AllowIsolate=yes
""",
    # one service for all that comes, and a datagram socket beside
    "echo.socket": "[Socket]\nListenStream=127.0.0.1:7001\nListenDatagram=7002\n",
    "echo.service": "[Service]\nExecStart=/listen\n",
    # one service for each connection
    "each.socket": "[Socket]\nListenStream=7003\nAccept=yes\n",
    "each@.service": "[Service]\nExecStart=/listen\n",
    # a service of another name
    "named.socket": "[Socket]\nListenStream=[::1]:7005\nService=other.service\n",
    "other.service": "[Service]\nExecStart=/listen\n",
    # a drop-in that takes the port away and gives another
    "moved.socket": "[Socket]\nListenStream=7006\n",
    "moved.socket.d/port.conf": "[Socket]\nListenStream=\nListenStream=7007\n",
    "moved.service": "[Service]\nExecStart=/listen\n",
    # one that listens itself
    "web.service": """
[Service]
ExecStart=/listen 7004
ExecStartPost=/bin/bash -c 'until (exec 3<>/dev/tcp/127.0.0.1/7004) 2>/dev/null; do sleep 0.05; done'
""",
    # what is closed by tests: one that is started again whatever ends it, one that is started by its socket
    "always.service": """
[Service]
ExecStart=/listen 7008
Restart=always
RestartSec=100ms
ExecStartPost=/bin/bash -c 'until (exec 3<>/dev/tcp/127.0.0.1/7008) 2>/dev/null; do sleep 0.05; done'
[Unit]
StartLimitIntervalSec=0
""",
    "knocked.socket": "[Socket]\nListenStream=127.0.0.1:7009\n",
    "knocked.service": "[Service]\nExecStart=/listen\n",
    # one of the system's that runs as a user
    "theirs.service": """
[Service]
User=65534
ExecStart=/listen 7011
ExecStartPost=/bin/bash -c 'until (exec 3<>/dev/tcp/127.0.0.1/7011) 2>/dev/null; do sleep 0.05; done'
""",
    # a user's own systemd, and a service of that one
    "user@65534.service": """
[Service]
User=65534
Type=notify
Delegate=yes
Environment=XDG_RUNTIME_DIR=/run/user/65534
ExecStartPre=+/bin/mkdir -p /run/user/65534
ExecStartPre=+/bin/chown 65534 /run/user/65534
ExecStart=/usr/lib/systemd/systemd --user
""",
    "../user/mine.service": """
[Service]
ExecStart=/listen 7010
Restart=always
ExecStartPost=/bin/bash -c 'until (exec 3<>/dev/tcp/127.0.0.1/7010) 2>/dev/null; do sleep 0.05; done'
""",
    "../user/default.target": "[Unit]\nWants=mine.service\nAfter=mine.service\n",
    "ready.service": """
[Unit]
After=web.service always.service echo.socket each.socket named.socket moved.socket knocked.socket
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo all is up >/dev/console'
""",
}


class Machine:
    name = "shop"

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="doorward-nspawn-"))
        self.folder.chmod(0o755)
        self._lay_out()
        group = f"machine.slice/systemd-nspawn@{self.name}.service"
        groups = [mount / group for mount in cgroup_mounts("v2", "systemd")]
        for path in groups:
            path.mkdir(parents=True, exist_ok=True)
        enter = "".join(f"echo $$ >{path}/cgroup.procs; " for path in groups)
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "sh", "-c", enter + 'exec "$@"', "sh", "systemd-nspawn",
             "--register=no", "--keep-unit", "--private-network", "-q", "-M", self.name, "-D", self.folder,
             "--bind-ro=/usr", "-b"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        said = read_until(self._process.stdout, b"all is up")
        if b"all is up" not in said:
            self.close()
            pytest.skip("systemd does not come up here: " + said.decode(errors="replace")[-500:])
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        self.pid = int(children.split()[0])

    def _lay_out(self):
        units = self.folder / "etc/systemd/system"
        units.mkdir(parents=True)
        for name in ("usr", "tmp", "var", "run", "proc", "sys", "dev", "root"):
            (self.folder / name).mkdir()
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.folder / name).symlink_to("usr/" + name)
        for name in ("os-release", "passwd", "group", "nsswitch.conf"):
            shutil.copy("/etc/" + name, self.folder / "etc")
        (self.folder / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        (self.folder / "etc/hostname").write_text(self.name + "\n")
        shutil.copy(listener(), self.folder / "listen")
        for name, text in UNITS.items():
            (units / name).parent.mkdir(exist_ok=True)
            (units / name).write_text(text)
        (units / "default.target").symlink_to("test.target")

    def command(self, *command):
        ran = subprocess.run(["nsenter", "-t", str(self.pid), "-a", "--", *command], capture_output=True, text=True,
                             timeout=60)
        assert ran.returncode == 0, f"{command}: {ran.stderr}"
        return ran.stdout.strip()

    def main_pid(self, unit):
        """The service's process in our numbers, by systemd's own word and the name of its namespace of pids."""
        inner = self.command("systemctl", "show", "-P", "MainPID", unit)
        here = os.readlink(f"/proc/{self.pid}/ns/pid")
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                if os.readlink(status.parent / "ns/pid") == here and \
                        any(line.split()[-1] == inner for line in status.read_text().splitlines()
                            if line.startswith("NSpid:")):
                    return int(status.parent.name)
            except OSError:
                continue
        raise AssertionError(f"{unit} has no process {inner}")

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        remove_groups("machine.slice/systemd-nspawn@" + self.name + ".service")
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def machine():
    skip_unless("systemd-nspawn", "setpriv", "nsenter")
    if not pathlib.Path("/usr/lib/systemd/systemd").exists():
        pytest.skip("needs systemd's own programs")
    made = Machine()
    yield made
    made.close()
