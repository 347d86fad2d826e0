#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: launch_check
short_description: Refuse what a Mastodon that runs cannot survive
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Refuses another local or web domain than the one it runs as, a version that goes back or skips a minor release, and another database,
    cache, bucket, Gateway or folder in Vault than it was launched with, unless it was moved and O(moved_from) says so.
  - Refuses operators in another namespace than they are installed in, another Ceph on the same disks, another owner of the database, and a
    ClusterSecretStore that reads another mount than the secrets are in.
  - Refuses a second Mastodon on a domain, and names outside of its namespace that another Mastodon uses.
  - Refuses secrets that would be created again although a copy of them, or what they encrypted, is left anywhere; encryption keys other than
    those it was launched with; and to overwrite a Secret that somebody else made.
  - Refuses to make encryption keys for a database on a server of your own that cannot be asked whether a Mastodon is in it.
  - Refuses a PostgreSQL or Redis that is too old for the version.
  - Refuses a release that may not follow the one whose database was restored, or is on a server of your own where no Mastodon runs yet.
  - Refuses to begin with an empty database, or with new encryption keys, where the bucket of backups holds one of an earlier database.
  - What was launched is read from where it is at work, the release's own ConfigMap, Deployment and HelmRelease, its ExternalSecrets, its
    Secrets and its database, in all namespaces that may be read. Of keys only fingerprints are kept, as an annotation of the HelmRelease.
  - Writes nothing.
  - Before an upgrade to another minor series, asks the database whether it is ready for migrations, opens every encrypted row with the keys
    that Vault has, and asks its instances for their free space by C(pods/exec).
requirements:
  - pg8000 >= 1.31.6
  - redis >= 5.2.0
  - requests-aws4auth >= 1.3.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.subject.release
  - fediverse.mastodon.beginning.nested
  - fediverse.mastodon.attributes
options:
  local_domain:
    description: Domain that is wanted in account names.
    type: str
    required: true
  web_domain:
    description: Host of the web interface that is wanted. Empty for the local domain.
    type: str
    default: ""
  environment_from:
    description: ConfigMap of the same namespace that Mastodon's pods read variables from, too. It is refused if it has what a setting decides.
    type: str
    default: ""
  version:
    description: Image tag that is wanted. Without it nothing is asked of what an upgrade needs, as before Mastodon is uninstalled.
    type: str
  leaving:
    description: Whether it may be one that has begun to leave the federation, which cannot be installed again.
    type: bool
    default: false
  accepted:
    description:
      - What is known and accepted of an upgrade, such as V(4.7:no_way_back). To the next minor release it is refused without what that asks for,
        without a fresh backup of a database that is backed up, which was rehearsed within a day, and while Flux would not go through with it.
    type: list
    elements: str
    default: []
  places:
    description: Where it is to keep its data, and how it is to be reached. What is empty is not compared.
    type: dict
    default: {}
    suboptions:
      database_hosts:
        description: The host of the database, or of a pooler in front of it, and the one of its migrations.
        type: list
        elements: str
        default: []
      database_services:
        description: Hosts that lead to one database that CloudNativePG makes, directly or through a pooler.
        type: list
        elements: str
        default: []
      database_name:
        description: Name of the database.
        type: str
        default: ""
      database_user:
        description: Owner of the database, when CloudNativePG makes it.
        type: str
        default: ""
      database_secret:
        description: C(namespace/name) of the ExternalSecret of its password.
        type: str
        default: ""
      cache_host:
        description: Host of the cache.
        type: str
        default: ""
      media_endpoint:
        description: Address of the object store.
        type: str
        default: ""
      media_bucket:
        description: Bucket for media.
        type: str
        default: ""
      gateway_namespace:
        description: Namespace of the Gateway.
        type: str
        default: ""
      gateway_name:
        description: Name of the Gateway.
        type: str
        default: ""
      gateway_class:
        description: Class of the Gateway, when it is made here.
        type: str
        default: ""
      ceph_namespace:
        description: Namespace of the CephCluster.
        type: str
        default: ""
      ceph_name:
        description: Name of the CephCluster, when it is made here.
        type: str
        default: ""
      ceph_path:
        description: Where it keeps its state on the nodes.
        type: str
        default: ""
      store:
        description: Name of the ClusterSecretStore.
        type: str
        default: ""
      store_mount:
        description: Mount that it is to read, which has to be O(mount).
        type: str
        default: ""
      vault_role:
        description: Role by which the ClusterSecretStore logs in.
        type: str
        default: ""
  operators:
    description: What is installed once a cluster, and may not be installed in a second namespace.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: Kind of the object that installs it.
        type: str
        default: HelmRelease
      name:
        description: Name of that object.
        type: str
        required: true
      namespace:
        description: Namespace of that object.
        type: str
        required: true
      setting:
        description: Variable that holds the namespace.
        type: str
        required: true
  moved_from:
    description: Places that its data was moved away from, as the refusal names them.
    type: list
    elements: str
    default: []
  fingerprint_key:
    description: Path below the mount that holds the key of the fingerprints, as M(fediverse.mastodon.vault_secret) makes it.
    type: str
    required: true
  secrets:
    description: One entry for each ExternalSecret.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path below the mount.
        type: str
        required: true
      namespace:
        description: Namespace of the Secret. That of the release when not set.
        type: str
      secret:
        description: Secret of the cluster that is made of it.
        type: str
        required: true
      keys:
        description: Keys of the path that it is made of.
        type: list
        elements: str
        required: true
      names:
        description: What the Secret calls a key, where that differs.
        type: dict
        default: {}
      made:
        description: Those that M(fediverse.mastodon.vault_secret) makes once. They are not created again as long as a copy is left.
        type: list
        elements: str
        default: []
      kept:
        description: Whether a Mastodon that runs has had them since it was launched.
        type: bool
        default: false
      permanent:
        description: Keys that may never change, as data is encrypted with them.
        type: list
        elements: str
        default: []
  postgresql:
    description: What holds the database.
    type: dict
    suboptions: &store
      cluster:
        description: C(namespace/name) of the CloudNativePG Cluster that holds the database. Empty for a server of your own.
        type: str
        default: ""
      version:
        description: Its version, where it is known. Empty to ask the server.
        type: str
        default: ""
      image:
        description: By what image the Cluster is to run. Empty not to look.
        type: str
        default: ""
      host:
        description: Where it is. Empty for a server that is not there yet.
        type: str
        default: ""
      direct_host:
        description:
          - Where the database is that Mastodon uses, past a pooler. Asked only before an upgrade to another minor release, for migrations that have
            not run, for accounts that would be merged and for whoever holds locks. Empty not to look.
        type: str
        default: ""
      port:
        description: Its port.
        type: int
      username:
        description: User to log in as, of PostgreSQL.
        type: str
        default: mastodon
      database:
        description: Database to log in to, of PostgreSQL.
        type: str
        default: mastodon
      path:
        description: Path of Vault with its C(password).
        type: str
        default: ""
      sslmode:
        description:
          - How to speak with PostgreSQL. V(require) encrypts, V(verify-full) also wants a certificate of a public authority, V(prefer)
            encrypts where the server can, V(disable) never does.
        type: str
        choices: [prefer, require, verify-full, disable]
        default: require
      password:
        description: Its password, instead of the one in Vault, such as before it is written there. Without any the server is not asked.
        type: str
        default: ""
  database_is_new:
    description: Whether nothing is in a database on a server of your own. Believed only as long as the server cannot be asked.
    type: bool
    default: false
  redis:
    description: What holds the cache and the jobs.
    type: dict
    suboptions: *store
