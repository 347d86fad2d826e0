// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The smallest server of Fedify that has an account, as its manual writes one: https://fedify.dev/manual/federation

import { createServer } from "node:http";
import { createFederation, generateCryptoKeyPair, MemoryKvStore } from "@fedify/fedify";
import { Endpoints, Follow, Person } from "@fedify/vocab";

const [domain, port, address] = process.argv.slice(2);
const keys = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5")];
const federation = createFederation({ kv: new MemoryKvStore(), origin: `https://${domain}` });
federation
  .setActorDispatcher("/users/{identifier}", async (context, identifier) => {
    if (identifier !== "alice") return null;
    const [pair] = await context.getActorKeyPairs(identifier);
    return new Person({
      id: context.getActorUri(identifier),
      preferredUsername: identifier,
      inbox: context.getInboxUri(identifier),
      endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
      publicKey: pair.cryptographicKey,
    });
  })
  .setKeyPairsDispatcher(() => keys);
federation.setInboxListeners("/users/{identifier}/inbox", "/inbox").on(Follow, () => {});
federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
  software: { name: "fedify-app", version: "1.0.0" },
  protocols: ["activitypub"],
  usage: { users: {}, localPosts: 0, localComments: 0 },
}));

createServer(async (incoming, outgoing) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { method, url, headers } = incoming;
  const body = chunks.length ? Buffer.concat(chunks) : undefined;
  const request = new Request(`https://${headers.host}${url}`, { method, headers, body });
  const response = await federation.fetch(request, { contextData: undefined });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}).listen(Number(port), address);
