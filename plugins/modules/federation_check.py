#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: federation_check
short_description: Look at an instance as other servers of the fediverse see it
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Asks the declared hosts what other servers ask them, from the host that it runs on, and judges each answer by what is lost with it.
    C(LOST) are posts that are dropped for ever; C(CUT) is what others try again for some days, until they give up; C(SOME) is what only some software
    cannot.
  - It works for any server that speaks ActivityPub, and needs no access to a cluster, but for O(ca_secret) and O(gateway). What is wrong for Mastodon
    only is not held against others.
  - It never signs, sends nothing of anybody's, and leaves nothing behind. It takes no longer than 20 seconds, asks a host at most 40 times, and follows
    redirects to declared hosts only.
  - Fails when anything is C(LOST) or C(CUT), and when it is not proved that posts come in and accounts are found, as no inbox answered as it should,
    no actor was found, or one of these checks could not be finished. In check mode it does the same, but writes no O(reports). A report is what was
    seen and no state, so that it never counts as a change.
  - The pages at U(https://github.com/fediverse/mastodon-kubernetes/blob/main/docs/federation/README.md) explain each finding.
requirements:
  - dnspython >= 2.6.1
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.attributes
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.nameserver
options:
  account: &account
    description: Name of an account that is looked up, without its domain. When empty, only the server's own actor is, which other software than
      Mastodon does not have, so that it needs an account.
    type: str
    default: ""
  addresses: &addresses
    description: Addresses that the hosts must lead to. When empty, they may lead anywhere.
    type: list
    elements: str
    default: []
  ca_certificates:
    description: Certificates of authorities to trust beside those that this machine trusts, each as PEM.
    type: list
    elements: str
    default: []
  ca_secret:
    description:
      - Secret of an authority in the cluster, whose certificate is trusted as well, such as that of C(cert_manager_issuer=private_ca). Only its
        certificate is read, from C(ca.crt) or C(tls.crt).
    type: dict
    suboptions: &place
      namespace:
        description: Its namespace.
        type: str
        required: true
      name:
        description: Its name.
        type: str
        required: true
  domain:
    description: Domain of accounts, C(LOCAL_DOMAIN). Needed without O(instances).
    type: str
  echo: &echo
    description:
      - Whether a pod behind the same Gateway says at C(/federation-check/echo) of O(web_domain) what arrived, as C(mastodon_federation_echo) of role
        C(mastodon) has it. Then it is seen as well whether what other servers sign comes in as they sent it.
    type: bool
    default: false
  external_dns_owner_id: &external_dns_owner_id
    description: Owner by which external-dns distinguishes its records. When empty, any one may own them.
    type: str
    default: ""
  external_dns_txt_prefix: &external_dns_txt_prefix
    description: Prefix of the names of the records in which it says so, such as C(edns-%{record_type}.).
    type: str
    default: ""
  external_dns_txt_suffix: &external_dns_txt_suffix
    description: Suffix of the first label of those names, such as C(-edns), where they have no prefix.
    type: str
    default: ""
  followed_hosts: &followed_hosts
    description: Other hosts of yours that redirects may lead to. What they answer is judged, and their addresses are not.
    type: list
    elements: str
    default: []
  gateway:
    description:
      - Gateway that leads to the instance. When something is wrong, its cause is looked for in the cluster as well, from the record inward to the first
        broken link, by the rights that there are. Of Secrets only the certificate is read. Where a clock is off, C(date) is run in the instance's pods,
        which takes the right to create C(pods/exec).
      - Its routes are read in any case, as what they change of a request that is signed, or end after a while, is not seen from outside.
    type: dict
    suboptions: *place
  hold: &hold
    description:
      - Whether a connection to that pod is held, and nothing said on it, for 15 seconds or a little more, as the time of one look lets it. What is closed
        before ends streaming again and again. It implies O(echo), and each look takes as long.
    type: bool
    default: false
  internal: &internal
    description: Whether the instance is not for the world, so that its addresses are private.
    type: bool
    default: false
  key_fingerprint: &key_fingerprint
    description: Fingerprint of the key of the server's own actor, as an earlier run reported it. When it is another one, that is a finding.
    type: str
    default: ""
  limited_federation: &limited_federation
    description: Whether it federates with servers of a list only, C(LIMITED_FEDERATION_MODE).
    type: bool
    default: false
  media_hostname: &media_hostname
    description: Host of media. When empty, media are not looked at.
    type: str
    default: ""
  media_path: &media_path
    description: Path of an object at O(media_hostname). When empty, a picture of the account or of the server is taken.
    type: str
    default: ""
  nameserver:
    description: Address of the name server to ask where names lead. When empty, those that this machine asks. The name servers of the instance's zones
      and of the zones above them are asked directly as well, at port 53.
  reports:
    description:
      - Files to write the whole report to, on the host that this runs on, whatever comes of it. Each is replaced as a whole, and the folder must be there.
      - A new file has mode C(0644); one that is there keeps its owner, group and mode, and a link stays one. Only an earlier report of the same form, or an
        empty file, is replaced.
    type: dict
    default: {}
    suboptions:
      html:
        description: One page for browsers, phones and paper, which loads nothing else and has no script.
        type: path
      json:
        description: All of it as JSON. When the file is there from an earlier run, the report says first what changed since.
        type: path
      junit:
        description: For CI systems, as JUnit writes it. C(LOST) and C(CUT) have failed, and so has an instance that is not proved to be well.
        type: path
      prometheus:
        description: Metrics C(federation_check_…), such as for the text files of Prometheus' node exporter. They hold nothing that an instance sent.
        type: path
  secure_mode: &secure_mode
    description: Whether it shows actors only to those who sign, C(AUTHORIZED_FETCH).
    type: bool
    default: false
  since:
    description: An earlier report as JSON to compare with, instead of the one that is at the path C(json) of O(reports).
    type: path
  software: &software
    description: What it runs, such as V(mastodon), for when NodeInfo does not say so, or is that of another site on the bare domain. Its inboxes
      are asked all the same, as other servers know where they are.
    type: str
    default: ""
  streaming_hostname: &streaming_hostname
    description: Host of streaming. When empty, O(web_domain).
    type: str
    default: ""
  taken_as_public:
    description: Networks whose addresses count as public though they are not, such as those of a lab.
    type: list
    elements: str
    default: []
  via:
    description:
      - Another place to look from, by one of these. Connections are opened from there, and nothing is installed there.
      - Names are looked up here all the same, as O(nameserver) says. Where they lead for the name servers of a pod is compared with that; what those
        of a machine say is not seen, and the report says so. Addresses are connected to from here as well, and what is reached from one place only
        is reported.
    type: dict
    suboptions:
      ssh:
        description: Machine, over the client of OpenSSH where this module runs, as C(ssh) takes it, such as C(root@192.0.2.7) or a name of its
          configuration. It must let in without a question, and have C(AllowTcpForwarding). Reports call it as it is written here, without the user; a
          name of the configuration keeps its address out of them.
        type: str
      pod:
        description: Pod of the cluster, which opens connections by the first of C(python3), C(perl) and BusyBox' C(nc) that it has; images of Debian have the
          second, and those of Alpine the third. It needs the right to read pods and to create C(pods/exec) in its namespace.
        type: dict
        suboptions:
          namespace:
            description: Its namespace.
            type: str
            required: true
          name:
            description: Its name. Not with O(via.pod.labels).
            type: str
          labels:
            description: Labels of pods, of which one that is ready is taken. Not with O(via.pod.name).
            type: dict
  web_domain: &web_domain
    description: Host of its pages, C(WEB_DOMAIN). When empty, O(domain).
    type: str
    default: ""
  instances:
    description: Many instances, which are looked at side by side, each as if it were alone. What is of one instance is then an option of each.
    type: list
    elements: dict
    default: []
    suboptions:
      domain:
        description: Domain of accounts, C(LOCAL_DOMAIN).
        type: str
        required: true
      account: *account
      addresses: *addresses
      echo: *echo
      external_dns_owner_id: *external_dns_owner_id
      external_dns_txt_prefix: *external_dns_txt_prefix
      external_dns_txt_suffix: *external_dns_txt_suffix
      followed_hosts: *followed_hosts
      hold: *hold
      internal: *internal
      key_fingerprint: *key_fingerprint
      limited_federation: *limited_federation
      media_hostname: *media_hostname
      media_path: *media_path
      secure_mode: *secure_mode
      software: *software
      streaming_hostname: *streaming_hostname
      web_domain: *web_domain
"""

EXAMPLES = r"""
- name: Check what other servers see
  fediverse.mastodon.federation_check:
    domain: example.org
    web_domain: social.example.org
    account: alice

- name: Check it, keep a page and metrics, and say what changed since the last time
  fediverse.mastodon.federation_check:
    domain: example.org
    account: alice
    reports:
      json: /var/lib/federation/example.org.json
      html: /var/www/federation/example.org.html
      prometheus: /var/lib/prometheus/node-exporter/federation.prom

- name: Check many, with one page of all
  fediverse.mastodon.federation_check:
    instances:
      - domain: example.org
        account: alice
      - domain: example.net
        web_domain: social.example.net
        account: bob
    reports:
      html: /var/www/federation/all.html
"""

RETURN = r"""
instances:
  description: With O(instances) all that is below, for each of them, and of what was found only what is wrong; reports have it whole.
  returned: when instances are given
  type: list
  elements: dict
domain:
  description: Domain of accounts.
  returned: always
  type: str
vantage:
  description: Where it was looked at from.
  returned: always
  type: str
verdict:
  description: The worst of all verdicts.
  returned: always
  type: str
  sample: CUT
passed:
  description: Whether an inbox and an actor were found well, and nothing is C(LOST) or C(CUT); of many, whether it is so for all.
  returned: always
  type: bool
at:
  description: When it was looked at.
  returned: always
  type: str
  sample: "2026-11-29T03:00:00Z"
summary:
  description: How much was found of each verdict.
  returned: always
  type: str
  sample: 1 LOST, 3 skipped, 41 fine
links:
  description: The way to the instance, as C(name) and C(state) of DNS, TLS, HTTP and ActivityPub. C(broken) is the first link that is; what cannot be seen
    for it is C(behind). Others are C(fine), C(partly) so, or C(not seen).
  returned: always
  type: list
  elements: dict
changes:
  description: What is C(new), C(changed), C(mended) and C(unseen) this time, how much is the C(same), and C(since) when. Empty without an earlier report.
    Only what was found fine at the same place is mended; what is wrong in another way there, or at a new address of the same host, is changed, and
    its C(was) says what it was before.
  returned: always
  type: dict
findings:
  description: All that was found, worst first; when it fails, all that is wrong.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: Which check found it.
      type: str
    verdict:
      description: C(LOST), C(CUT), C(SOME), C(cannot tell), C(note), C(skipped) or C(fine).
      type: str
    subject:
      description: What it was found at.
      type: str
    message:
      description: What is wrong, or right, with it.
      type: str
    fact:
      description: What came from there, with all that is not printable escaped.
      type: str
    fault:
      description: Name of what is wrong, empty when nothing is.
      type: str
    loses:
      description: Who loses what.
      type: str
    cause:
      description: What the likely cause is, or what it is when it is proved.
      type: str
    proved:
      description: Whether the cause is seen to be so in the cluster.
      type: bool
    next:
      description: What to do next.
      type: str
    link:
      description: Page below C(docs/federation) that explains it.
      type: str
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.federation_check import TASK

if __name__ == "__main__":
    main(TASK)
