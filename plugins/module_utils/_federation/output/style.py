# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page looks: one column on a phone, black on white with frames on paper."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.chain import (
    BEHIND,
    BROKEN,
    FINE,
    PARTLY,
    UNSEEN,
)

MARKS: Mapping[str, str] = {FINE: "\u2713", PARTLY: "!", BROKEN: "\u2717", BEHIND: "\u2026", UNSEEN: "?"}
STYLE = """
:root { --LOST: #b00020; --CUT: #b00020; --SOME: #8a5a00; --cannot-tell: #555; --note: #24527a; --skipped: #666; --fine: #1b6e34 }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 1rem }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-top: .5rem; border-top: 2px solid #1c1c1c }
h3 { font-size: 1rem; margin: 0 0 .25rem }
p { margin: .25rem 0 }
.lead { font-size: 1.1rem }
.small { font-size: .875rem; color: #444 }
.badge { display: inline-block; padding: 0 .5em; border: 1px solid currentColor; border-radius: 1em; font-size: .8rem; font-weight: 600;
  white-space: nowrap; color: #444 }
.badge.LOST, .badge.CUT { background: var(--LOST); border-color: var(--LOST); color: #fff }
.badge.SOME { color: var(--SOME) } .badge.note { color: var(--note) } .badge.fine { color: var(--fine) }
.changes { margin: 1rem 0; padding: .75rem 1rem; border: 1px solid #888; border-radius: .5rem; background: #f6f6f2 }
.changes ul { margin: .25rem 0 0; padding-left: 1.25rem }
.chain { display: flex; list-style: none; margin: 1.25rem 0; padding: 0 }
.chain li { position: relative; flex: 1; padding: .6rem .5rem; text-align: center; border: 2px solid #777; border-radius: .75rem; color: #444 }
.chain li + li { margin-left: 2.25rem }
.chain li + li::before { content: ""; position: absolute; top: 50%; left: calc(-2.25rem - 2px); width: 2.25rem; border-top: 3px solid #777 }
.chain .mark { font-size: 1.3rem; font-weight: 700; margin-right: .4rem }
.chain .state { display: block; font-size: .875rem }
.chain .fine { border-color: var(--fine); color: var(--fine) }
.chain .partly { border-color: var(--SOME); color: var(--SOME) }
.chain .broken { border: 3px solid var(--LOST); color: #fff; background: var(--LOST) }
.chain .broken + li::before, .chain li + .broken::before { border-top: 3px dashed var(--LOST) }
.chain .behind, .chain .not-seen { border-style: dashed }
article { margin: 1rem 0; padding: .5rem 1rem .75rem; border: 1px solid #bbb; border-left: .4rem solid #777; border-radius: .25rem }
article.LOST, article.CUT { border-left-color: var(--LOST) } article.SOME { border-left-color: var(--SOME) }
article.note { border-left-color: var(--note) }
article .message { font-weight: 600 }
pre, code { font: .85rem/1.4 ui-monospace, monospace; background: #f2f2f2; border-radius: .25rem }
pre { margin: .4rem 0; padding: .4rem .6rem; white-space: pre-wrap }
code { padding: .1rem .3rem }
details { margin: 1.5rem 0 } summary { font-weight: 600; cursor: pointer }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
td, th { padding: .3rem .4rem; vertical-align: top; text-align: left; border-bottom: 1px solid #ddd }
td:first-child { white-space: nowrap } .fleet td:first-child { white-space: normal }
a { color: #0b4f8a }
@media (max-width: 40rem) {
  .chain { flex-direction: column }
  .chain li { display: flex; align-items: center; gap: .5rem; text-align: left; padding: .4rem .75rem }
  .chain .mark { width: 1.2rem; margin: 0; text-align: center }
  .chain .state { margin-left: auto }
  .chain li + li { margin: 1.1rem 0 0 }
  .chain li + li::before { top: calc(-1.1rem - 2px); left: 1.4rem; width: 0; height: 1.1rem; border-top: 0; border-left: 3px solid #777 }
  .chain .broken + li::before, .chain li + .broken::before { border-top: 0; border-left: 3px dashed var(--LOST) }
}
@media print {
  body { font-size: 10pt } main { max-width: none; padding: 0 2px }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  article, .chain, .changes, tr { break-inside: avoid }
  h1, h2, h3, summary { break-after: avoid }
  a { color: inherit } article .small a::after { content: ": " attr(href) }
}
"""
