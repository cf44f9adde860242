# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Docker."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import types

import pytest

from hosts import Network, listener, remove_groups, skip_unless, until


class Docker:
    def __init__(self):
        self.network = Network()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="doorward-docker-"))
        self._log = open(self.folder / "log", "w+b")
        self.engine = subprocess.Popen(
            [*self.network.words, "dockerd", "--data-root", self.folder / "data", "--exec-root", self.folder / "exec",
             "-p", self.folder / "pid", "-H", f"unix://{self.folder}/sock", "--exec-opt",
             "native.cgroupdriver=cgroupfs", "--storage-driver", "vfs"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        until(self._is_up, "Docker")
        image = self.folder / "image.tar"
        subprocess.run(["tar", "-C", listener().parent, "-cf", image, "listen"], check=True)
        self.command("import", image, "listener")

    def _is_up(self):
        if self.engine.poll() is not None:
            pytest.skip(f"Docker does not run here: {self.log().splitlines()[-1]}")
        return (self.folder / "sock").exists() and \
            subprocess.run(self._words("version"), capture_output=True).returncode == 0

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def _words(self, *command):
        return ["docker", "-H", f"unix://{self.folder}/sock", *map(str, command)]

    def command(self, *command):
        ran = subprocess.run(self._words(*command), capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, f"docker {command}: {ran.stderr}\n{self.log()[-2000:]}"
        return ran.stdout.strip()

    def run(self, name, publish, ports):
        """A container that listens on @ports; its id and first process as Docker itself says them."""
        made = self.command("run", "-d", "--name", name, "--ulimit", "nofile=1024:1024",
                            *(word for one in publish for word in ("-p", one)), "listener", "/listen", *ports)
        pid = int(self.command("inspect", "-f", "{{.State.Pid}}", name))
        until(lambda: os.readlink(f"/proc/{pid}/exe") == "/listen", name)
        return types.SimpleNamespace(name=name, id=made, pid=pid)

    def close(self):
        if self.engine.poll() is None:
            names = self.command("ps", "-aq").split()
            if names:
                self.command("rm", "-f", *names)
            self.engine.terminate()
            self.engine.wait(60)
        self._log.close()
        self.network.close()
        remove_groups("docker")
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def docker():
    skip_unless("dockerd", "docker", "docker-proxy", "iptables", "unshare", "nsenter")
    made = Docker()
    yield made
    made.close()
