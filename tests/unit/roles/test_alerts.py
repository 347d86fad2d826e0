# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts, evaluated by Prometheus itself, and what is written about each."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from mastodon_lab.build import components, tools
from mastodon_lab.build.golang import Go
from mastodon_lab.build.store import Store
from mastodon_lab.cli import CACHE

from .alerts import FIRES, SILENT, Case
from .conftest import ROOT, Site
from .sites import ELSEWHERE

BACKUPS = {"cnpg_backup": True, "cnpg_backup_endpoint": "https://s3.example.org", "cnpg_backup_bucket": "backups"}
ON = {"mastodon_alerts": True, "mastodon_alerts_prober": "blackbox.monitoring.svc:9115", **BACKUPS}
ON |= {"mastodon_federation_watch": True, "rook_copy_endpoint": "https://s3.example.net", "rook_copy_bucket": "copy"}
PAGE = (ROOT / "docs/alerts.md").read_text()
HEADINGS = re.findall(r"(?m)^## (Mastodon\w+)$", PAGE)
VERDICT = re.compile(r'<testcase name="(\d+)">(?:<failure>(.*?)</failure>)?</testcase>', re.DOTALL)
LABELS = {"customresource_kind", "exported_namespace", "job_name"}


@pytest.fixture(scope="session")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log = tmp_path_factory.mktemp("promtool") / "go.log"
    store = Store(Path(os.environ.get("LAB_CACHE") or CACHE))
    with store.locked(print):
        return Go(tools.install(store, log).go, store, log).build(components.PROMTOOL)["promtool"]


def objects(**settings: Any) -> dict[str, dict[str, Any]]:
    return {
        name: item for name, item in Site(**settings).objects("mastodon").items() if "monitoring" in item["apiVersion"]
    }


@cache
def group(**settings: Any) -> dict[str, Any]:
    (found,) = objects(**{**ON, **settings})["PrometheusRule mastodon"]["spec"]["groups"]
    assert isinstance(found, dict)
    return found


def rules(**settings: Any) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in group(**settings)["rules"]}


def expected(case: Case) -> list[dict[str, Any]]:
    rule = rules()[case.alert]
    told = {**rule["annotations"], "summary": case.summary}
    return [{"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": told}] if case.summary else []


