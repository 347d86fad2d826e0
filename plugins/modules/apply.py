#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: apply
author: fediverse.mastodon contributors (@fediverse)
version_added: 0.1.0
short_description: Bring a set of Kubernetes objects to its declared state
description:
  - Applies a whole set of objects with server-side apply, in the order in which they need each other, and waits until
    all of them are ready. An object that is as declared already is not written.
  - Namespaces and CustomResourceDefinitions come first, kinds that the cluster does not serve yet come when the rest
    of the set has brought them, webhook configurations come last. An object with the annotation
    C(config.kubernetes.io/depends-on) waits until the named objects of the set are ready.
  - A declared field that a person changed with kubectl, on an object that an earlier run applied, is put back. A
    declared field that any other program owns is a conflict, which is reported and left alone.
  - Of an object that C(kubectl apply) made without server-side apply, the declared fields are taken over once they have the
    declared values, so that they go when they are no longer declared. What such an object has beside them stays, and is
    named.
  - A status is applied where its kind has none of its own to write to, as kubectl does.
  - With connection V(local) it runs inside Ansible, without the cost of a module. With any other connection it runs as
    a module on the target, which then needs the requirements. Files are always read on the controller.
extends_documentation_fragment:
  - fediverse.mastodon.attributes
  - fediverse.mastodon.kinds
  - fediverse.mastodon.objects.depends_on
  - fediverse.mastodon.kubernetes
options:
  name:
    description:
      - Name of the set. What it applied is listed in the ConfigMap C(fediverse.mastodon.NAME).
    type: str
    required: true
  namespace:
    description:
      - Namespace of that ConfigMap. It exists already, or is itself part of the set.
    type: str
    required: true
  objects:
    description:
      - Objects as they would be in YAML.
      - Ansible reads what stands in a playbook, and it knows YAML 1.1 only, to which C(12:30) is the number 750 and C(1e3) a
        text. Templates and manifests are read as kubectl reads them.
    type: list
    elements: dict
    default: []
  templates:
    description:
      - Templates of YAML documents. A relative name is looked up in the folder C(templates) of the role or playbook.
      - Empty documents are passed over.
    type: list
    elements: str
    default: []
  manifests:
    description:
      - Files of YAML documents that are not templates.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description:
          - Address, V(http) or V(https). Proxies are taken from the environment of the task.
        type: str
      path:
        description:
          - File on the controller. A relative name is looked up in the folder C(files) of the role or playbook.
        type: path
      checksum:
        description:
          - SHA-256 that the file must have, as hexadecimal digits with or without C(sha256:) before them.
          - Without it, a server that says that the file has moved is not followed.
        type: str
      without_labels:
        description:
          - Labels that the file's objects are applied without, such as those that add a ClusterRole to everybody's.
        type: list
        elements: str
        default: []
  wait:
    description:
      - Wait until all objects are ready. What will not become ready by itself ends the task as soon as that is certain,
        with the cause, which is looked for among the pods behind the objects as well.
      - Objects that others depend on are waited for in any case.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long the whole task may take, in seconds. An API server that goes away in the meantime is waited for as long.
    type: int
    default: 600
  prune:
    description:
      - Delete what an earlier run of this set applied and the set no longer holds, once all that it holds is ready. A set
        that holds nothing any more goes with its inventory.
      - Of an object that others apply to as well, with kubectl or otherwise, only what this set declared goes. One that
        C(kubectl apply) made without server-side apply and of which this set declared all is left as it is and named.
      - When false, what would go is only named.
      - With O(wait=false) that is as soon as all is applied, as no later run would wait either; what replaces the old may not
        be ready then.
    type: bool
    default: true
  prune_allow:
    description:
      - Objects, written as C(Kind namespace/name), of kinds that are otherwise never pruned but named as kept, because they
        hold data or lead to it. These are Namespace, Secret, PersistentVolume, PersistentVolumeClaim, StorageClass,
        CustomResourceDefinition, volume snapshots, all kinds of Rook, object buckets and External Secrets, Gateway, Cluster,
        Database, Backup and ObjectStore of CloudNativePG, Dragonfly, ReplicationDestination of VolSync, FluxInstance, HelmRelease,
        Kustomization, the sources of Flux and ClusterIssuer.
    type: list
    elements: str
    default: []
  field_manager:
    description:
      - Under which name fields are owned. What a manager no longer declares is removed, and what another one declares is
        left alone, so sets that share an object, such as the listeners of one Gateway, need one each.
      - It never changes, as fields of another name are not ours.
    type: str
    default: fediverse.mastodon
  owner:
    description:
      - Whose set this is, such as the local domain of a Mastodon, noted in the inventory. Needed in namespaces that several share, where
        they may call a set the same.
      - A set of another owner is refused before anything is written; when this one holds nothing, it is left alone and named.
      - A set of which no owner is noted is taken for that of who declares an object that it lists. Else it is refused or left alone just
        so, with the command that notes the owner.
    type: str
    default: ""
  force_conflicts:
    description:
      - Objects, written as C(Kind namespace/name), whose declared fields are taken from whoever owns them. Others than those of the set are passed
        over, so that one list serves many tasks.
      - Without it, the variable C(force_conflicts) is used. A conflict's message says what to give.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Create a database
  fediverse.mastodon.apply:
    name: mastodon-db
    namespace: mastodon
    templates:
      - cluster.yaml.j2

- name: Install an operator from its release
  fediverse.mastodon.apply:
    name: flux
    namespace: flux-system
    manifests:
      - url: https://github.com/controlplaneio-fluxcd/flux-operator/releases/latest/download/install.yaml
    objects:
      - apiVersion: fluxcd.controlplane.io/v1
        kind: FluxInstance
        metadata:
          name: flux
          namespace: flux-system
        spec:
          distribution:
            version: 2.x
            registry: ghcr.io/fluxcd
    wait_timeout: 900
"""

RETURN = r"""
objects:
  description: What was done with each object; in check mode, what would be done. After a failure, only those that are not ready.
  returned: once the cluster answered
  type: list
  elements: dict
  contains:
    subject:
      description: The object, as C(Kind namespace/name).
      type: str
      sample: Cluster mastodon/mastodon-db
    action:
      description: One of V(created), V(configured), V(unchanged), V(deleted) and V(skipped).
      type: str
      sample: configured
    status:
      description: One of V(Current), V(InProgress) and V(Failed).
      type: str
      sample: Current
    changes:
      description: What differs, in words.
      type: list
      elements: str
      sample: [spec.instances 1 → 2]
requests:
  description: How many requests were sent to the API server.
  returned: once the cluster answered
  type: int
  sample: 9
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.apply import TASK

if __name__ == "__main__":
    main(TASK)
