# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs beside what. With LANES=4 tools/test starts the tests in lanes, pytest-xdist's workers, since most of them wait
more than they work; then, one after another, those that bear nothing beside them:

    @pytest.mark.alone    it counts or fills what all of the host share, or is held against the clock

A lane is a network namespace of its own, so that a port, a rule or a listing of `--netns self` is the lane's. What looks
into all namespaces asks for its own ports: a lane chooses them from numbers that no other lane uses, and so do the
namespaces that its tests make. The processes, the control groups and the kernel's programs are the host's: what has
fixed names there is in one lane, one after another (TOGETHER). Who can make no namespace has no lanes.
"""

import ctypes
import os
import pathlib
import subprocess

RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
PORTS = "LANE_PORTS"  # tells the namespaces that a scene or a room makes
FIRST, EACH = 23000, 2250  # below what the kernel chooses from by itself, and beside the numbers that tests name
CLONE_NEWNET = 0x40000000

TOGETHER = {
    # containers, machines, and control groups that look like theirs: each takes away what it left when it ends
    "hosts": ["test_block_containers", "test_close_hosts", "test_containers", "test_docker", "test_page", "test_podman",
              "test_record_service", "test_scenes", "test_see_cases", "test_systemd", "test_why_elsewhere"],
    # one browser for both
    "browser": ["test_page_access", "test_page_looks"],
    # they build in one folder
    "faults": ["test_faults", "test_history_store", "test_release_faults"],
}
GROUPS = {name: group for group, names in TOGETHER.items() for name in names}
APART = ["test_scan_cases"]  # each of its tests waits long


def enter(number):
    """A network of its own for this process and all that it starts."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"no network for lane {number}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    first = FIRST + EACH * number
    os.environ[PORTS] = f"{first} {first + EACH - 1}"
    pathlib.Path(RANGE).write_text(os.environ[PORTS], encoding="ascii")


def group_of(nodeid):
    """What one lane runs, one after another: a file, if nothing else is said of it."""
    file, _, test = nodeid.partition("::")
    name = pathlib.Path(file).stem
    return test if name in APART else GROUPS.get(name, name)


def scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling  # only where there are lanes is there an xdist

    class Lanes(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    return Lanes(config, log)
