# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting as somebody else, with whose rights only.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import AccessError, header_value
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.entry import Entry

KEYS = ("as", "as-uid", "as-groups", "as-user-extra")
# What a header's name may hold besides letters and digits; anything else is escaped, as client-go does.
_OF_TOKENS = "!#$&'*+-.^_`|~"


def headers_of(user: Entry) -> list[tuple[str, str]]:
    """Return the headers that a kubeconfig user asks for, one a group. Raises AccessError for what cannot be asked."""
    name = user.text("as")
    if not name:
        if asked := [key for key in KEYS if user.content.get(key)]:
            raise AccessError(f"it has {asked[0]} but no as, and nobody can be impersonated without a name")
        return []
    return [("impersonate-user", header_value(name, "as")), *_rest(user)]


def _rest(user: Entry) -> Iterator[tuple[str, str]]:
    if uid := user.text("as-uid"):
        yield "impersonate-uid", header_value(uid, "as-uid")
    for group in user.texts("as-groups"):
        yield "impersonate-group", header_value(group, "as-groups")
    extra = user.content.get("as-user-extra") or {}
    if not isinstance(extra, dict):
        raise AccessError("as-user-extra is not a mapping")
    for key in extra:
        for value in Entry(extra).texts(key):
            yield f"impersonate-extra-{quote(key, safe=_OF_TOKENS)}", header_value(value, "as-user-extra")
