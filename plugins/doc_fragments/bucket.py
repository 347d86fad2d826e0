# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bucket of an S3 server."""

from __future__ import annotations

from textwrap import indent

_OPTIONS = r"""
endpoint:
  description: Address of the S3 server, with its scheme.
  type: str
  required: true
bucket:
  description: Name of the bucket.
  type: str
  required: true
region:
  description: Region to sign requests for.
  type: str
  default: us-east-1
"""
_NESTED = r"""
options:
  s3:
    type: dict
    suboptions:
"""


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION: str = f"options:\n{indent(_OPTIONS, '  ')}"

    # All of it as one option.
    NESTED: str = f"{_NESTED}{indent(_OPTIONS, '      ')}"
