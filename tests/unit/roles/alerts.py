# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is collected when something fails, and what is collected when nothing does, as each exporter writes it.

Values are written as promtool takes them, one a minute from 1970 on: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WEB = 'namespace="mastodon", deployment="mastodon-web"'
SIDEKIQ = 'namespace="mastodon", pod="mastodon-sidekiq-all-7d9f-x2", container="mastodon"'
DATABASE = 'namespace="mastodon", pod="mastodon-db-1"'
CLAIM = 'namespace="mastodon", persistentvolumeclaim="mastodon-db-1"'
CACHE = 'namespace="mastodon", pod="mastodon-redis-0"'
PROBED = 'job="mastodon/mastodon", instance="https://example.org/health"'
CERTIFICATE = 'name="example-org-tls", exported_namespace="gateway-system", namespace="cert-manager"'
RELEASE = 'kind="HelmRelease", name="mastodon", exported_namespace="mastodon", namespace="flux-system"'
SECRET = 'condition="Ready", name="mastodon-smtp", namespace="mastodon"'
REHEARSAL = 'namespace="mastodon", configmap="mastodon-db-rehearsal"'
SEEN = 'namespace="mastodon", domain="example.org", vantage="inside"'
COPY = 'namespace="mastodon", cronjob="mastodon-media-copy"'
COPYING = 'namespace="mastodon", job_name="mastodon-media-copy-29402317"'
COPIED = "kube_cronjob_status_last_successful_time"
NOTHING = {"up": "1x100"}
BACKUP = "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp"
RESTARTS = "kube_pod_container_status_restarts_total"
KILLED = "kube_pod_container_status_last_terminated_reason"
MAILS = f'{SIDEKIQ}, queue="mailers", job_name="ActionMailer::MailDeliveryJob"'
SCHEDULED = f'{SIDEKIQ}, queue="scheduler", job_name="Scheduler::AccountsStatusesCleanupScheduler"'


# Compared by what it is, as it has dicts.
@dataclass(frozen=True, eq=False)
class Case:
    """What is collected until the minute `at`, and for those that fire what the alert then says."""

    alert: str
    series: Mapping[str, str]
    at: int = 90
    summary: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