"""

EXAMPLES = r"""
- name: Refuse what a running Mastodon cannot survive
  fediverse.mastodon.launch_check:
    namespace: mastodon
    name: mastodon
    local_domain: example.org
    version: v4.7.4
    fingerprint_key: mastodon/example.org/fingerprint
    places:
      database_hosts: [mastodon-db-rw.mastodon.svc]
      database_name: mastodon
    secrets:
      - path: mastodon/example.org/app
        secret: mastodon-app
        keys: [secret-key-base, are-primary-key]
        made: [secret-key-base, are-primary-key]
        kept: true
        permanent: [are-primary-key]
"""

RETURN = r"""
mastodon:
  description: Namespace and name of the Mastodon that was looked at.
  returned: success
  type: str
  sample: mastodon/mastodon
launched:
  description: Whether a Mastodon of this name runs, or ran, here, seen from its release.
  returned: success
  type: bool
installed:
  description: Whether it got up at least once, so that others may know it.
  returned: success
  type: bool
version:
  description: The version that runs. Empty when none does.
  returned: success
  type: str
  sample: v4.7.4
leaving:
  description: What makes it leave the federation, E(SELF_DESTRUCT). Empty for one that stays.
  returned: success
  type: str
  sample: ""
annotations:
  description: Annotations for the HelmRelease, by which later runs recognise the keys. Empty before they are made.
  returned: success
  type: dict
  sample: {fediverse.mastodon/fingerprints: are-primary-key=3f2a9c0d1e4b key=0f1e2d3c4b5a}
database_changes:
  description: Whether the database is there and is to run by another image.
  returned: success
  type: bool
database_runs:
  description: Whether an instance of a database that is to run by another image is up.
  returned: success
  type: bool
ipv6:
  description: Whether pods of this cluster are asked over IPv6, alone or by turns, at which Mastodon listens only when it is configured to.
  returned: success
  type: bool
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.launch_check import TASK

if __name__ == "__main__":
    main(TASK)
