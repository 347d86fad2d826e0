# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rook, its Ceph and its store, installed past the role, and the role run alone on what is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible.utils.vars import merge_hash
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.tests.integration.api.rook import CRD, Release
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site
from mastodon_lab import versions

from ...conftest import ROOT, Lab, Run
from ..bucket import bucket
from ..programs import OPERATOR, SECONDS, SPACE, admin
from ..support import eventually

CLAIM = ("objectbucketclaim", "-n=mastodon", "mastodon-s3")
GATEWAY = (f"-n={SPACE}", "deployment/rook-ceph-rgw-media-a")
SETTINGS = [ROOT / "inventories/lab/group_vars/clusters" / name for name in ("ceph.yml", "built_ceph.yml")]


@dataclass(frozen=True)
class Store:
    """An object store of the lab's Ceph."""

    lab: Lab
    folder: Path

    def install(self, into: Path) -> None:
        """Install upstream's chart, then what the role would create of Ceph, each once the one before is ready."""
        release = Release.fetched(versions.ROOK, into)
        ours = {name: value for file in SETTINGS for name, value in yaml.safe_load(file.read_text()).items()}
        disk = {"rook_storage": {"devices": [{"name": self.lab.facts["ceph_disk"]}]}}
        place = {"rook_data_path": self.lab.facts["ceph_folder"], "mastodon_size": "minimal", "rook_backend": "rook"}
        spec = merge_hash(ours["small_ceph_spec"], ours["built_ceph_spec"])
        site = Site(**disk, **place, rook_cluster_spec=spec, rook_image=ours["rook_image"])
        values = {**ours["small_rook_values"], **ours["built_rook_values"]}
        chart = release.rendered({**site.value("rook_base_values"), **values}, SPACE)
        self._apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}])
        self._apply(item for item in chart if item["kind"] == CRD)
        self._apply((item for item in chart if item["kind"] != CRD), f"--namespace={SPACE}")
        objects = site.objects("rook")
        # As who reports the status knows what is ours.
        self._apply([objects["CephCluster rook-ceph"]], "--field-manager=fediverse.mastodon")
        self._await("cephcluster", "rook-ceph")
        self._apply([objects["CephObjectStore media"]])
        self._await("cephobjectstore", "media")
        self.lab.kubectl("rollout", "status", *GATEWAY, f"--timeout={SECONDS}s")

    def _apply(self, objects: Iterable[Mapping[str, Any]], *more: str) -> None:
        self.lab.kubectl("apply", "--server-side", "--filename=-", *more, given=yaml.safe_dump_all([*objects]))

    def _await(self, kind: str, name: str) -> None:
        def phase() -> str:
            return str(self.lab.get(kind, f"-n={SPACE}", name).get("status", {}).get("phase"))

        eventually(phase, lambda found: found == "Ready", SECONDS)

    def role(self, **settings: Any) -> Run:
        """Run the role alone, which is not to install Rook."""
        play = {"hosts": "clusters", "gather_facts": False, "roles": ["fediverse.mastodon.rook"]}
        book = self.folder / "rook.yml"
        book.write_text(json.dumps([play]))
        return self.lab.playbook(
            str(book), "-e", json.dumps({"rook_install": False, "rook_wait_timeout": 90, **settings})
        )

    def well(self, **settings: Any) -> Run:
        """Run it to a good end."""
        run = self.role(**settings)
        assert run.returncode == 0, run.output[-4000:]
        return run

    def bucket(self) -> Bucket:
        """Return Mastodon's bucket, with the keys that its claim has now."""
        return bucket(self.lab)

    def admin(self, program: str, *words: str) -> str:
        """Run `ceph` or `radosgw-admin` as Ceph's administrator."""
        return admin(self.lab, program, *words)

    def restart(self) -> None:
        """Start the operator anew."""
        self.lab.kubectl("rollout", "restart", *OPERATOR)
        self.lab.kubectl("rollout", "status", *OPERATOR, f"--timeout={SECONDS}s")
