# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of the tests' own, started once for all tests that need a cluster and taken down with all it made."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from hvac import Client

from .e2e.lab.traces import traces
from .proven import Recorder

ROOT = Path(__file__).parents[1]


def free_index(claim: socket.socket) -> int:
    """Claim the first index that no lab has, nor the one after it: what runs here may be somebody's.

    The claim is a name in the kernel's abstract socket namespace (unix(7)), which ends with this process.
    """
    taken = {link.name for link in Path("/sys/class/net").iterdir()}
    for index in range(31, 54, 2):
        if not {f"mastodon-lab{index}", f"mastodon-lab{index + 1}"} & taken:
            with suppress(OSError):
                claim.bind(f"\0fediverse-mastodon-tests-{index}")
                return index
    raise RuntimeError("No index is left for a lab: end some with lab/down.")


# Beside a lab that somebody may have running here, and beside the tests of another checkout.
CLAIM = socket.socket(socket.AF_UNIX)
LAB_INDEX = os.environ.get("TEST_LAB_INDEX") or str(free_index(CLAIM))
LAB_NAME = f"{os.environ.get('TEST_LAB_NAME', 'test')}-{LAB_INDEX}"
OURS = "fediverse.mastodon"
# How a host of an inventory is this machine.
HERE = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
# Folders of tests that are as well served by the lab's S3 server, which takes less time and memory.
WITHOUT_CEPH = {"clusters", "data", "day_two", "published", "upgrading"}
# What random moments and choices follow from.
SEED = int(os.environ.get("TEST_SEED", "20261127"))


def pytest_configure(config: pytest.Config) -> None:
    """Put on record what passes, where that is asked for, and let labs end with a run that is ended."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.environ.get("TEST_RECORD"):
        config.pluginmanager.register(Recorder())


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook."""

    returncode: int
    output: str
    seconds: float

    @property
    def recap(self) -> dict[str, int]:
        """The numbers of the PLAY RECAP line of the lab."""
        return self.recap_of("lab")

    def recap_of(self, host: str) -> dict[str, int]:
        """The numbers of the PLAY RECAP line of a host."""
        line = re.findall(rf"^{host} +: (.*)$", self.output, re.MULTILINE)[-1]
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}

    def refusal_of(self, host: str) -> str:
        """The message that ended what a run of `site_of_many` did with a host."""
        failed = re.findall(rf"^fatal: \[{host}\]: FAILED! => (\{{.*\}})$", self.output, re.MULTILINE)
        assert len(failed) == 1, f"{host} failed {len(failed)} times:\n{self.output[-3000:]}"
        return str(json.loads(failed[0])["msg"])

    @property
    def changed(self) -> dict[str, int]:
        """How much changed, by host."""
        return {host: int(number) for host, number in re.findall(r"^(\w+) +: ok=\d+ +changed=(\d+)", self.output, re.M)}


