# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`federation-check.pyz`: the module `federation_check` for people without Ansible. docs/federation/without-ansible.md describes it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from ansible_collections.fediverse.mastodon.extensions.federation_check import serve
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, unforeseen
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Verdict
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, parsed
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.instance import targets_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.looks import OPTIONS, examined

# Lines of the table that are of no use in a log.
_UNREMARKABLE = (f"{Verdict.FINE} ", f"{Verdict.SKIPPED} ")
PASSED, NOT_RUN, FAILED = 0, 1, 2
_KINDS: Mapping[str, type[Any]] = {"str": str, "path": str, "int": int, "bool": bool, "list": list, "dict": dict}
_WORDS = {
    "str": "a text",
    "path": "a path",
    "int": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "an object",
}


class _Parser(argparse.ArgumentParser):
    """Ends as all else does that kept us from looking: its own code means that something is lost."""

    def error(self, message: str) -> NoReturn:
        self.exit(NOT_RUN, f"{self.format_usage()}{message}\n")


def main(arguments: Sequence[str]) -> int:
    """Look at what the options say, print the report, and return what it comes to."""
    parser = _Parser(
        prog="federation-check.pyz", description="Look at an instance as other servers of the fediverse see it."
    )
    parser.add_argument("options", nargs="?", default="-", help="file of options as JSON; - for standard input")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, and not as a table")
    parser.add_argument(
        "--serve", type=int, metavar="PORT", help="look again and again, and serve metrics at this port"
    )
    parser.add_argument(
        "--every", type=_seconds, default=900, metavar="SECONDS", help=f"how often, {serve.LEAST} to {serve.MOST}; 900"
    )
    given = parser.parse_args(arguments)
    try:
        needs("dns")
        options_given = _read(given.options)
        if given.serve is not None:
            _watch(options_given, given.serve, given.every)
        return _looked(options_given, as_json=given.json)
    except MastodonError as error:
        return _failed(str(error))
    except Exception as error:
        return _failed(str(unforeseen("federation-check.pyz", error)))


def _seconds(text: str) -> int:
    if not text.isdecimal() or not serve.LEAST <= int(text) <= serve.MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from {serve.LEAST} to {serve.MOST}")
    return int(text)


def _watch(given: Mapping[str, Any], port: int, seconds: int) -> NoReturn:
    """Look until somebody ends it. Raises MastodonError for what no look can be had of."""
    # As the first process of a container it would not be ended otherwise.
    signal.signal(signal.SIGTERM, lambda *_unused: sys.exit(PASSED))

    def look() -> Mapping[str, Any]:
        table: list[str] = []
        run = Run(check=False, diff=False, say=table.append, environment={})
        report = examined(given, tuple, run, elsewhere=lambda here: replace(here, name="inside"))
        _show([line for line in table if not line.startswith(_UNREMARKABLE)])
        return report

    echoes = any(target.echo for target in targets_of(given))
    serve.watch(look, serve.opened(port, echoes=echoes), seconds)


def _looked(given: Mapping[str, Any], *, as_json: bool) -> int:
    table: list[str] = []
    try:
        report = examined(given, tuple, Run(check=False, diff=False, say=table.append, environment={}))
    except MastodonError:
        _show([] if as_json else table)
        raise
    _show([json.dumps(report, indent=1)] if as_json else table)
    return PASSED if report["passed"] else FAILED


def _show(lines: Sequence[str]) -> None:
    """Print to whoever still reads it, in whatever letters a terminal has. Raises MastodonError."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print(*lines, sep="\n", end="\n" if lines else "", flush=True)
    except OSError as error:
        # Else Python would try again at its end: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            why = error.strerror or ""
            raise MastodonError("Standard output", "cannot be written", why, "Check where it leads.") from error


def _failed(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return NOT_RUN


def _read(name: str) -> Mapping[str, Any]:
    what = "Options on standard input" if name == "-" else f"Options {name}"
    remedy = 'Give an object such as {"domain": "example.org", "account": "alice"}.'
    try:
        given = parsed(sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())
    except OSError as error:
        raise MastodonError(what, "cannot be read", error.strerror or "", "Check the path.") from error
    except WrongShapeError as error:
        raise MastodonError(what, "cannot be read", "they are not JSON", remedy) from error
    if not isinstance(given, Mapping):
        raise MastodonError(what, "cannot be read", "they are no object", remedy)
    return options(given, OPTIONS)


def options(given: Mapping[str, Any], known: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return all options, as Ansible would. Raises MastodonError."""
    if odd := sorted(set(given) - set(known)):
        remedy = f"There are {', '.join(sorted(known))}."
        raise MastodonError(f"Option {within}{odd[0]}", "is not known", "", remedy)
    found: dict[str, Any] = {}
    for name, option in known.items():
        value = given.get(name)
        if value is None and option.get("required"):
            raise MastodonError(f"Option {within}{name}", "is missing", "", "Add it.")
        found[name] = option.get("default") if value is None else _value(f"{within}{name}", value, option)
    return found


def _value(name: str, value: Any, option: Mapping[str, Any]) -> Any:
    kind = option["type"]
    # To Python, true is a number too.
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "bool"):
        raise MastodonError(f"Option {name}", "is wrong", f"it is not {_WORDS[kind]}", "Change it.")
    if kind == "list":
        each = {**option, "type": option["elements"]}
        return [_value(f"{name}[{number}]", one, each) for number, one in enumerate(value)]
    return options(value, option["options"], f"{name}.") if kind == "dict" else value
