# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tootctl`, as far as an installation needs it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from mastodon_stand_in import VERSION, accounts, cleaning, feeds, registrations
from mastodon_stand_in.bucket import Bucket
from mastodon_stand_in.database import Database, check
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.farewell import Farewell, is_on, value
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.settings import BucketSettings, DatabaseSettings, RedisSettings, Site


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Run one command; raise RefusalError when it cannot be done."""
    options = _parser().parse_args(arguments)
    if options.command == "version":
        print(VERSION)
        return
    site = Site.from_environment(environment)
    keys = Keys.from_environment(environment)
    database = Database(DatabaseSettings.from_environment(environment))
    check(database, keys)
    jobs = Redis(RedisSettings.from_environment(environment, "SIDEKIQ_"))
    if options.command == "self-destruct":
        print(_leave(Farewell(site, keys, database, jobs)))
        return
    if options.command in ("media", "preview_cards"):
        print(
            cleaning.clean(
                options.command, options.days, database, Bucket(BucketSettings.from_environment(environment))
            )
        )
        return
    run: Callable[[argparse.Namespace, Database, Keys, Redis], str] = options.run
    print(run(options, database, keys, jobs))


def _create(options: argparse.Namespace, database: Database, keys: Keys, jobs: Redis) -> str:
    with database.transaction() as cursor:
        user = accounts.create(
            cursor,
            keys,
            options.username,
            options.email,
            role=options.role,
            approved=options.approve,
            confirmed=options.confirmed,
        )
    if user.confirmation_token:
        jobs.enqueue_mail("confirmation_instructions", user.id, user.confirmation_token)
    return f"OK\nNew password: {user.password}"


def _modify(options: argparse.Namespace, database: Database, keys: Keys, jobs: Redis) -> str:
    with database.transaction() as cursor:
        user_id, password = accounts.modify(
            cursor,
            options.username,
            role=options.role,
            approve=options.approve,
            confirm=options.confirm,
            reset_password=options.reset_password,
        )
    if password is None:
        return "OK"
    jobs.enqueue_mail("password_change", user_id)
    return f"OK\nNew password: {password}"


def _approve(options: argparse.Namespace, database: Database, keys: Keys, jobs: Redis) -> str:
    if not options.username and not options.number and not options.all:
        raise RefusalError("accounts approve: nobody is named. Give a username, --number or --all.")
    with database.transaction() as cursor:
        accounts.approve(cursor, options.username, options.number)
    return "OK"


def _registrations(options: argparse.Namespace, database: Database, keys: Keys, jobs: Redis) -> str:
    with database.transaction() as cursor:
        registrations.set_mode(cursor, {"close": "none"}.get(options.mode, options.mode))
    return "OK"


def _feeds(options: argparse.Namespace, database: Database, keys: Keys, jobs: Redis) -> str:
    return feeds.build(database, jobs)


def _leave(farewell: Farewell) -> str:
    """Say how far it is, or ask twice, as upstream, and print the value that starts it (lib/mastodon/cli/federation.rb)."""
    if is_on(farewell.site, farewell.keys):
        return f"Self-destruct mode is already enabled for this Mastodon server\n{farewell.progress()}"
    if input("Type in the domain of the server to confirm: ") != farewell.site.local_domain:
        raise RefusalError("Domains do not match. Stopping self-destruct initiation.")
    print("This operation WILL NOT be reversible.")
    # Anything but a no goes on: https://github.com/rails/thor/blob/main/lib/thor/shell/basic.rb
    if input("Are you sure you want to proceed? ").lower() in ("n", "no"):
        raise RefusalError("Operation cancelled. Self-destruct will not begin.")
    return (
        "To switch Mastodon to self-destruct mode, add the following variable to your evironment (e.g. by adding a line to"
        f" your `.env.production`) and restart all Mastodon processes:\n  SELF_DESTRUCT={value(farewell.site, farewell.keys)}\n"
        "You can re-run this command to see the state of the self-destruct process."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tootctl", description="Stand-in for Mastodon's command line.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version", help="say which version this is")
    commands.add_parser("self-destruct", help="erase the server from the federation")
    _add_accounts(commands.add_parser("accounts", help="make and change accounts"))
    for command, days in cleaning.DAYS.items():
        parts = commands.add_parser(command, help="tidy up").add_subparsers(required=True)
        remove = parts.add_parser("remove", help="remove copies of what other servers have")
        remove.add_argument("--days", type=int, default=days, help="that are older")
    timelines = commands.add_parser("feeds", help="make home timelines again").add_subparsers(required=True)
    build = timelines.add_parser("build", help="from the database")
    build.set_defaults(run=_feeds)
    build.add_argument("--all", action="store_true", required=True, help="of everybody")
    settings = commands.add_parser("settings", help="change settings").add_subparsers(required=True)
    modes = settings.add_parser("registrations", help="say who may sign up").add_subparsers(dest="mode", required=True)
    for mode in ("open", "approved", "close"):
        modes.add_parser(mode).set_defaults(run=_registrations)
    return parser


def _add_accounts(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True)
    create = actions.add_parser("create", help="make an account and print its password")
    create.set_defaults(run=_create)
    create.add_argument("--email", required=True)
    create.add_argument("--confirmed", action="store_true", help="its e-mail address needs no confirmation")
    modify = actions.add_parser("modify", help="change an account")
    modify.set_defaults(run=_modify)
    modify.add_argument("--confirm", action="store_true", help="take its e-mail address as confirmed")
    modify.add_argument("--reset-password", action="store_true", help="give it a new password and print that")
    for action in (create, modify):
        action.add_argument("username")
        action.add_argument("--approve", action="store_true", help="let it sign in")
        action.add_argument("--role")
    approve = actions.add_parser("approve", help="let those in who wait")
    approve.set_defaults(run=_approve)
    approve.add_argument("username", nargs="?")
    approve.add_argument("--number", type=int, help="that many, the longest waiting first")
    approve.add_argument("--all", action="store_true")
