# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure `apply` beside kubectl and kubernetes.core, on the same objects in the same run. See README.md in this folder."""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Object = dict[str, Any]
Row = tuple[str, float, str]


def mixed(namespace: str, tens: int) -> list[Object]:
    """Return ten objects of six kinds for each of `tens`."""
    return [item for number in range(tens) for item in _ten(namespace, number)]


def _ten(namespace: str, number: int) -> list[Object]:
    labels = {"app": f"web-{number}"}
    pod = {"containers": [{"name": "web", "image": "example.test/web:1", "ports": [{"containerPort": 80}]}]}
    deployment = {
        "replicas": 0,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]

    def one(version: str, kind: str, name: str = "web", **fields: Any) -> Object:
        return {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": f"{name}-{number}", "namespace": namespace, "labels": labels},
            **fields,
        }

    return [
        *(one("v1", "ConfigMap", f"settings-{part}", data={"key": "value" * 20}) for part in "abcd"),
        *(one("v1", "Secret", f"secret-{part}", data={"key": "dmFsdWU="}) for part in "ab"),
        one("v1", "ServiceAccount"),
        one("rbac.authorization.k8s.io/v1", "Role", rules=rules),
        one("v1", "Service", spec={"ports": [{"port": 80, "protocol": "TCP"}], "selector": labels}),
        one("apps/v1", "Deployment", spec=deployment),
    ]


@dataclass(frozen=True)
class Bench:
    """Where to measure, and with what."""

    kubeconfig: str
    kubectl: str
    collections: str
    folder: Path
    rounds: int

    def command(self, *command: str) -> float:
        """Return the seconds that a command takes. Raises CalledProcessError when it fails."""
        paths = ":".join(path for path in (str(ROOT / ".collections"), self.collections) if path)
        environment = {"KUBECONFIG": self.kubeconfig, "K8S_AUTH_KUBECONFIG": self.kubeconfig}
        environment |= {"ANSIBLE_COLLECTIONS_PATH": paths, "ANSIBLE_PYTHON_INTERPRETER": sys.executable}
        began = time.monotonic()
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
        (self.folder / "output").write_text(done.stdout)
        return time.monotonic() - began

    def kubectl_apply(self, objects: list[Object]) -> Callable[[], float]:
        """Return `kubectl apply --server-side` of these objects."""
        file = self.folder / f"objects-{len(objects)}.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        options = ("apply", "--server-side", "--field-manager=bench", "-f", str(file))
        return lambda: self.command(self.kubectl, *options)

    def play(self, name: str, *tasks: Object) -> Callable[[], float]:
        """Return a playbook of these tasks."""
        file = self.folder / f"{name}.yml"
        file.write_text(json.dumps([{"hosts": "all", "connection": "local", "gather_facts": False, "tasks": tasks}]))
        ansible = str(Path(sys.executable).with_name("ansible-playbook"))
        return lambda: self.command(ansible, "-i", "localhost,", str(file))

    def ours(self, name: str, namespace: str, objects: list[Object], **more: Any) -> Callable[[], float]:
        """Return our task."""
        options = {"name": "bench", "namespace": namespace, "objects": objects, **more}
        return self.play(name, {"fediverse.mastodon.apply": options})

    def theirs(self, name: str, objects: Any, **more: Any) -> Callable[[], float]:
        """Return the task of kubernetes.core."""
        applying = {"apply": True, "server_side_apply": {"field_manager": "bench"}}
        return self.play(name, {"kubernetes.core.k8s": {"definition": objects, **applying}, **more})

    def requests(self, namespace: str, objects: list[Object]) -> int:
        """Return how many requests our task says that it sent."""
        options = {"name": "bench", "namespace": namespace, "objects": objects}
        reported = {"ansible.builtin.debug": {"msg": "requests={{ done.requests }}"}}
        self.play("count", {"fediverse.mastodon.apply": options, "register": "done"}, reported)()
        return int(re.findall(r"requests=(\d+)", (self.folder / "output").read_text())[-1])

    def together(self, *what: Callable[[], float]) -> list[float]:
        """Return the median of each, measured in turns, so that what else the machine does is fair to all."""
        rounds = [[one() for one in what] for _unused in range(self.rounds)]
        return [statistics.median(times) for times in zip(*rounds, strict=True)]


