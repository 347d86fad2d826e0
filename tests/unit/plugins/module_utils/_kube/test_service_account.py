# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import AccessError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.credentials import access_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.service_account import service_account

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def account(folder: Path, content: str = "t") -> Path:
    (folder / "token").write_text(f"{content}\n")
    (folder / "ca.crt").write_text("CA\n")
    return folder


@pytest.mark.parametrize(
    ("environment", "server"),
    [(POD, "https://10.0.0.1:443"), ({"KUBERNETES_SERVICE_HOST": "fd::1"}, "https://[fd::1]:443")],
)
def test_the_api_server_of_the_pods_cluster(tmp_path: Path, environment: dict[str, str], server: str) -> None:
    access = access_of(*service_account(environment, account(tmp_path)), environment)
    assert (access.server, access.authority) == (server, "CA")


def test_a_token_that_was_replaced_is_used(tmp_path: Path) -> None:
    access = access_of(*service_account(POD, account(tmp_path, "first")), POD)
    assert access.headers() == {"authorization": "Bearer first"}
    account(tmp_path, "second")
    assert access.headers() == {"authorization": "Bearer second"}


def test_a_pod_without_an_account_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match=r"ca\.crt: No such file"):
        access_of(*service_account(POD, tmp_path), POD)