def evaluated(promtool: Path, folder: Path, cases: Sequence[Case], **settings: Any) -> list[str]:
    """Return what Prometheus says of each case: nothing if the alert did as is said there."""
    files = []
    for alert, rule in rules(**settings).items():
        # Each with its rule alone, as all of them take ten times as long.
        (folder / f"{alert}.rules.yml").write_text(yaml.safe_dump({"groups": [{"name": alert, "rules": [rule]}]}))
        tests = [asked(case, number) for number, case in enumerate(cases) if case.alert == alert]
        # Days are looked at by the hour.
        pace = "1h" if any(case.at > 1440 for case in cases if case.alert == alert) else "1m"
        files.append(folder / f"{alert}.yml")
        files[-1].write_text(
            yaml.safe_dump({"rule_files": [f"{alert}.rules.yml"], "evaluation_interval": pace, "tests": tests})
        )
    command: list[str | Path] = [promtool, "test", "rules", f"--junit={folder}/said.xml", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    verdicts = VERDICT.findall((folder / "said.xml").read_text())
    said = {int(number): failure for number, failure in verdicts}
    return [said.get(number, done.stdout + done.stderr) for number in range(len(cases))]


def asked(case: Case, number: int) -> dict[str, Any]:
    return {
        "name": str(number),
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [{"alertname": case.alert, "eval_time": f"{case.at}m", "exp_alerts": expected(case)}],
    }


@pytest.fixture(scope="module")
def said(promtool: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Case, str]:
    cases = (*FIRES, *SILENT)
    return dict(zip(cases, evaluated(promtool, tmp_path_factory.mktemp("alerts"), cases), strict=True))


@pytest.mark.parametrize("case", FIRES, ids=lambda case: case.alert)
def test_an_alert_fires_and_says_of_what(said: dict[Case, str], case: Case) -> None:
    assert said[case] == ""


@pytest.mark.parametrize("case", SILENT, ids=lambda case: case.alert)
def test_an_alert_is_silent_while_nothing_fails(said: dict[Case, str], case: Case) -> None:
    assert said[case] == ""


def test_each_alert_was_seen_to_fire_and_to_be_silent() -> None:
    # What is missing is named metric by metric; the case that fires leaves out one of them.
    assert {case.alert for case in FIRES} == set(rules())
    assert {case.alert for case in SILENT} == set(rules()) - {"MastodonMetricsMissing"}


@pytest.mark.parametrize(
    ("setting", "value", "alert"),
    [
        ("mastodon_alerts_backup_hours", 200, "MastodonDatabaseBackup"),
        ("mastodon_alerts_certificate_days", 5, "MastodonCertificate"),
        ("mastodon_alerts_copy_hours", 200, "MastodonMediaCopy"),
        ("mastodon_alerts_memory_percent", 95, "MastodonCacheFull"),
        ("mastodon_alerts_queue_seconds", 900, "MastodonQueueDelay"),
        ("mastodon_alerts_rehearsal_days", 90, "MastodonDatabaseNotRehearsed"),
        ("mastodon_alerts_volume_percent", 95, "MastodonDatabaseVolume"),
        ("mastodon_federation_watch_minutes", 60, "MastodonFederationNotSeen"),
    ],
)
def test_whoever_lives_with_more_is_not_woken(
    promtool: Path, tmp_path: Path, setting: str, value: int, alert: str
) -> None:
    fires = next(case for case in FIRES if case.alert == alert)
    assert evaluated(promtool, tmp_path, [Case(alert, fires.series, fires.at)], **{setting: value}) == [""]


def test_prometheus_takes_all_rules_of_every_site(promtool: Path, tmp_path: Path) -> None:
    sites: list[dict[str, Any]] = [
        {},
        {"mastodon_alerts_prober": "", "mastodon_federation_watch": False},
        {**ELSEWHERE, "cnpg_backup": False, "rook_copy_endpoint": ""},
    ]
    for number, settings in enumerate(sites):
        (tmp_path / f"{number}.yml").write_text(yaml.safe_dump({"groups": [group(**settings)]}))
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", *tmp_path.iterdir()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_alerted_about_that_is_not_ours_to_look_after() -> None:
    assert "PrometheusRule mastodon" not in objects(mastodon_monitoring=True)
    outside = rules(**{**ELSEWHERE, "cnpg_backup": False, "mastodon_alerts_prober": "", "rook_copy_endpoint": ""})
    gone = {
        "MastodonCacheFull",
        "MastodonDatabaseBackup",
        "MastodonDatabaseNotArchived",
        "MastodonDatabaseNotRehearsed",
        "MastodonDatabaseVolume",
    }
    assert set(rules()) - set(outside) == gone | {"MastodonCertificate", "MastodonMediaCopy", "MastodonUnreachable"}
    assert "cnpg" not in str(outside)


def test_what_alerts_look_at_is_collected() -> None:
    found = objects(**ON, cnpg_cluster_namespace="databases", mastodon_monitoring_labels={"release": "prometheus"})
    assert sorted(found) == [
        "PodMonitor mastodon",
        "PodMonitor mastodon-database",
        "PodMonitor mastodon-federation-watch",
        "Probe mastodon",
        "PrometheusRule mastodon",
    ]
    assert found["PodMonitor mastodon-database"]["spec"]["namespaceSelector"] == {"matchNames": ["databases"]}
    assert {str(item["metadata"]["labels"]) for item in found.values()} == {"{'release': 'prometheus'}"}
    values = Site(mastodon_alerts=True).objects("mastodon")["HelmRelease mastodon"]["spec"]["values"]
    assert values["mastodon"]["metrics"]["prometheus"]["sidekiq"]["detailed"] is True


@pytest.mark.parametrize("file", ["checks.yml", "preconditions.yml"])
def test_that_nobody_serves_the_kinds_is_found_before_anything_is_changed(file: str) -> None:
    def asked_for(**settings: Any) -> set[str]:
        tasks = Site(**settings).tasks("doctor", file).values()
        options = [options for task in tasks for options in task.values() if isinstance(options, dict)]
        return {kind["kind"] for one in options for kind in one.get("kinds", ())} - {"HTTPRoute"}

    assert asked_for(mastodon_alerts=True) == {"PodMonitor", "PrometheusRule", "Probe"}
    assert asked_for(mastodon_monitoring=True) == {"PodMonitor"}
    assert asked_for() == set()


def test_migrations_that_were_left_out_are_looked_for_every_day() -> None:
    job = Site(mastodon_alerts=True).objects("mastodon")["CronJob mastodon-pending-migrations"]["spec"]["jobTemplate"][
        "spec"
    ]
    (container,) = job["template"]["spec"]["containers"]
    assert container["command"] == ["bundle", "exec", "rake", "db:abort_if_pending_migrations"]
    # A little longer than a day: one that failed says so until the next one does, and no longer.
    assert 86400 < job["ttlSecondsAfterFinished"] < 2 * 86400
    assert "CronJob mastodon-pending-migrations" not in Site().objects("mastodon")


def test_a_runbook_says_of_each_alert_what_it_means_and_what_to_do() -> None:
    assert sorted(HEADINGS) == sorted(rules())
    for name, rule in rules().items():
        # As GitHub writes the anchor of a heading.
        assert rule["annotations"]["runbook_url"].partition("/docs/alerts.md#")[2] == name.lower()
        text = PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert re.findall(r"(?m)^\*\*(.+?)\*\*", text) == ["What it means.", "Who loses what.", "What to do."], name


def test_who_exports_each_metric_is_written_down() -> None:
    written = set(re.findall(r"(?m)^\| `([a-z_]+)` \|", PAGE.partition("\n## Metrics")[2]))
    used = {name for rule in rules().values() for name in re.findall(r"[a-z_]+_[a-z_]+", rule["expr"])}
    assert written - used == set()
    # Functions of Prometheus, and labels.
    assert used - written == {"label_replace", "predict_linear", *LABELS}
