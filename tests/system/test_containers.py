# SPDX-License-Identifier: GPL-2.0-or-later
"""Container and unit from the control group's path, in each hierarchy. (Real engines: test_docker, test_podman.)"""

import pytest

pytestmark = pytest.mark.needs("root")
ID = "4f5b2c8e9d1a07b36e4f5b2c8e9d1a07b36e4f5b2c8e9d1a07b36e4f5b2c8e9d"

USER = "/user.slice/user-1000.slice/user@1000.service"  # of `systemd --user`

CONTAINERS = [
    (f"/docker/{ID}", "docker", ID),
    (f"/system.slice/docker-{ID}.scope", "docker", ID),
    (f"/libpod_parent/libpod-{ID}", "podman", ID),
    (f"/machine.slice/libpod-{ID}.scope", "podman", ID),
    (f"{USER}/user.slice/libpod-{ID}.scope/container", "podman", ID),
    (f"/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope", "containerd", ID),
    (f"/kubepods/besteffort/pod1/crio-{ID}", "cri-o", ID),
    (f"/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope", "cri-o", ID),
    ("/lxc.payload.shop", "lxc", "shop"),
    ("/machine.slice/systemd-nspawn@shop.service", "systemd-nspawn", "shop"),
]

BELOW = ["", "/system.slice/nginx.service", "/payload"]


@pytest.mark.parametrize("below", BELOW)
@pytest.mark.parametrize("path, engine, name", CONTAINERS, ids=lambda v: v[:24] if isinstance(v, str) else v)
@pytest.mark.parametrize("hierarchy", ["v2", "systemd"])
def test_a_container_is_known_by_its_control_group(scene, doorward, hierarchy, path, engine, name, below):
    made = scene("cgroup", path=path + below, hierarchy=hierarchy)
    holder, = doorward.list(f"port = {made.port}").one(inode=made.inode)["holders"]
    assert holder["container"], f"{path + below} is not recognised"
    assert (holder["container"]["engine"], holder["container"]["id"]) == (engine, name)


def test_a_container_known_to_one_controller_only_is_found(scene, doorward):
    made = scene("cgroup", path=f"/docker/{ID}", hierarchy="pids")
    holder, = doorward.list(f"port = {made.port}").one(inode=made.inode)["holders"]
    assert holder["container"] and holder["container"]["id"] == ID


@pytest.mark.parametrize("path", ["/docker", "/dockerless/abc", "/user.slice/user-0.slice", "/docker/not-an-id",
                                  "/system.slice/docker.service"])
@pytest.mark.parametrize("hierarchy", ["v2", "systemd"])
def test_what_only_resembles_a_container_is_none(scene, doorward, hierarchy, path):
    made = scene("cgroup", path=path, hierarchy=hierarchy)
    holder, = doorward.list(f"port = {made.port}").one(inode=made.inode)["holders"]
    assert holder["container"] is None


@pytest.mark.parametrize("path, unit", [("/system.slice/nginx.service", "nginx.service"),
                                        ("/system.slice/system-ssh.slice/ssh@1.service", "ssh@1.service"),
                                        ("/system.slice/postgres.service/worker", "postgres.service"),
                                        ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
                                        (f"{USER}/app.slice/syncthing.service", "syncthing.service"),
                                        (f"{USER}/app.slice/app-web.slice/web@2.service", "web@2.service"),
                                        (f"{USER}/session.slice/pipewire.service", "pipewire.service"),
                                        (f"{USER}/app.slice/run-u7.scope/child", "run-u7.scope"),
                                        (f"{USER}/init.scope", "init.scope")])
@pytest.mark.parametrize("hierarchy", ["v2", "systemd"])
def test_a_unit_is_known_by_its_control_group(scene, doorward, hierarchy, path, unit):
    made = scene("cgroup", path=path, hierarchy=hierarchy)
    holder, = doorward.list(f"port = {made.port}").one(inode=made.inode)["holders"]
    assert holder["unit"] == unit
