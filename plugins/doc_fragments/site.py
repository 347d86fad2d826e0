# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a Mastodon is to answer."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  site:
    description: Where Mastodon is to answer other servers.
    type: dict
    suboptions:
      domain:
        description: Domain of accounts, C(LOCAL_DOMAIN).
        type: str
        required: true
      domain_elsewhere:
        description: Whether another web site serves that domain, and sends other servers on to O(site.web_domain).
        type: bool
        default: false
      gateway_name:
        description: Name of the Gateway.
        type: str
        required: true
      gateway_namespace:
        description: Its namespace.
        type: str
        required: true
      media_hostname:
        description: Host of media, where it leads through the Gateway to an S3 server. When empty, it is not asked.
        type: str
        default: ""
      name:
        description: Name of Mastodon's HelmRelease.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
      publicly_trusted:
        description:
          - Whether the certificates must be of an authority that this machine trusts. If not, those that the Gateway's listeners name are enough,
            which the result says.
        type: bool
        default: true
      version:
        description: Image tag of the release that must answer, such as V(v4.7.4). When empty, any may.
        type: str
        default: ""
      web_domain:
        description: Host of pages, C(WEB_DOMAIN). When empty, that of O(site.domain).
        type: str
        default: ""
"""
