# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the look from outside: 200 instances of which 20 never answer, and one beside curl. See README.md in this folder."""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / ".collections"), str(ROOT / "lab/stand_ins/mastodon/app")]
ALL, HOLES, ROUNDS = 200, 20, 3
PUBLIC = "192.0.2.0/24"
WELL, DEAD, SILENT = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def names(number: int) -> list[str]:
    """Return hosts, of which the last are the black holes."""
    return [f"i{each}.example.org" for each in range(number)]


def serve() -> None:
    """Serve all instances on the loopback until standard input ends, and say where."""
    from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.mastodon import Mastodon
    from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.world import World
    from mastodon_stand_in.settings import Site

    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        sites = {name: Mastodon(Site(name, name, streaming_base_url=f"wss://{name}")) for name in names(ALL)}
        world.answer = lambda request: sites[request.host](request)
        world.names.update({name: [WELL] for name in names(ALL)})
        world.certificates[WELL].show(*world.authority.issue("*.example.org"))
        holes = {DEAD: dead(), SILENT: silent()}
        world.names.update({name: [list(holes)[number % 2]] for number, name in enumerate(names(ALL)[-HOLES:])})
        ports = [[list(place), port] for place, port in world.ports.items()]
        ports += [[[address, 443], link.getsockname()[1]] for address, link in holes.items()]
        print(json.dumps({"ports": ports, "dns": world.zones.port, "ca": world.authority.certificate}), flush=True)
        asked = 0
        while sys.stdin.readline():
            # What was asked since the last time.
            print(json.dumps([[one.method, one.host, one.path] for one in world.asked[asked:]]), flush=True)
            asked = len(world.asked)


def dead() -> socket.socket:
    """Return a socket that takes no connection: its queue is full, and whoever comes gets no answer."""
    link = socket.create_server(("127.0.0.1", 0), backlog=0)
    for _each in range(3):
        waiting = socket.socket()
        waiting.setblocking(False)
        with suppress(BlockingIOError):
            waiting.connect(link.getsockname())
        _kept.append(waiting)
    return link


def silent() -> socket.socket:
    """Return a socket that takes connections and says nothing."""
    link = socket.create_server(("127.0.0.1", 0), backlog=512)
    threading.Thread(target=lambda: [_kept.append(link.accept()[0]) for _each in range(5000)], daemon=True).start()
    return link


_kept: list[socket.socket] = []


def look() -> None:
    """Look as the module does, at what standard input says, from a place with the ports of the loopback."""
    from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
    from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
    from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import instance, looks

    given = json.load(sys.stdin)
    ports = {tuple(place): port for place, port in given["ports"]}

    def way(address: str, port: int, seconds: float) -> Any:
        return partial(socket.create_connection, ("127.0.0.1", ports.get((address, port), 1)), seconds)

    looks.HERE = Vantage("the bench", way)
    looks.Resolver = partial(looks.Resolver, servers_port=given["dns"])
    known = {name: option.get("default") for name, option in looks.OPTIONS.items()}
    each = {name: option.get("default") for name, option in instance.INSTANCE.items()}
    place = {"nameserver": "127.0.0.53", "nameserver_port": given["dns"], "ca_certificates": [given["ca"]]}
    many = [{**each, "domain": domain, "account": "alice"} for domain in given["domains"]]
    wanted = {**known, **place, "taken_as_public": [PUBLIC], "instances": many}
    report = looks.examined(wanted, tuple, Run(check=False, diff=False, say=len, environment={}))
    used = resource.getrusage(resource.RUSAGE_SELF)
    passed = sum(one["passed"] for one in report["instances"])
    print(json.dumps({"passed": passed, "kib": used.ru_maxrss, "cpu": round(used.ru_utime + used.ru_stime, 1)}))


class Bench:
    """Servers in a process of their own, and what is measured beside them."""

    def __init__(self) -> None:
        self._server = self._start("serve")
        self.place = json.loads(self._read())

    def _start(self, what: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(Path(__file__)), what]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _read(self) -> str:
        assert self._server.stdout
        return self._server.stdout.readline()

    def asked(self) -> list[list[str]]:
        """Return what was asked since the last time."""
        assert self._server.stdin
        self._server.stdin.write("\n")
        self._server.stdin.flush()
        return json.loads(self._read())

    def look(self, domains: Sequence[str]) -> tuple[float, dict[str, Any]]:
        """Return the seconds of one look by a process of its own, its start included, and what came of it."""
        started = time.monotonic()
        said, _unused = self._start("look").communicate(json.dumps({**self.place, "domains": list(domains)}))
        return time.monotonic() - started, json.loads(said)

    def curl(self, asked: Sequence[Sequence[str]]) -> float:
        """Return the seconds of as many runs of curl."""
        (port,) = [port for place, port in self.place["ports"] if place == [WELL, 443]]
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(self.place["ca"])
            file.flush()
            started = time.monotonic()
            for method, host, path in asked:
                command = ["curl", "-s", "-o", "/dev/null", "-X", method, "--cacert", file.name]
                where = ["--connect-to", f"{host}:443:127.0.0.1:{port}", f"https://{host}{path}"]
                subprocess.run([*command, *where], check=True)
            return time.monotonic() - started

    def stop(self) -> None:
        """End the servers."""
        self._server.kill()
        self._server.wait()


def measure(bench: Bench) -> None:
    """Print a line for each row of the table."""
    alone, curl, few, some = [], [], [], names(ALL)[: HOLES // 2] + names(ALL)[-1:]
    for _each in range(ROUNDS):
        bench.asked()
        alone.append(bench.look(names(1))[0])
        asked = bench.asked()
        curl.append(bench.curl(asked))
        few.append(sum(bench.look([name])[0] for name in some) / bench.look(some)[0])
    print(f"one that is well: {statistics.median(alone):.2f} s, with {len(asked)} requests")
    print(
        f"curl with as many requests: {statistics.median(curl):.2f} s; ratio {statistics.median(alone) / statistics.median(curl):.2f}"
    )
    print(f"{len(some)} one after another, of which one never answers / at once: {statistics.median(few):.1f}")
    for _each in range(ROUNDS):
        seconds, came = bench.look(names(ALL))
        print(
            f"{ALL}, of which {HOLES} never answer: {seconds:.1f} s, {came['cpu']:.1f} s of processor, {came['kib'] / 1024:.0f} MiB, {came['passed']} passed",
            flush=True,
        )
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main() -> None:
    """Be the servers, the look, or who measures."""
    parts = {"serve": serve, "look": look}
    if len(sys.argv) > 1:
        parts[sys.argv[1]]()
        return
    bench = Bench()
    try:
        measure(bench)
    finally:
        bench.stop()


if __name__ == "__main__":
    main()
