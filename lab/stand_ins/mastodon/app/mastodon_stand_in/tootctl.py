# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tootctl`, as far as an installation needs it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from mastodon_stand_in import VERSION, accounts
from mastodon_stand_in.database import Database, check
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.settings import DatabaseSettings, Site


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Run one command; raise RefusalError when it cannot be done."""
    options = _parser().parse_args(arguments)
    if options.command == "version":
        print(VERSION)
        return
    Site.from_environment(environment)
    keys = Keys.from_environment(environment)
    database = Database(DatabaseSettings.from_environment(environment))
    check(database, keys)
    with database.transaction() as cursor:
        if options.action == "create":
            password: str | None = accounts.create(
                cursor,
                keys,
                options.username,
                options.email,
                role=options.role,
                approved=options.approve,
                confirmed=options.confirmed,
            )
        else:
            password = accounts.modify(
                cursor,
                options.username,
                role=options.role,
                approve=options.approve,
                confirm=options.confirm,
                reset_password=options.reset_password,
            )
    print("OK")
    if password:
        print(f"New password: {password}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tootctl", description="Stand-in for Mastodon's command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version", help="say which version this is")
    account = commands.add_parser("accounts", help="make and change accounts")
    actions = account.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make an account and print its password")
    create.add_argument("--email", required=True)
    create.add_argument("--confirmed", action="store_true", help="its e-mail address needs no confirmation")
    modify = actions.add_parser("modify", help="change an account")
    modify.add_argument("--confirm", action="store_true", help="take its e-mail address as confirmed")
    modify.add_argument("--reset-password", action="store_true", help="give it a new password and print that")
    for action in (create, modify):
        action.add_argument("username")
        action.add_argument("--approve", action="store_true", help="let it sign in")
        action.add_argument("--role")
    return parser
