# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod that pulls the images of a release as Mastodon's own pods will, and what its kubelet says of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.upgrade import images
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

WEB = "registry.test:5000/own/mastodon:v4.6.9@sha256:0123"
STREAMING = "ghcr.io/mastodon/mastodon-streaming:v4.6.9"
SAME: dict[str, Any] = {
    "serviceAccountName": "mastodon",
    "imagePullSecrets": [{"name": "registry"}],
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"operator": "Exists"}],
    "securityContext": {"runAsUser": 991},
}
CONTEXT = {"allowPrivilegeEscalation": False}


def deployment(image: str) -> dict[str, Any]:
    container = {"name": "mastodon", "image": image, "securityContext": CONTEXT, "env": [{"name": "LOCAL_DOMAIN"}]}
    return {"spec": {"template": {"spec": {**SAME, "containers": [container], "volumes": [{"name": "assets"}]}}}}


WANTED = images.of_release(deployment(WEB), deployment(STREAMING), "v4.7.4")
POD = images.pod("social", "mastodon", deployment(WEB), WANTED)


def test_images_come_from_where_those_that_run_came_from() -> None:
    assert WANTED == ["registry.test:5000/own/mastodon:v4.7.4", "ghcr.io/mastodon/mastodon-streaming:v4.7.4"]


def test_it_is_pulled_by_the_same_account_to_the_same_nodes_and_nothing_of_mastodon_runs() -> None:
    spec = POD["spec"]
    assert {key: spec[key] for key in SAME} == SAME
    assert spec["restartPolicy"] == "Never"
    assert spec["automountServiceAccountToken"] is False
    assert [(one["image"], one["command"], one["securityContext"]) for one in spec["containers"]] == [
        (image, ["true"], CONTEXT) for image in WANTED
    ]
    assert not {"env", "envFrom", "volumeMounts"} & set(spec["containers"][0])
    assert "volumes" not in spec


def seen(*states: dict[str, Any]) -> dict[str, Any]:
    names = ("web", "streaming")
    return {
        **POD,
        "status": {
            "containerStatuses": [{"name": name, "state": one} for name, one in zip(names, states, strict=False)]
        },
    }


RAN: dict[str, Any] = {"terminated": {"exitCode": 0}}
# The image is there, and has no such program.
ODD = {"terminated": {"exitCode": 128}}
FAILS = {"waiting": {"reason": "ErrImagePull", "message": "not found:\n v4.7.4"}}


@pytest.mark.parametrize(
    ("states", "left"),
    [
        ([], WANTED),
        ([RAN], WANTED[1:]),
        ([RAN, {"waiting": {"reason": "ContainerCreating"}}], WANTED[1:]),
        ([RAN, FAILS], WANTED[1:]),
        ([RAN, {"running": {}}], []),
        ([ODD, RAN], []),
        ([{"waiting": {"reason": "CreateContainerError"}}, RAN], []),
    ],
)
def test_an_image_is_there_once_its_container_was_begun(states: list[dict[str, Any]], left: list[str]) -> None:
    assert images.left(seen(*states)) == left


def test_what_is_tried_again_is_told_from_what_never_will_be() -> None:
    assert images.failing(seen(RAN, RAN)) is None
    assert str(images.failing(seen(RAN, FAILS))) == (
        f"Image {WANTED[1]}: cannot be pulled: ErrImagePull: not found: v4.7.4. Check mastodon_image_tag, and that nodes may pull it."
    )
    with pytest.raises(MastodonError, match="InvalidImageName: no such name"):
        images.left(seen({"waiting": {"reason": "InvalidImageName", "message": "no such name"}}))
