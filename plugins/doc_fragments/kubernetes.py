# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module finds its cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - File that says where the cluster is and who the user is.
      - Without it, E(K8S_AUTH_KUBECONFIG), E(KUBECONFIG), C(~/.kube/config) and, inside a cluster, the pod's service
        account are tried in this order.
    type: path
  context:
    description:
      - Context of the kubeconfig to use instead of its current one. Without it, E(K8S_AUTH_CONTEXT) is used.
    type: str
"""
