# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster and a user of a kubeconfig, changed by what options say: as kubectl's flags do, and never half."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.entry import Entry
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.given import Given
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.impersonation import KEYS


def of_cluster(cluster: Entry, options: Given) -> Entry:
    """Return the cluster that is meant."""
    if host := options.text("kubernetes_host"):
        # The name in another server's certificate is another one.
        cluster = cluster.having(server=host, tls_server_name=None)
    if name := options.text("kubernetes_tls_server_name"):
        cluster = cluster.having(tls_server_name=name)
    if authority := _path(options, "kubernetes_ca_cert"):
        cluster = cluster.having(
            certificate_authority=authority, certificate_authority_data=None, insecure_skip_tls_verify=None
        )
    verify = options.values.get("kubernetes_validate_certs")
    if verify is not None:
        cluster = cluster.having(insecure_skip_tls_verify=not verify)
    if verify is False and not authority:
        cluster = cluster.having(certificate_authority=None, certificate_authority_data=None)
    return cluster


def of_user(user: Entry, options: Given) -> Entry:
    """Return the user that is meant. Of two credentials the API server would choose one, so one given replaces all others."""
    if options.has_credentials:
        kept = {key: user.content[key] for key in KEYS if key in user.content}
        user = Entry(kept).having(
            token=options.text("kubernetes_api_key") or None,
            username=options.text("kubernetes_username") or None,
            password=options.text("kubernetes_password") or None,
            client_certificate=_path(options, "kubernetes_client_cert"),
            client_key=_path(options, "kubernetes_client_key"),
        )
    if name := options.text("kubernetes_impersonate_user"):
        user = user.having(**{"as": name, "as_uid": None, "as_groups": None, "as_user_extra": None})
    if groups := options.values.get("kubernetes_impersonate_groups"):
        user = user.having(as_groups=list(groups))
    return user


def _path(options: Given, name: str) -> str | None:
    path = options.text(name)
    return str(Path(path).expanduser().absolute()) if path else None
