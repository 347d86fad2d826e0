# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that every API server has in the same version."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource

CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
EVENT = Resource("", "v1", "Event", "events", namespaced=True)
JOB = Resource("batch", "v1", "Job", "jobs", namespaced=True)
NODE = Resource("", "v1", "Node", "nodes", namespaced=False)
PERSISTENT_VOLUME = Resource("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
PERSISTENT_VOLUME_CLAIM = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True)
POD = Resource("", "v1", "Pod", "pods", namespaced=True)
RESOURCE_QUOTA = Resource("", "v1", "ResourceQuota", "resourcequotas", namespaced=True)
SECRET = Resource("", "v1", "Secret", "secrets", namespaced=True)
SERVICE = Resource("", "v1", "Service", "services", namespaced=True)
