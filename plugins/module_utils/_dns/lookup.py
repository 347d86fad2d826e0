# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One question to one name server, and all that its answer says: also which server it is of, and why there is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial

# Ansible's own checks import every file without it.
with suppress(ImportError):
    import dns.edns
    import dns.exception
    import dns.flags
    import dns.message
    import dns.query
    import dns.rcode
    import dns.rdatatype


@dataclass(frozen=True)
class Looked:
    """What one server said: a code such as NOERROR, empty when it said nothing, and then `why`.

    `records` are those of the kind that was asked for, `aliases` the names that lead there, and `of_its_own` is whether the server calls
    itself one of the zone.
    """

    code: str
    why: str = ""
    records: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    of_its_own: bool = False

    @property
    def is_answer(self) -> bool:
        """Whether it says what there is, be it nothing."""
        return self.code in ("NOERROR", "NXDOMAIN")


def look_up(address: str, port: int, name: str, kind: str, seconds: float, *, unchecked: bool = False) -> Looked:
    """Ask a name server. `unchecked` asks it not to check signatures (https://www.rfc-editor.org/rfc/rfc4035#section-3.2.2)."""

    def ask(question: dns.message.Message) -> dns.message.Message:
        if unchecked:
            question.flags |= dns.flags.CD
        return dns.query.udp_with_fallback(question, address, timeout=seconds, port=port)[0]

    return _looked(name, kind, ask)


def look_up_through(dial: Dial, name: str, kind: str, until: float) -> Looked:
    """Ask the name server that connections lead to, until a moment of the monotonic clock."""

    def ask(question: dns.message.Message) -> dns.message.Message:
        with dial() as link:
            link.setblocking(False)
            return dns.query.tcp(question, "", timeout=max(until - time.monotonic(), 0.001), sock=link)

    return _looked(name, kind, ask)


def _looked(name: str, kind: str, ask: Callable[[dns.message.Message], dns.message.Message]) -> Looked:
    try:
        answer = ask(dns.message.make_query(f"{name}.", kind, use_edns=0))
    except (dns.exception.DNSException, OSError, EOFError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else ""
        return Looked("", words or next(iter(str(error).splitlines()), "") or type(error).__name__)
    wanted = dns.rdatatype.from_text(kind)
    # The zone above answers by naming the servers of the one below: https://www.rfc-editor.org/rfc/rfc1034#section-4.3.2
    sections = answer.answer or (answer.authority if kind == "NS" else ())
    return Looked(
        dns.rcode.to_text(answer.rcode()),
        _errors(answer),
        frozenset(one.to_text() for each in sections if each.rdtype == wanted for one in each),
        _aliases(answer, f"{name}."),
        bool(answer.flags & dns.flags.AA),
    )


def _errors(answer: dns.message.Message) -> str:
    """Return what the server says of a failure: https://www.rfc-editor.org/rfc/rfc8914."""
    found = [option for option in answer.options if isinstance(option, dns.edns.EDEOption)]
    words = [
        f"{option.code.name.replace('_', ' ').lower()}{f' ({option.text})' if option.text else ''}" for option in found
    ]
    return ", ".join(words)


def _aliases(answer: dns.message.Message, name: str) -> tuple[str, ...]:
    known = {
        each.name.to_text().lower(): next(iter(each)).to_text().lower()
        for each in answer.answer
        if each.rdtype == dns.rdatatype.CNAME and len(each)
    }
    chain: list[str] = []
    while (name := known.get(name.lower(), "")) and name not in chain:
        chain.append(name)
    return tuple(alias.rstrip(".") for alias in chain)
