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
      - Where the cluster is and who the user is. A file, several as a list or joined by colons, which count together as those of
        E(KUBECONFIG) do, or the content of one as a mapping or text.
      - Without it, E(K8S_AUTH_KUBECONFIG), E(KUBECONFIG), C(~/.kube/config) and, inside a cluster, the pod's service
        account are tried in this order.
      - All that kubectl takes from a kubeconfig is honoured, impersonation included, or refused by name. Refused are proxies other than
        http and https, plugins that ask at a terminal, and an expired token of OpenID Connect, which kubectl would renew.
    type: raw
  context:
    description:
      - Context of the kubeconfig to use instead of its current one. Without it, E(K8S_AUTH_CONTEXT) is used.
    type: str
  kubernetes_host:
    description:
      - Address of the API server, in place of the kubeconfig's. Together with a token, a user name or a client certificate no kubeconfig is
        needed. Without it, E(K8S_AUTH_HOST) is used, which a task that names a kubeconfig of another server refuses.
    type: str
  kubernetes_api_key:
    description:
      - Token of the user. Like the two other ways to name a user it replaces all credentials of the kubeconfig.
        Without it, E(K8S_AUTH_API_KEY) is used.
    type: str
  kubernetes_username:
    description: Name of a user with a password. Without it, E(K8S_AUTH_USERNAME) is used.
    type: str
  kubernetes_password:
    description: Password of the user. Without it, E(K8S_AUTH_PASSWORD) is used.
    type: str
  kubernetes_client_cert:
    description: File with the user's certificate. Without it, E(K8S_AUTH_CERT_FILE) is used.
    type: path
  kubernetes_client_key:
    description: File with the key of that certificate. Without it, E(K8S_AUTH_KEY_FILE) is used.
    type: path
  kubernetes_ca_cert:
    description:
      - File with the authority that signed the API server's certificate, in place of the kubeconfig's. Without it, E(K8S_AUTH_SSL_CA_CERT)
        is used.
    type: path
  kubernetes_validate_certs:
    description: Whether the API server's certificate is verified. Without it, E(K8S_AUTH_VERIFY_SSL) is used.
    type: bool
    aliases: [kubernetes_verify_ssl]
  kubernetes_tls_server_name:
    description: Name to expect in the API server's certificate. Without it, E(K8S_AUTH_TLS_SERVER_NAME) is used.
    type: str
  kubernetes_proxy:
    description:
      - Proxy on the way to the API server. Without it, E(K8S_AUTH_PROXY), that of the kubeconfig, and E(HTTPS_PROXY) of the task's
        environment are used, in this order.
    type: str
  kubernetes_no_proxy:
    description:
      - Servers that are reached without O(kubernetes_proxy) or E(HTTPS_PROXY), as E(NO_PROXY) lists them. Without it, E(K8S_AUTH_NO_PROXY)
        is used.
    type: str
  kubernetes_proxy_headers:
    description: What a proxy is sent.
    type: dict
    suboptions:
      user_agent:
        description: Name of this client. Without O(kubernetes_proxy_headers), E(K8S_AUTH_PROXY_HEADERS_USER_AGENT) is used.
        type: str
      basic_auth:
        description:
          - User name and password for the server, joined by a colon. Without O(kubernetes_proxy_headers),
            E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH) is used.
        type: str
      proxy_basic_auth:
        description:
          - User name and password for the proxy, joined by a colon. Without O(kubernetes_proxy_headers),
            E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH) and those in the proxy's address are used.
        type: str
  kubernetes_impersonate_user:
    description:
      - Whom to act as, with that user's rights only, in place of whom the kubeconfig names. Without it, E(K8S_AUTH_IMPERSONATE_USER) is used.
    type: str
  kubernetes_impersonate_groups:
    description: Groups to act as a member of. Without it, E(K8S_AUTH_IMPERSONATE_GROUPS) is used, in which commas divide them.
    type: list
    elements: str
notes:
  - What a task leaves out is taken from variables of the inventory that are called like the options, and C(kubeconfig_context) for O(context).
    So every role and every task reaches the same cluster, whatever imports it. They go before the environment.
  - Every other variable that begins with E(K8S_AUTH_) is refused, as what it asks for would not happen. Only E(K8S_AUTH_NAMESPACE),
    E(K8S_AUTH_POD) and E(K8S_AUTH_CONTAINER), which are about pods, are passed over.
requirements:
  - PyYAML >= 6.0.2
  - urllib3 >= 2.3.0
"""
