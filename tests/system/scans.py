# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scan said, as tests ask for it: by port, the groups opened."""

import pytest

from networks import Networks

HERE = {4: "10.9.0.1", 6: "fd09::1"}
OPEN = [22, 80, 443, 1000, 8080, 20000, 33000, 44444, 60000, 65535]
WALL = """
table inet {name} {{
    chain {hook} {{
        type filter hook {hook} priority filter
        {rules}
    }}
}}
"""


class Found:
    """One address's answers."""

    def __init__(self, result):
        self.result = result
        self.by_port = {p["port"]: (p["state"], p["reason"]) for p in result["ports"]}
        self.ports = {p["port"]: p for p in result["ports"]}
        for others in result["others"]:
            ports = list(numbers(others["ports"]))
            assert len(ports) == others["count"], others
            for port in ports:
                assert port not in self.by_port, f"{port} is told twice"
                self.by_port[port] = others["state"], others["reason"]

    def those(self, state):
        return sorted(p for p, (its, _) in self.by_port.items() if its == state)

    def reasons(self, state):
        return {why for its, why in self.by_port.values() if its == state}


def numbers(text):
    for part in text.split(",") if text else []:
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def found(doorward, *words, statuses=(0, 1)):
    """The only result of a scan; nothing is sent to open doors but where a test asks for it."""
    words += () if "--identify" in words else ("--no-identify",)
    said = doorward.json("scan", *words, statuses=statuses)
    result, = said["results"]
    return Found(result)


@pytest.fixture(name="net")
def make_net():
    made = Networks()
    made.here, made.outside  # pylint: disable=pointless-statement
    yield made
    made.close()


def listen_at(room, addresses, ports, v6only=None):
    """TCP listeners; what they get they keep."""
    room(f"[listen(a, p, 128, v6only={v6only} if ':' in a else None) for a in {addresses!r} for p in {ports!r}] and None")


def rules(lines, hook="input", name="wall"):
    return WALL.format(rules="\n        ".join([lines] if isinstance(lines, str) else lines), hook=hook, name=name)


def wall(net, lines, **where):
    net.nft(rules(lines, **where))


def wall_in(room, lines, **where):
    room(f"subprocess.run(['nft', '-f', '-'], input={rules(lines, **where)!r}, text=True, check=True) and None")
