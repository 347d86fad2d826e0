# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How requests to an S3 server go: repeated, bounded, and where there is no route by sockets that somebody else opens."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import watch_pools
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

_RETRIES = 3


def session(endpoint: str, dial: Dial | None) -> requests.Session:
    """Return what sends requests to an endpoint; `dial` opens its sockets, if any does."""
    made = requests.Session()
    # What is forwarded does not go through a proxy.
    made.trust_env = dial is None
    made.mount(f"{endpoint}/", _adapter(dial))
    return made


def anyone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the request as it is: without this, requests takes a login from ~/.netrc."""
    return request


def _adapter(dial: Dial | None) -> HTTPAdapter:
    # Every request here may be repeated; a server that names an hour in Retry-After is not waited for.
    again = Retry(_RETRIES, backoff_factor=0.2, allowed_methods=None, respect_retry_after_header=False)
    adapter = HTTPAdapter(max_retries=again)
    if dial:
        pools = adapter.poolmanager.pool_classes_by_scheme
        adapter.poolmanager.pool_classes_by_scheme = {scheme: _dialling(pools[scheme], dial) for scheme in pools}
    watch_pools(adapter.poolmanager)
    return adapter


def _dialling(pool: type[Any], dial: Dial) -> type[Any]:
    """Return the class of connection pool whose sockets `dial` opens; TLS, if any, goes on top as always."""
    connection = type("Connection", (pool.ConnectionCls,), {"_new_conn": lambda _self: dial()})
    return type("Pool", (pool,), {"ConnectionCls": connection})
