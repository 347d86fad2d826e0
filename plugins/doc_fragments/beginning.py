# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a database is to begin."""

from __future__ import annotations

from textwrap import indent

_OPTIONS = r"""
namespace:
  description: Namespace of the Cluster.
  type: str
  required: true
cluster:
  description: Name of the Cluster.
  type: str
  required: true
domain:
  description: Domain of the Mastodon whose database it is.
  type: str
  required: true
endpoint:
  description: Address of the S3 server. One that only pods reach is asked through the API server.
  type: str
  required: true
bucket:
  description: Bucket for backups.
  type: str
  required: true
region:
  description: Region of the bucket, C(us-east-1) when empty.
  type: str
  default: ""
path:
  description: Path below the mount with C(access-key-id) and C(secret-access-key) of the bucket.
  type: str
  required: true
access_key:
  description: What is about to be written to that path as C(access-key-id), used while nothing is there.
  type: str
  default: ""
secret_key:
  description: What is about to be written to that path as C(secret-access-key), used while nothing is there.
  type: str
  default: ""
server_name:
  description: Folder to back up to. Empty for a free one.
  type: str
  default: ""
restore_from:
  description: Folder with the backup to restore.
  type: str
  default: ""
restore_at:
  description: Time to restore to, with its time zone, such as V(2026-11-29T03:00:00Z). As late as the archive goes when empty.
  type: str
  default: ""
begin_anew:
  description: The same as that domain, to begin empty beside a backup.
  type: str
  default: ""
"""
_NESTED = r"""
options:
  beginning:
    description:
      - How a database begins that CloudNativePG creates and the barman-cloud plugin backs up. Asked before it is created, and before keys
        are created; M(fediverse.mastodon.database_beginning) has the same options.
    type: dict
    suboptions:
"""


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION: str = f"options:\n{indent(_OPTIONS, '  ')}"

    # All of it as one option.
    NESTED: str = f"{_NESTED}{indent(_OPTIONS, '      ')}"