@dataclass(frozen=True)
class Lab:
    """The tests' lab, with what a test needs to look into it."""

    state: Path

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.state / "lab.json").read_text())
        return facts

    def site(self, *arguments: str, **environment: str) -> Run:
        """Run site.yml as the README says."""
        return self._run("ansible-playbook", "-i", "inventories/lab", "site.yml", *arguments, **environment)

    def site_of_many(self, folder: Path, hosts: Mapping[str, Mapping[str, Any]], *arguments: str) -> Run:
        """Run site.yml once for many, each a host with settings of its own beside the lab's, as most of a run is its start."""
        inventory = folder / "clusters.json"
        inventory.write_text(json.dumps({"clusters": {"hosts": {name: {**HERE, **hosts[name]} for name in hosts}}}))
        others = ("-i", str(inventory), "--limit", "!lab")
        return self.site(*others, *arguments, ANSIBLE_CALLBACK_RESULT_FORMAT="json")

    def killed_site(self, seconds: float) -> None:
        """Run site.yml and kill it, with all that it started, after so many seconds."""
        self.killed("site.yml", seconds)

    def killed(self, playbook: str, seconds: float, *arguments: str) -> None:
        """Do that with any playbook, by its path, and with any arguments."""
        # Ansible's workers are sessions of their own, and would go on without it; a namespace ends with all that is in it.
        alone = ("unshare", "--pid", "--fork", "--kill-child=KILL")
        command = [*alone, str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/lab", playbook]
        command += arguments
        environment = {**os.environ, "LAB_STATE": str(self.state)}
        quiet = subprocess.DEVNULL
        run = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
        with suppress(subprocess.TimeoutExpired):
            run.wait(seconds)
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()

    def playbook(self, name: str, *arguments: str) -> Run:
        """Run another playbook of the collection."""
        return self._run("ansible-playbook", "-i", "inventories/lab", str(Path("playbooks") / name), *arguments)

    def _run(self, *command: str, **environment: str) -> Run:
        started = time.monotonic()
        done = subprocess.run(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            cwd=ROOT,
            env={**os.environ, "LAB_STATE": str(self.state), "ANSIBLE_NOCOLOR": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
            check=False,
        )
        return Run(done.returncode, done.stdout, time.monotonic() - started)

    def kubectl(self, *arguments: str, given: str = "") -> str:
        """Run kubectl as the cluster's administrator, with `given` on its standard input, and return what it prints."""
        command = [self.facts["kubectl"], f"--kubeconfig={self.facts['kubeconfig']}", *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=300).stdout

    def get(self, *arguments: str) -> Any:
        """Return one object or list as the API server has it; nothing with `--ignore-not-found` when it is not there."""
        return json.loads(self.kubectl("get", "-o=json", *arguments) or "{}")

    def trust(self) -> ssl.SSLContext:
        """Return trust in what the ACME server issues, and issued before it was started anew."""
        platform = ssl.create_default_context(cafile=self.facts["acme_ca_file"])
        with urlopen(self.facts["acme_root"], timeout=30, context=platform) as answer:
            return ssl.create_default_context(
                cadata=f"{answer.read().decode()}\n{Path(self.facts['acme_roots']).read_text()}"
            )

    def vault(self) -> Client:
        """Return a client with all rights in the lab's OpenBao."""
        return Client(self.facts["vault_address"], Path(self.facts["vault_token_file"]).read_text().strip())

    def stored(self, name: str) -> dict[str, str]:
        """Return what OpenBao has at a path of the lab's own Mastodon, such as `smtp`."""
        answer = self.vault().secrets.kv.v2.read_secret_version(
            f"mastodon/social.lab.test/{name}", mount_point="secret", raise_on_deleted_version=True
        )
        data: dict[str, str] = answer["data"]["data"]
        return data

    def given(self, name: str) -> dict[str, str]:
        """Return of it what another Mastodon may be given: the name of the key for updates of the zone is a setting."""
        return {key: value for key, value in self.stored(name).items() if key != "tsig-key-name"}

    def apply_manifest(self, name: str) -> None:
        """Apply a manifest of the lab's mirror, as somebody who is not us."""
        with urlopen(f"{self.facts['mirror']}/manifests/{name}", timeout=30) as answer:
            self.kubectl("apply", "--server-side", "--filename=-", given=answer.read().decode())

    def vault_versions(self) -> dict[str, str]:
        """Return what tells whether anything was written to the lab's OpenBao: versions of secrets, text of policies."""
        vault = self.vault()
        policies = vault.sys.list_policies()["data"]["policies"]
        rules = {f"policy {name}": vault.sys.read_policy(name)["data"]["rules"] for name in policies if name != "root"}
        return rules | {"mounts": str(sorted(vault.sys.list_mounted_secrets_engines()["data"]))} | _versions(vault, "")

    def audit_mark(self) -> int:
        """Return a position in the API server's audit log, at the end of its last whole line."""
        log = (self.state / "log/audit.log").read_bytes()
        return log.rfind(b"\n") + 1

    def our_writes(self, since: int) -> list[str]:
        """Return every write that the collection asked of the API server since that position, dry runs left out."""
        with (self.state / "log/audit.log").open("rb") as log:
            log.seek(since)
            events = [json.loads(line) for line in log.read().splitlines() if line.endswith(b"}")]
        return [
            f"{event['verb']} {event['requestURI']}"
            for event in events
            if event.get("userAgent", "").startswith(OURS)
            and event["verb"] in {"create", "update", "patch", "delete", "deletecollection"}
            and "dryRun=All" not in event["requestURI"]
            and "/selfsubject" not in event["requestURI"]
        ]


def _versions(vault: Client, folder: str) -> dict[str, str]:
    """Return the current version of each secret at and below a folder of the mount `secret`."""
    found: dict[str, str] = {}
    for name in vault.secrets.kv.v2.list_secrets(folder)["data"]["keys"]:
        path = f"{folder}{name}"
        if name.endswith("/"):
            found |= _versions(vault, path)
        else:
            found[path] = str(vault.secrets.kv.v2.read_secret_metadata(path)["data"]["current_version"])
    return found


@contextmanager
def fresh_lab(name: str, index: int, *options: str) -> Iterator[Lab]:
    """A lab with everything `lab/up` can put there, taken down afterwards with all it made."""
    down = [str(ROOT / "lab/down"), "--name", name, "--purge-state"]
    subprocess.run(down, check=True, timeout=300)
    made = Lab(Path(os.environ.get("LAB_ROOT", "/var/lib/fediverse-mastodon-lab")) / name)
    try:
        up = subprocess.run(
            [str(ROOT / "lab/up"), "--name", name, "--index", str(index), "--with", "all", *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=3000,
        )
        assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-3000:]
        yield made
    finally:
        subprocess.run(down, check=True, timeout=300)
    assert traces(name, index) == {}
    # With it the disk, the images and the volumes.
    assert not made.state.exists()


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The tests' lab."""
    without = () if {item.path.parent.name for item in request.session.items} - WITHOUT_CEPH else ("--without", "ceph")
    with fresh_lab(LAB_NAME, int(LAB_INDEX), *without) as made:
        yield made
