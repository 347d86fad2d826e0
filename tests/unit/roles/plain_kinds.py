# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that the roles apply without a readiness rule or without a row in the status, each with the reason.

A test compares them with what the roles render: a kind that has neither a rule nor a reason fails it.
"""

from __future__ import annotations

from collections.abc import Mapping

_DATA = "nothing but data, which no controller answers"
_OBEYED = "whoever obeys it does so at once, and reports nothing"

# What is there as soon as it exists, and of which nothing more could be reported.
WITHOUT_RULE: Mapping[tuple[str, str], str] = {
    ("", "ConfigMap"): _DATA,
    ("", "Secret"): _DATA,
    ("", "ServiceAccount"): _DATA,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): _OBEYED,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): _OBEYED,
    # Metrics come minutes after pods, and until then the Deployment runs as many as it has.
    ("autoscaling", "HorizontalPodAutoscaler"): "it says why it does not scale yet, for which nobody has to wait",
    ("barmancloud.cnpg.io", "ObjectStore"): "the row of the Cluster says when it was last written to",
    ("batch", "CronJob"): "its first run may be a day away",
    ("gateway.networking.k8s.io", "ReferenceGrant"): "the HTTPRoute that needs it says whether it has it",
    ("monitoring.coreos.com", "PodMonitor"): _OBEYED,
    ("monitoring.coreos.com", "Probe"): _OBEYED,
    ("monitoring.coreos.com", "PrometheusRule"): _OBEYED,
    ("networking.k8s.io", "NetworkPolicy"): _OBEYED,
    ("policy", "PodDisruptionBudget"): "it follows the pods, which are looked at themselves",
    ("postgresql.cnpg.io", "ScheduledBackup"): "the row of the Cluster says when the last backup was made",
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _OBEYED,
    ("storage.k8s.io", "StorageClass"): "claims and volumes of it say whether it works",
}
WITHOUT_ROW: Mapping[tuple[str, str], str] = {
    **{kind: reason for kind, reason in WITHOUT_RULE.items() if kind != ("batch", "CronJob")},
    ("", "Namespace"): "what is in it is listed",
    ("", "Service"): "the HTTPRoute that leads to it says whether it is there",
    ("batch", "Job"): "a restore asks for it once, and its record says when that was",
    ("source.toolkit.fluxcd.io", "HelmRepository"): "the HelmReleases that are installed from it say what it lacks",
}
