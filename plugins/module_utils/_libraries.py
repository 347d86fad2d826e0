# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python packages that do not come with Ansible."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# Where the package is called otherwise than what is imported.
PACKAGES = {
    "dns": "dnspython",
    "requests_aws4auth": "requests-aws4auth",
    "websocket": "websocket-client",
    "yaml": "PyYAML",
}
# What a run of site.yml comes to need, sooner or later.
EVERYTHING = (
    "cryptography",
    "dns",
    "hvac",
    "pg8000",
    "redis",
    "requests",
    "requests_aws4auth",
    "urllib3",
    "websocket",
    "yaml",
)


def needs(*packages: str) -> None:
    """Raise MastodonError naming those of `packages` that the running Python cannot import."""
    missing = " ".join(PACKAGES.get(package, package) for package in packages if find_spec(package) is None)
    if missing:
        remedy = f"Install them: {sys.executable} -m pip install {missing}."
        raise MastodonError(f"Python {sys.executable}", f"{missing} missing", "", remedy)
