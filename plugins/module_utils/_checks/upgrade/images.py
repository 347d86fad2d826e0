# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod that only pulls the images of a release, as Mastodon's pods will: by the same account, to the same nodes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at

Item = Mapping[str, Any]

# On the pod; its value is the release's name.
LABEL = "fediverse.mastodon/images-of"
SECONDS = 900
_SAME = ("serviceAccountName", "imagePullSecrets", "nodeSelector", "tolerations", "affinity", "securityContext")
_RESOURCES = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}
# https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/kubelet/images/types.go
_NEVER = ("InvalidImageName", "ErrImageNeverPull")
_FAILS = ("ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed")


def of_release(web: Item, streaming: Item, tag: str) -> list[str]:
    """Return the images of both parts by a tag, from where those that run now came."""
    return [
        f"{_repository(at(one, 'spec.template.spec.containers', [{}])[0].get('image', ''))}:{tag}"
        for one in (web, streaming)
    ]


def _repository(image: str) -> str:
    """Return an image without tag and digest; a port of its registry is neither."""
    name = image.partition("@")[0]
    head, _unused, last = name.rpartition("/")
    return "/".join(filter(None, (head, last.partition(":")[0])))


def pod(namespace: str, name: str, web: Item, images: list[str]) -> dict[str, Any]:
    """Return the pod. What runs in it ends at once."""
    template = at(web, "spec.template.spec", {})
    first = (maps_at(template, "containers") or [{}])[0]
    secure = {"securityContext": first["securityContext"]} if first.get("securityContext") else {}
    containers = [
        {"name": part, "image": image, "command": ["true"], "resources": _RESOURCES, **secure}
        for part, image in zip(("web", "streaming"), images, strict=True)
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{name}-images", "namespace": namespace, "labels": {LABEL: name}},
        "spec": {
            **{key: template[key] for key in _SAME if template.get(key)},
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": SECONDS,
            "containers": containers,
        },
    }


def left(pod_: Item) -> list[str]:
    """Return the images that are not there yet. Raises MastodonError for one that will not be."""
    states = {one.get("name"): one for one in maps_at(pod_, "status.containerStatuses")}
    missing = []
    for container in maps_at(pod_, "spec.containers"):
        image, waiting = str(container["image"]), at(states.get(container["name"], {}), "state.waiting", None)
        if container["name"] not in states:
            missing.append(image)
        elif waiting is not None:
            reason = str(at(waiting, "reason", ""))
            if reason in _NEVER:
                raise absent(image, waiting)
            # Whatever else it waits for comes after the image.
            if reason in ("", "ContainerCreating", "PodInitializing", *_FAILS):
                missing.append(image)
    return missing


def failing(pod_: Item) -> MastodonError | None:
    """Return what the kubelet says of an image that it tried in vain, and will try again."""
    states = {one.get("name"): at(one, "state.waiting", {}) for one in maps_at(pod_, "status.containerStatuses")}
    for container in maps_at(pod_, "spec.containers"):
        waiting = states.get(container["name"]) or {}
        if waiting.get("reason") in _FAILS:
            return absent(str(container["image"]), waiting)
    return None


def absent(image: str, waiting: Item) -> MastodonError:
    """Return that an image cannot be pulled, and how the kubelet puts it."""
    why = " ".join(f"{waiting.get('reason', '')}: {waiting.get('message', '')}".split()).rstrip(": ")
    remedy = "Check mastodon_image_tag, and that nodes may pull it."
    return MastodonError(f"Image {image}", "cannot be pulled", why, remedy)