FIRES = (
    Case(
        "MastodonDown",
        {
            f"kube_deployment_status_replicas_available{{{WEB}}}": "1x10 0x90",
            f"kube_deployment_spec_replicas{{{WEB}}}": "2x100",
        },
        summary="Nothing of mastodon-web runs.",
        labels={"namespace": "mastodon", "deployment": "mastodon-web"},
    ),
    Case(
        "MastodonUnreachable",
        {f"probe_success{{{PROBED}}}": "1x10 0x90"},
        summary="https://example.org/health is not answered as other servers ask it.",
        labels={"job": "mastodon/mastodon", "instance": "https://example.org/health"},
    ),
    Case(
        "MastodonFederation",
        {f"federation_check_passed{{{SEEN}}}": "1x10 0x90"},
        summary="As seen from inside, posts for example.org are lost or cut off.",
    ),
    Case(
        "MastodonFederationNotSeen",
        {f"federation_check_timestamp_seconds{{{SEEN}}}": "0x100"},
        summary="example.org was last looked at from inside 1h 30m 0s ago.",
    ),
    Case(
        "MastodonCertificate",
        {f"certmanager_certificate_expiration_timestamp_seconds{{{CERTIFICATE}}}": f"{10 * 86400}x200"},
        at=120,
        summary="The certificate example-org-tls ends in 9d 22h 0m 0s.",
        labels={"name": "example-org-tls"},
    ),
    Case(
        "MastodonCertificate",
        {f"probe_ssl_earliest_cert_expiry{{{PROBED}}}": f"{3 * 86400}x200"},
        at=120,
        summary="The certificate https://example.org/health ends in 2d 22h 0m 0s.",
        labels={"instance": "https://example.org/health"},
    ),
    Case(
        "MastodonQueueDelay",
        {f'ruby_sidekiq_queue_latency_seconds{{{SIDEKIQ}, queue="default"}}': "600x100"},
        summary="The oldest job of queue default has waited for 10m 0s.",
        labels={"queue": "default"},
    ),
    Case(
        "MastodonSchedulerStopped",
        {f"ruby_sidekiq_jobs_total{{{SCHEDULED}}}": "0+1x40 40x60"},
        summary="No job of queue scheduler has run for half an hour.",
    ),
    # No Sidekiq that takes that queue, and so no such metric.
    Case("MastodonSchedulerStopped", NOTHING, summary="No job of queue scheduler has run for half an hour."),
    Case(
        "MastodonMailFails",
        {f"ruby_sidekiq_failed_jobs_total{{{MAILS}}}": "0+1x100", f"ruby_sidekiq_jobs_total{{{MAILS}}}": "0+1x100"},
        summary="Of the last hour's attempts to send a mail, more than half failed.",
    ),
    Case(
        "MastodonMigration",
        {'kube_job_failed{namespace="mastodon", job_name="mastodon-db-migrate", condition="true"}': "1x100"},
        summary="Job mastodon-db-migrate failed: the database is not as this release wants it.",
        labels={"namespace": "mastodon", "job_name": "mastodon-db-migrate", "condition": "true"},
    ),
    Case(
        "MastodonMigration",
        {
            'kube_job_failed{namespace="mastodon", job_name="mastodon-pending-migrations-29402317", condition="true"}': "1x100"
        },
        summary="Job mastodon-pending-migrations-29402317 failed: the database is not as this release wants it.",
        labels={"namespace": "mastodon", "job_name": "mastodon-pending-migrations-29402317", "condition": "true"},
    ),
    # Of two states, as another reason makes another series.
    Case(
        "MastodonReleaseNotReady",
        {
            f'flux_resource_info{{{RELEASE}, ready="Unknown", reason="Progressing"}}': "1x80 _x20",
            f'flux_resource_info{{{RELEASE}, ready="False", reason="UpgradeFailed"}}': "_x81 1x20",
        },
        summary="HelmRelease mastodon is not ready.",
        labels={"name": "mastodon"},
    ),
    Case(
        "MastodonReleaseNotReady",
        {
            'gotk_resource_info{customresource_kind="HelmRelease", name="mastodon", exported_namespace="mastodon", ready="False"}': "1x100"
        },
        summary="HelmRelease mastodon is not ready.",
        labels={"name": "mastodon"},
    ),
    Case(
        "MastodonSecretNotSynced",
        {f'externalsecret_status_condition{{{SECRET}, status="False"}}': "1x100"},
        summary="ExternalSecret mastodon-smtp does not get what Vault has.",
        labels={"name": "mastodon-smtp"},
    ),
    Case(
        "MastodonOutOfMemory",
        {f"{RESTARTS}{{{SIDEKIQ}}}": "0x80 1x20", f'{KILLED}{{{SIDEKIQ}, reason="OOMKilled"}}': "_x81 1x20"},
        summary="mastodon-sidekiq-all-7d9f-x2 was killed, as container mastodon needs more memory than its limit.",
        labels={"namespace": "mastodon", "pod": "mastodon-sidekiq-all-7d9f-x2", "container": "mastodon"},
    ),
    Case(
        "MastodonCacheFull",
        {f"dragonfly_memory_used_bytes{{{CACHE}}}": "90x100", f"dragonfly_memory_max_bytes{{{CACHE}}}": "100x100"},
        summary="mastodon-redis-0, which holds Mastodon's jobs, is nearly full or throws some away.",
        labels={"pod": "mastodon-redis-0"},
    ),
    # Of a limit of 100 it takes 80.
    Case(
        "MastodonCacheFull",
        {
            f'container_memory_working_set_bytes{{{CACHE}, container="dragonfly"}}': "70x100",
            f'kube_pod_container_resource_limits{{{CACHE}, container="dragonfly", resource="memory"}}': "100x100",
        },
        summary="mastodon-redis-0, which holds Mastodon's jobs, is nearly full or throws some away.",
        labels={"pod": "mastodon-redis-0"},
    ),
    Case(
        "MastodonCacheFull",
        {f'dragonfly_evicted_keys_total{{{CACHE}, db="db0"}}': "0x70 0+5x30"},
        summary="mastodon-redis-0, which holds Mastodon's jobs, is nearly full or throws some away.",
        labels={"pod": "mastodon-redis-0"},
    ),
    Case(
        "MastodonDatabaseVolume",
        {
            f"kubelet_volume_stats_used_bytes{{{CLAIM}}}": "90x100",
            f"kubelet_volume_stats_capacity_bytes{{{CLAIM}}}": "100x100",
        },
        summary="mastodon-db-1 is 90 % full, or is going to be within four days.",
        labels={"namespace": "mastodon", "persistentvolumeclaim": "mastodon-db-1"},
    ),
    # 60 % full, and a tenth of what is left goes each hour.
    Case(
        "MastodonDatabaseVolume",
        {
            f"kubelet_volume_stats_used_bytes{{{CLAIM}}}": "60x100",
            f"kubelet_volume_stats_capacity_bytes{{{CLAIM}}}": "100x100",
            f"kubelet_volume_stats_available_bytes{{{CLAIM}}}": "60-0.05x100",
        },
        summary="mastodon-db-1 is 60 % full, or is going to be within four days.",
        labels={"namespace": "mastodon", "persistentvolumeclaim": "mastodon-db-1"},
    ),
    Case(
        "MastodonDatabaseNotArchived",
        {
            f"cnpg_pg_stat_archiver_last_failed_time{{{DATABASE}}}": "1800+60x100",
            f"cnpg_pg_stat_archiver_last_archived_time{{{DATABASE}}}": "1200x100",
        },
        summary="What the database writes does not reach its backup.",
    ),
    # A command that hangs neither fails nor archives.
    Case(
        "MastodonDatabaseNotArchived",
        {f'cnpg_collector_pg_wal_archive_status{{{DATABASE}, value="ready"}}': "0+1x100"},
        summary="What the database writes does not reach its backup.",
    ),
    # Before 1970, where these tests begin; the plugin writes 0 when there was none yet.
    Case(
        "MastodonDatabaseBackup",
        {f"{BACKUP}{{{DATABASE}}}": f"-{27 * 3600}x100"},
        summary="There is no backup of the database of the last 26 hours.",
    ),
    Case(
        "MastodonDatabaseNotRehearsed",
        {
            f"kube_configmap_created{{{REHEARSAL}}}": "0x50000",
            f"kube_configmap_metadata_resource_version{{{REHEARSAL}}}": "7x50000",
        },
        at=33 * 1440,
        summary="No restore of the database was rehearsed within 31 days.",
        labels={"namespace": "mastodon", "configmap": "mastodon-db-rehearsal"},
    ),
    # Never yet.
    Case(
        "MastodonDatabaseNotRehearsed",
        {"up": "1x50000"},
        at=32 * 1440,
        summary="No restore of the database was rehearsed within 31 days.",
        labels={"namespace": "mastodon", "configmap": "mastodon-db-rehearsal"},
    ),
    Case(
        "MastodonMediaCopy",
        {f"{COPIED}{{{COPY}}}": f"-{51 * 3600}x100"},
        summary="Media are not copied: the last run of mastodon-media-copy failed, or none was complete within 50 hours.",
        labels={"cronjob": "mastodon-media-copy"},
    ),
    # Never yet.
    Case(
        "MastodonMediaCopy",
        {f"kube_cronjob_created{{{COPY}}}": f"-{51 * 3600}x100"},
        summary="Media are not copied: the last run of mastodon-media-copy failed, or none was complete within 50 hours.",
        labels={"cronjob": "mastodon-media-copy"},
    ),
    Case(
        "MastodonMediaCopy",
        {
            f"{COPIED}{{{COPY}}}": "0x100",
            f"kube_job_status_start_time{{{COPYING}}}": "_x60 3600x40",
            f'kube_job_failed{{{COPYING}, condition="true"}}': "_x60 1x40",
        },
        summary="Media are not copied: the last run of mastodon-media-copy failed, or none was complete within 50 hours.",
        labels={"cronjob": "mastodon-media-copy"},
    ),
    Case(
        "MastodonMetricsMissing",
        {
            **NOTHING,
            f"kube_cronjob_created{{{COPY}}}": "0x100",
            f'ruby_sidekiq_queue_latency_seconds{{{SIDEKIQ}, queue="default"}}': "0x100",
            f"kube_deployment_status_replicas_available{{{WEB}}}": "1x100",
            f'flux_resource_info{{{RELEASE}, ready="True"}}': "1x100",
            f'externalsecret_status_condition{{{SECRET}, status="True"}}': "1x100",
            f"cnpg_pg_stat_archiver_last_archived_time{{{DATABASE}}}": "0x100",
            f"kubelet_volume_stats_capacity_bytes{{{CLAIM}}}": "1x100",
            f"container_memory_working_set_bytes{{{CACHE}}}": "1x100",
            f"certmanager_certificate_expiration_timestamp_seconds{{{CERTIFICATE}}}": "1x100",
            f"probe_success{{{PROBED}}}": "1x100",
            f"federation_check_timestamp_seconds{{{SEEN}}}": "0+60x100",
        },
        summary=f"{BACKUP} is collected from nobody, so the alerts on it are silent.",
        labels={"namespace": "mastodon", "metric": BACKUP},
    ),
)
SILENT = (
    Case(
        "MastodonDown",
        {
            f"kube_deployment_status_replicas_available{{{WEB}}}": "1x100",
            f"kube_deployment_spec_replicas{{{WEB}}}": "2x100",
        },
    ),
    # Taken down on purpose, and away for no longer than a roll-out takes.
    Case(
        "MastodonDown",
        {
            f"kube_deployment_status_replicas_available{{{WEB}}}": "0x100",
            f"kube_deployment_spec_replicas{{{WEB}}}": "0x100",
        },
    ),
    Case(
        "MastodonDown",
        {
            f"kube_deployment_status_replicas_available{{{WEB}}}": "1x86 0x20",
            f"kube_deployment_spec_replicas{{{WEB}}}": "2x100",
        },
    ),
    Case(
        "MastodonUnreachable",
        {f"probe_success{{{PROBED}}}": "1x100", 'probe_success{job="another", instance="x"}': "0x100"},
    ),
    # One look that failed, of which the next one says otherwise.
    Case("MastodonFederation", {f"federation_check_passed{{{SEEN}}}": "1x76 0x14 1x10"}),
    Case("MastodonFederation", {f"federation_check_passed{{{SEEN}}}": "1x76 0x20"}),
    # Another instance, and what another place sees.
    Case(
        "MastodonFederation",
        {
            f"federation_check_passed{{{SEEN}}}": "1x100",
            'federation_check_passed{namespace="mastodon", domain="example.net", vantage="inside"}': "0x100",
            'federation_check_passed{namespace="mastodon", domain="example.org", vantage="this machine"}': "0x100",
        },
    ),
    Case("MastodonFederationNotSeen", {f"federation_check_timestamp_seconds{{{SEEN}}}": "0+60x100"}),
    Case(
        "MastodonCertificate",
        {
            f"certmanager_certificate_expiration_timestamp_seconds{{{CERTIFICATE}}}": f"{30 * 86400}x200",
            'certmanager_certificate_expiration_timestamp_seconds{name="another", namespace="gateway-system"}': "1x200",
            f"probe_ssl_earliest_cert_expiry{{{PROBED}}}": f"{30 * 86400}x200",
        },
        at=120,
    ),
    Case("MastodonQueueDelay", {f'ruby_sidekiq_queue_latency_seconds{{{SIDEKIQ}, queue="default"}}': "200x100"}),
    # It may take hours.
    Case("MastodonQueueDelay", {f'ruby_sidekiq_queue_latency_seconds{{{SIDEKIQ}, queue="pull"}}': "9000x100"}),
    Case("MastodonSchedulerStopped", {f"ruby_sidekiq_jobs_total{{{SCHEDULED}}}": "0+1x100"}),
    Case(
        "MastodonMailFails",
        {f"ruby_sidekiq_failed_jobs_total{{{MAILS}}}": "0+1x100", f"ruby_sidekiq_jobs_total{{{MAILS}}}": "0+10x100"},
    ),
    # One mail that nobody takes.
    Case(
        "MastodonMailFails",
        {f"ruby_sidekiq_failed_jobs_total{{{MAILS}}}": "0x80 1x20", f"ruby_sidekiq_jobs_total{{{MAILS}}}": "0x80 1x20"},
    ),
    Case(
        "MastodonMigration",
        {
            'kube_job_failed{namespace="mastodon", job_name="mastodon-db-migrate", condition="false"}': "1x100",
            'kube_job_failed{namespace="mastodon", job_name="mastodon-media-remove-1", condition="true"}': "1x100",
        },
    ),
    Case("MastodonReleaseNotReady", {f'flux_resource_info{{{RELEASE}, ready="True"}}': "1x100"}),
    Case(
        "MastodonSecretNotSynced",
        {
            f'externalsecret_status_condition{{{SECRET}, status="True"}}': "1x100",
            f'externalsecret_status_condition{{{SECRET}, status="False"}}': "0x100",
            'externalsecret_status_condition{condition="Ready", status="False", name="x", namespace="another"}': "1x100",
        },
    ),
    # For another reason, and long ago.
    Case(
        "MastodonOutOfMemory",
        {f"{RESTARTS}{{{SIDEKIQ}}}": "0x80 1x20", f'{KILLED}{{{SIDEKIQ}, reason="Error"}}': "1x100"},
    ),
    Case(
        "MastodonOutOfMemory",
        {f"{RESTARTS}{{{SIDEKIQ}}}": "1x100", f'{KILLED}{{{SIDEKIQ}, reason="OOMKilled"}}': "1x100"},
    ),
    Case(
        "MastodonCacheFull",
        {
            f"dragonfly_memory_used_bytes{{{CACHE}}}": "50x100",
            f"dragonfly_memory_max_bytes{{{CACHE}}}": "100x100",
            f'dragonfly_evicted_keys_total{{{CACHE}, db="db0"}}': "0x100",
            f'container_memory_working_set_bytes{{{CACHE}, container="dragonfly"}}': "60x100",
            f'kube_pod_container_resource_limits{{{CACHE}, container="dragonfly", resource="memory"}}': "100x100",
        },
    ),
    Case(
        "MastodonDatabaseVolume",
        {
            f"kubelet_volume_stats_used_bytes{{{CLAIM}}}": "60x100",
            f"kubelet_volume_stats_capacity_bytes{{{CLAIM}}}": "100x100",
            f"kubelet_volume_stats_available_bytes{{{CLAIM}}}": "40x100",
        },
    ),
    # A new one, into which much is written at first.
    Case(
        "MastodonDatabaseVolume",
        {
            f"kubelet_volume_stats_used_bytes{{{CLAIM}}}": "20x100",
            f"kubelet_volume_stats_capacity_bytes{{{CLAIM}}}": "100x100",
            f"kubelet_volume_stats_available_bytes{{{CLAIM}}}": "100-0.05x100",
        },
    ),
    # It failed once, and went on; nothing was written since.
    Case(
        "MastodonDatabaseNotArchived",
        {
            f"cnpg_pg_stat_archiver_last_failed_time{{{DATABASE}}}": "1200x100",
            f"cnpg_pg_stat_archiver_last_archived_time{{{DATABASE}}}": "1260x100",
            f'cnpg_collector_pg_wal_archive_status{{{DATABASE}, value="ready"}}': "1x100",
        },
    ),
    Case("MastodonDatabaseBackup", {f"{BACKUP}{{{DATABASE}}}": f"-{20 * 3600}x100"}),
    Case(
        "MastodonMediaCopy",
        {f"{COPIED}{{{COPY}}}": f"-{20 * 3600}x100", f"kube_cronjob_created{{{COPY}}}": f"-{900 * 3600}x100"},
    ),
    Case("MastodonMediaCopy", {f"kube_cronjob_created{{{COPY}}}": "0x100"}),
    # What failed before the last one that was complete is still listed, and one runs.
    Case(
        "MastodonMediaCopy",
        {
            f"{COPIED}{{{COPY}}}": "3600x100",
            f"kube_job_status_start_time{{{COPYING}}}": "60x100",
            f'kube_job_failed{{{COPYING}, condition="true"}}': "1x100",
            'kube_job_status_start_time{namespace="mastodon", job_name="mastodon-media-copy-29402999"}': "_x60 3660x40",
        },
    ),
    # Of another Mastodon.
    Case(
        "MastodonMediaCopy",
        {
            f"{COPIED}{{{COPY}}}": "0x100",
            'kube_cronjob_status_last_successful_time{namespace="other", cronjob="mastodon-media-copy"}': f"-{90 * 3600}x100",
        },
    ),
    # Of another cluster in that namespace.
    Case(
        "MastodonDatabaseBackup",
        {
            f"{BACKUP}{{{DATABASE}}}": f"-{20 * 3600}x100",
            f'{BACKUP}{{namespace="mastodon", pod="another-1"}}': f"-{90 * 3600}x100",
        },
    ),
    # Again on the twentieth day.
    Case(
        "MastodonDatabaseNotRehearsed",
        {
            f"kube_configmap_created{{{REHEARSAL}}}": "0x50000",
            f"kube_configmap_metadata_resource_version{{{REHEARSAL}}}": "7x28800 9x21200",
        },
        at=33 * 1440,
    ),
    # For the first time on the twentieth day.
    Case(
        "MastodonDatabaseNotRehearsed",
        {
            f"kube_configmap_created{{{REHEARSAL}}}": f"_x28800 {28800 * 60}x21200",
            f"kube_configmap_metadata_resource_version{{{REHEARSAL}}}": "_x28800 9x21200",
        },
        at=33 * 1440,
    ),
)