def measure(bench: Bench, place: Callable[[str], str]) -> Iterator[Row]:
    """Yield what was compared, the ratio, and the goal."""
    start = bench.play("start", {"ansible.builtin.debug": {"msg": "no more than Ansible itself"}})
    yield first(bench, place, start)
    # Each owns what it applies, so each has objects of its own that are alike.
    kubectl = bench.kubectl_apply(mixed(place("kubectl"), 6))
    ours = bench.ours("few", place("few"), mixed(place("few"), 6))
    many = bench.ours("many", place("many"), mixed(place("many"), 60))
    for prepare in (kubectl, many, ours):
        prepare()
    nothing, by_kubectl, by_us, by_us_many = bench.together(start, kubectl, ours, many)
    task = by_us - nothing
    yield "no-op of 60, our task alone / kubectl", task / by_kubectl, "≤ 0.5"
    yield "no-op of 60, with Ansible's start / kubectl", by_us / by_kubectl, "≤ 3"
    yield "no-op of 600 / of 60", (by_us_many - nothing) / task, "≤ 12"
    yield "seconds of our task", task, ""
    yield "seconds of kubectl", by_kubectl, ""
    yield "requests of a no-op of 60", bench.requests(place("few"), mixed(place("few"), 6)), ""
    if bench.collections:
        yield from compared(bench, place, nothing, task)


def first(bench: Bench, place: Callable[[str], str], start: Callable[[], float]) -> Row:
    """Compare the first apply, each time in namespaces that are new."""
    ratios = []
    for number in range(bench.rounds):
        theirs = bench.kubectl_apply(mixed(place(f"first-kubectl-{number}"), 6))()
        here = place(f"first-{number}")
        # Neither waits for what its objects bring about.
        ours = bench.ours("first", here, mixed(here, 6), wait=False)()
        ratios.append((ours - start()) / theirs)
    return ("first apply of 60, our task alone / kubectl", statistics.median(ratios), "≤ 1.5")


def compared(bench: Bench, place: Callable[[str], str], nothing: float, task: float) -> Iterator[Row]:
    """Compare a no-op with kubernetes.core, as one list and in a loop."""
    objects = mixed(place("core"), 6)
    as_list = bench.theirs("list", objects)
    loop = bench.theirs("loop", "{{ item }}", loop=objects, loop_control={"label": "{{ item.metadata.name }}"})
    as_list()
    yield "kubernetes.core as one list / our task", (bench.together(as_list)[0] - nothing) / task, "≥ 10"
    yield "kubernetes.core in a loop / our task", (loop() - nothing) / task, "≥ 100"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--kubeconfig", default=os.environ.get("TEST_KUBECONFIG"), required="TEST_KUBECONFIG" not in os.environ
    )
    parser.add_argument("--kubectl", default="kubectl", help="program to compare with")
    parser.add_argument("--collections", default="", help="folder with ansible_collections/kubernetes/core")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    made: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.kubeconfig, options.kubectl, options.collections, Path(folder), options.rounds)

        def place(name: str) -> str:
            namespace = f"bench-{os.getpid()}-{name}"
            if namespace not in made:
                bench.command(options.kubectl, "create", "namespace", namespace)
                made.append(namespace)
            return namespace

        try:
            for what, ratio, goal in measure(bench, place):
                print(f"{what:48} {ratio:8.2f}  {goal}", flush=True)
        finally:
            if made:
                bench.command(options.kubectl, "delete", "namespace", "--wait=false", *made)


if __name__ == "__main__":
    main()
