# SPDX-License-Identifier: GPL-2.0-or-later
"""The recorder as a service of a real systemd: its user, its folder, its rights, its end.

A container of systemd-nspawn has no BPF, so here it records by netlink and by differences, and says so.
"""

import json
import pathlib
import shutil

import pytest

from conftest import TREE, program
from hosts import skip_unless, until
from hosts.nspawn import Machine

pytestmark = pytest.mark.needs("root")
BUILD = pathlib.Path(program("DOORWARD", "src/doorward")).resolve().parents[1]
UNIT = "doorward-record.service"


class Recording(Machine):
    def _lay_out(self):
        super()._lay_out()
        place = self.folder / "opt"
        place.mkdir()
        for file in [BUILD / "src/doorward", *BUILD.glob("src/*.so")]:
            shutil.copy(file, place)
        text = (BUILD / "packaging" / UNIT).read_text()
        assert text.count("bin/doorward") == 1
        lines = [line.replace(line.split()[0], "ExecStart=/opt/doorward") if line.startswith("ExecStart=") else line
                 for line in text.splitlines()]
        (self.folder / "etc/systemd/system" / UNIT).write_text("\n".join(lines) + "\n")
        users = self.folder / "etc/sysusers.d"
        users.mkdir()
        shutil.copy(TREE / "packaging/doorward.sysusers.conf", users / "doorward.conf")

    def show(self, name):
        return self.command("systemctl", "show", "-P", name, UNIT)


@pytest.fixture(scope="module")
def machine():
    skip_unless("systemd-nspawn", "setpriv", "nsenter")
    if not pathlib.Path("/usr/lib/systemd/systemd").exists() or not (BUILD / "packaging" / UNIT).exists():
        pytest.skip("needs systemd's own programs, and a build tree")
    made = Recording()
    try:
        made.command("systemd-sysusers")
        made.command("systemctl", "start", UNIT)
        yield made
    finally:
        made.close()


def test_it_runs_as_a_user_of_its_own_with_few_capabilities(machine):
    assert machine.show("ActiveState") == "active" and machine.show("StatusText") == "recording"
    pid = machine.show("MainPID")
    status = machine.command("cat", f"/proc/{pid}/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    uid = machine.command("id", "-u", "doorward")
    assert set(facts["Uid"].split()) == {uid} and uid != "0"
    admin = 1 << 21
    assert not int(facts["CapBnd"], 16) & admin and not int(facts["CapEff"], 16) & admin
    assert facts["NoNewPrivs"] == "1"


def test_its_record_is_for_its_group(machine):
    assert machine.command("stat", "-c", "%U %G %a", "/var/lib/doorward/history.db") == "doorward doorward 640"
    told = json.loads(machine.command("/opt/doorward", "record", "--status", "--json"))
    assert told["running"] and str(told["pid"]) == machine.show("MainPID")
    seen = json.loads(machine.command("/opt/doorward", "history", "--json", "port = 7004 and state = listen"))
    assert [i["closed"] for i in seen["intervals"]] == [None]
    assert seen["intervals"][0]["holder"]["unit"] == "web.service"
    assert "7004" in machine.command("/opt/doorward", "list", "--at", "now", "port = 7004")


def test_started_again_it_goes_on_and_tells_the_gap(machine):
    machine.command("systemctl", "restart", UNIT)

    def gaps():
        return json.loads(machine.command("/opt/doorward", "history", "--json", "port = 7004"))["gaps"]

    gap, *_ = until(gaps, "the gap")
    assert gap["from"] < gap["to"]
    assert machine.show("NRestarts") == "0" and machine.show("ActiveState") == "active"


def test_without_room_it_is_tried_until_there_is_some(machine):
    machine.command("systemctl", "stop", UNIT)
    folder = "/var/lib/doorward"
    machine.command("mount", "-t", "tmpfs", "-o", "size=1M,mode=0755", "none", folder)
    try:
        machine.command("chown", "doorward:doorward", folder)
        machine.command("sh", "-c", f"head -c 2M /dev/zero >{folder}/full; exit 0")
        machine.command("systemctl", "start", "--no-block", UNIT)
        until(lambda: int(machine.show("NRestarts")) > 5, "five starts in vain", 60)
        machine.command("rm", f"{folder}/full")
        until(lambda: machine.show("ActiveState") == "active", "the recording", 30)
    finally:
        machine.command("systemctl", "stop", UNIT)
        machine.command("umount", folder)
    machine.command("systemctl", "start", UNIT)


def test_stopped_it_ends_well(machine):
    machine.command("systemctl", "stop", UNIT)
    assert machine.show("Result") == "success" and machine.show("ExecMainStatus") == "0"
    told = json.loads(machine.command("/opt/doorward", "record", "--status", "--json"))
    assert not told["running"]
