#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_check
short_description: Ask a Mastodon what other servers ask, through its Gateway
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Sends real requests over HTTPS to the address of the Gateway, by the names of the hosts, as the world does. The web server must be well and answer
    for the domain, streaming must be well, the domain's own host must lead to the web domain where they differ, and the host of media to an S3 server.
  - Where the address cannot be reached from here, the requests take the way through the API server to the Service that leads to the Gateway. Where
    that is not possible either, the check is C(skipped) with the reason. So it is where another web site serves the domain and is out of reach.
  - Fails with what is wrong, and with what is missing, scaled to nothing or not ready behind the release.
  - Writes nothing. In check mode a Mastodon that is there is asked once, what is wrong is said without failing, as a run may put it right,
    and one that is not there is skipped.
requirements:
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.site
  - fediverse.mastodon.attributes
options:
  report:
    description: Lines to say after what was found, such as where things are.
    type: list
    elements: str
    default: []
  wait_timeout:
    description: How many seconds it may take until all answers are right. In check mode nothing is waited for.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Verify that Mastodon answers
  fediverse.mastodon.site_check:
    site:
      namespace: mastodon
      name: mastodon
      domain: example.org
      web_domain: social.example.org
      gateway_namespace: gateway-system
      gateway_name: shared-gateway-external
"""

RETURN = r"""
verdict:
  description: C(passed), C(skipped) when nothing, or not all, could be asked, or in check mode C(failed).
  returned: success
  type: str
result:
  description: What was found, and why something was not asked.
  returned: success
  type: str
  sample: "Mastodon https://social.example.org: answers for example.org at 203.0.113.7, version 4.7.4"
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.site_check import TASK

if __name__ == "__main__":
    main(TASK)
