# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep kind's node: make the cluster once, start its container when it doesn't run, and end when that does."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime

from mastodon_lab.cluster import disk
from mastodon_lab.cluster.kind import config, root
from mastodon_lab.errors import LabError
from mastodon_lab.files import write_private
from mastodon_lab.lab import CEPH, Lab


@dataclass(frozen=True)
class Docker:
    """The lab's Docker, and kind with it."""

    lab: Lab

    def run(self, *command: str) -> None:
        """Raises LabError when it fails; the log has its words."""
        if subprocess.run(self.command(*command), check=False).returncode:
            raise LabError(f"`{' '.join(command[:3])}` failed")

    def says(self, *command: str) -> str:
        """What it prints, without white space around it. Raises LabError when it fails."""
        done = subprocess.run(self.command(*command), stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise LabError(f"`{' '.join(command[:3])}` failed")
        return done.stdout.strip()

    def command(self, *command: str) -> tuple[str, ...]:
        return root.inside("env", f"DOCKER_HOST=unix://{config.socket(self.lab)}", *command)


def node(docker: Docker, kind: str, cluster: str) -> str:
    """Make or start the node, and return its container's name.

    One that was whole once is never made anew, whatever ails it: its volumes are somebody's.
    """
    lab, name = docker.lab, config.node_name(docker.lab)
    whole = config.whole_file(lab)
    if whole.exists():
        docker.run("docker", "start", name)
        return name
    docker.run(kind, "delete", "cluster", f"--name={config.cluster_name(lab)}")
    if config.NETWORK not in docker.says("docker", "network", "ls", "--format={{.Name}}").split():
        docker.run("docker", "network", "create", *_network(lab), config.NETWORK)
    docker.run(kind, "create", "cluster", f"--config={cluster}", "--kubeconfig=/run/kubeconfig")
    whole.touch()
    return name


def give_disk(docker: Docker, name: str) -> None:
    """Let the node have the disk of the lab's Ceph, which may be there for a shorter time than the node."""
    docker.run("docker", "exec", name, *disk.made_in_node(docker.lab))


def _network(lab: Lab) -> tuple[str, ...]:
    return (
        f"--subnet={lab.container_network}",
        f"--gateway={lab.bridge_ip}",
        f"--opt=com.docker.network.bridge.name={config.BRIDGE}",
    )


def main(words: list[str]) -> None:
    *lab_words, kind, cluster, has = words
    lab = Lab.from_words(lab_words)
    docker = Docker(lab)
    config.started_file(lab).unlink(missing_ok=True)
    try:
        name = node(docker, kind, cluster)
        if has == CEPH:
            give_disk(docker, name)
        started = datetime.fromisoformat(docker.says("docker", "inspect", "--format={{.State.StartedAt}}", name))
    except LabError as error:
        sys.exit(str(error))
    write_private(config.started_file(lab), str(started.timestamp()))
    command = docker.command("docker", "wait", name)
    os.execvp(command[0], command)  # noqa: S606 there is no shell to be wanted


if __name__ == "__main__":
    main(sys.argv[1:])
