# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Podman."""

import os
import pathlib
import shutil
import tempfile
import types

import pytest

from hosts import Network, listener, remove_groups, skip_unless, until


class Podman:
    def __init__(self):
        self.network = Network()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="doorward-podman-"))
        (self.folder / "image").mkdir()
        shutil.copy(listener(), self.folder / "image" / "listen")
        self._names = []

    def command(self, *command):
        return self.network.run("podman", "--root", self.folder / "root", "--runroot", self.folder / "run",
                                "--tmpdir", self.folder / "tmp", "--cgroup-manager", "cgroupfs",
                                "--runtime", "runc", *command)

    def run(self, name, publish, ports):
        made = self.command("run", "-d", "--name", name, "--ulimit", "nofile=1024:1024", "--ulimit",
                            "nproc=1000:1000", *(word for one in publish for word in ("-p", one)),
                            "--rootfs", self.folder / "image", "/listen", *ports).split()[-1]
        self._names.append(name)
        pid = int(self.command("inspect", "-f", "{{.State.Pid}}", name))
        until(lambda: os.readlink(f"/proc/{pid}/exe").endswith("/listen"), name)
        return types.SimpleNamespace(name=name, id=made, pid=pid)

    def close(self):
        if self._names:
            self.command("rm", "-f", "-t", "0", *self._names)
        self.network.close()
        remove_groups("libpod_parent")
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def podman():
    skip_unless("podman", "conmon", "runc", "unshare", "nsenter")
    made = Podman()
    yield made
    made.close()
