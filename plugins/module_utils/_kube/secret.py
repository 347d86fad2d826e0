# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of the cluster, read for what uses them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import SECRET
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.retries import Limit
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, pairs

_CLAIM = Resource("objectbucket.io", "v1alpha1", "ObjectBucketClaim", "objectbucketclaims", namespaced=True)
# Rook's namespace stands before the rest of the name:
# https://github.com/kube-object-storage/lib-bucket-provisioner/blob/main/pkg/provisioner/controller.go
_PROVISIONER = "bucket-provisioner"


@dataclass(frozen=True)
class Secret:
    """What a Secret holds. Printed, it is only its name."""

    name: str
    data: Mapping[str, str] = field(repr=False)

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Secret {self.name}"

    def __getitem__(self, key: str) -> str:
        """Return one value. Raises MastodonError when it is not there, empty or not usable."""
        if not self.data.get(key):
            raise MastodonError(str(self), f"has no {key}", "", "Add it where this Secret comes from.")
        if flaw := pasted.flaw(self.data[key]):
            raise MastodonError(
                str(self), f"its {key} cannot be used", flaw, "Correct it where this Secret comes from."
            )
        return self.data[key]


def read_secret(connection: Connection, namespace: str, name: str, limit: Limit | None = None) -> Secret | None:
    """Return the Secret, or None when there is none. `limit` is how long its task may take, if it waits."""
    for item in open_objects(connection, limit).read(Selection(SECRET, namespace, name)).objects:
        try:
            return Secret(f"{namespace}/{name}", {key: _text(value) for key, value in pairs(item, "data").items()})
        except (WrongShapeError, ValueError) as error:
            raise MastodonError(f"Secret {namespace}/{name}", "cannot be read", "its data is not base64") from error
    return None


def _text(value: str) -> str:
    # A Secret may hold anything; what is not text stays recognisable.
    return base64.b64decode(value).decode(errors="backslashreplace")


def must_have_secret(connection: Connection, namespace: str, name: str) -> Secret:
    """Return the Secret. Raises MastodonError when there is none."""
    found = read_secret(connection, namespace, name)
    if found is None:
        apply = "Apply the ExternalSecret or claim that creates it, as fediverse.mastodon.site does without --tags."
        remedy = written_again(connection, namespace, name) or apply
        raise MastodonError(f"Secret {namespace}/{name}", "does not exist", "", remedy)
    return found


def written_again(connection: Connection, namespace: str, name: str) -> str:
    """Say how the Secret of a claim is written again, which was served once and is looked at again only when what serves it starts."""
    try:
        claims = open_objects(connection).read(Selection(_CLAIM, namespace, name)).objects
    except ApiError:
        # No cluster without Rook has this kind.
        claims = ()
    for claim in claims:
        if (claim.get("status") or {}).get("phase") == "Bound":
            provisioner = (claim["metadata"].get("labels") or {}).get(_PROVISIONER, "")
            operator = provisioner.partition(".ceph.rook.io")[0] or "rook-ceph"
            command = f"kubectl -n {operator} rollout restart deployment rook-ceph-operator"
            return f"ObjectBucketClaim {namespace}/{name} is bound, and Rook writes its Secret again when it starts: {command}"
    return ""
