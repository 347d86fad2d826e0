# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.parts.kubectl import Kubectl


def kubectl(folder: Path, lines: str) -> Kubectl:
    """A kubectl that notes its words and what it is sent, then runs `lines`."""
    script = folder / "kubectl"
    script.write_text(f'#!/bin/sh\necho "$*" >> {folder}/asked\ncat >> {folder}/sent\n{lines}\n')
    script.chmod(0o755)
    return Kubectl(script, folder / "kubeconfig")


@pytest.mark.parametrize(
    "printed",
    ['{"kind": "List", "items": [{"kind": "Namespace"}]}', '{"kind": "Namespace"}'],
    ids=["several", "one"],
)
def test_manifests_are_applied_server_side(tmp_path: Path, printed: str) -> None:
    applied = kubectl(tmp_path, f"echo '{printed}'").apply("kind: Namespace\n")
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith(f"--kubeconfig={tmp_path}/kubeconfig apply --server-side --field-manager=mastodon-lab ")
    assert (tmp_path / "sent").read_text() == "kind: Namespace\n"
    assert applied == [{"kind": "Namespace"}]


def test_a_refusal_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"^kubectl apply: Error from server: no\. Check `lab/status`, then"):
        kubectl(tmp_path, "echo warning >&2; echo 'Error from server: no' >&2; exit 1").apply("")


def test_json_is_read(tmp_path: Path) -> None:
    assert kubectl(tmp_path, """echo '{"items": []}'""").get("pods") == {"items": []}


def pod(*containers: dict[str, Any], conditions: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:
    states = [{"state": state} for state in containers]
    return {"status": {"containerStatuses": states, "conditions": list(conditions)}}


WAITS = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
STARTS = {"waiting": {"reason": "ContainerCreating"}}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([pod(WAITS)], "ImagePullBackOff: no such image"),
        ([pod({"waiting": {"reason": "CrashLoopBackOff"}})], "CrashLoopBackOff: no message"),
        ([pod({"running": {}}, WAITS)], "ImagePullBackOff: no such image"),
        ([pod(conditions=(UNSCHEDULED,))], "0/1 nodes are available"),
        ([pod(STARTS, conditions=(UNSCHEDULED,))], "0/1 nodes are available"),
        ([pod(STARTS)], ""),
        ([], ""),
        ([{"status": {"initContainerStatuses": [{"state": WAITS}]}}], "ImagePullBackOff: no such image"),
    ],
)
def test_trouble_is_in_the_pods_words(tmp_path: Path, pods: list[dict[str, Any]], said: str) -> None:
    (tmp_path / "pods").write_text(json.dumps({"items": pods}))
    assert kubectl(tmp_path, f"cat {tmp_path}/pods").trouble("cache", "redis") == said
