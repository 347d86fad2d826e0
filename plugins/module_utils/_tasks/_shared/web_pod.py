# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in a pod of web, as the account and leaving need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec as pods
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection

# The chart's name for the container that has tootctl; whatever runs beside it has not.
_CONTAINER = "mastodon-web"

Command = Callable[[Sequence[str]], pods.Finished]


def in_web_pod(connection: Connection, namespace: str, name: str) -> Command:
    """Return what runs a command in a ready pod of this release's web. Raises MastodonError when there is none."""
    labels = {"app.kubernetes.io/instance": name, "app.kubernetes.io/component": "web"}
    pod = pods.ready_pod(connection, namespace, labels)
    return lambda command: pods.run(connection, namespace, pod, _CONTAINER, command)
