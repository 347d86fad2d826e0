# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A setting that is needed and missing is named, also where no doctor looked before: emptiness never replaces what is live."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible.errors import AnsibleError

from .conftest import Site

CACHE = {"dragonfly_backend": "external"}
DATABASE = {"cnpg_backend": "external"}
RFC2136 = {"cert_manager_acme_solver": "rfc2136", "external_dns_provider": "rfc2136"}
VOLUMES = {"volsync_volumes": [{"name": "pages"}]}
NEEDED: list[tuple[str, str, dict[str, Any]]] = [
    ("cnpg_external_host", "mastodon/instance", DATABASE),
    ("cnpg_external_host", "cnpg/proof", DATABASE),
    ("dragonfly_external_host", "mastodon/instance", CACHE),
    ("dragonfly_external_host", "dragonfly/proof", CACHE),
    ("rook_external_endpoint", "mastodon/instance", {"rook_external_endpoint": ""}),
    ("rook_external_bucket", "mastodon/instance", {"rook_external_bucket": ""}),
    ("rook_external_bucket", "rook/bucket", {"rook_external_bucket": ""}),
    ("rook_storage", "rook/instance", {"rook_backend": "rook"}),
    ("gateway_class", "gateway/instance", {"gateway_class": ""}),
    ("cert_manager_acme_email", "cert_manager/instance", {"cert_manager_acme_email": ""}),
    ("cert_manager_rfc2136_nameserver", "cert_manager/instance", {**RFC2136, "external_dns_rfc2136_key_name": "key"}),
    ("cert_manager_rfc2136_key_name", "cert_manager/instance", {**RFC2136, "external_dns_rfc2136_nameserver": "ns"}),
    ("external_dns_rfc2136_nameserver", "external_dns/instance", {**RFC2136, "external_dns_rfc2136_key_name": "key"}),
    ("external_dns_rfc2136_key_name", "external_dns/instance", {**RFC2136, "external_dns_rfc2136_nameserver": "ns"}),
    ("external_dns_provider", "external_dns/instance", {"external_dns_provider": ""}),
    ("cnpg_backup_endpoint", "cnpg/instance", {"cnpg_backup": True, "cnpg_backup_bucket": "backups"}),
    ("cnpg_backup_bucket", "cnpg/instance", {"cnpg_backup": True, "cnpg_backup_endpoint": "https://s3.example.org"}),
    ("volsync_endpoint", "volsync/instance", {**VOLUMES, "volsync_bucket": "backups"}),
    ("volsync_bucket", "volsync/instance", {**VOLUMES, "volsync_endpoint": "https://s3.example.org"}),
]


@pytest.mark.parametrize(
    ("variable", "part", "settings"), NEEDED, ids=[f"{name} by {part}" for name, part, _unused in NEEDED]
)
def test_a_role_alone_names_what_is_missing(variable: str, part: str, settings: dict[str, Any]) -> None:
    role, _unused, file = part.partition("/")
    sentence = f"Variable {variable}: missing. Set it in your inventory."
    with pytest.raises(AnsibleError, match=re.escape(sentence)):
        Site(alone=role, **settings).tasks(role, f"{file}.yml")
