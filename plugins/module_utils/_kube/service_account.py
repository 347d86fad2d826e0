# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account that Kubernetes gives to a pod.

https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.entry import Entry

_FILES = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def service_account(environment: Mapping[str, str], files: Path = _FILES) -> tuple[Entry, Entry]:
    """Return the cluster that this runs in, and the user that it runs as."""
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    # The kubelet replaces the token before it expires, so it is read anew each time.
    return Entry({"server": server, "certificate-authority": "ca.crt"}, files), Entry({"tokenFile": "token"}, files)
