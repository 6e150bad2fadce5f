import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { Client, type ClientEvent } from "../src/client.ts";
import { ApiError } from "../src/errors.ts";
import type { Message } from "../src/generated.ts";
import { MemoryOutbox } from "../src/outbox/outbox.ts";
import { Rest } from "../src/rest.ts";
import { Sender, type SendEvent } from "../src/sender.ts";
import { Session } from "../src/session.ts";
import { answering, CONVERSATION, grant, ME, wires } from "./helpers.ts";

function connected(t: TestContext) {
  const server = answering({ body: grant("t1") }, { body: grant("t2") });
  const { openSocket, wire } = wires();
  const session = new Session(new Rest("", server.fetchWith));
  const faults: unknown[] = [];
  const client = new Client({ url: "ws://chat.example/v1/ws", session, openSocket, onFault: (error) => faults.push(error) });
  const events: ClientEvent[] = [];
  client.subscribe((event) => events.push(event));
  client.start();
  t.after(() => client.stop());
  return { client, wire, events, server, faults };
}

/** Until what was put off to the next turns has happened. */
async function settle(until: () => boolean): Promise<void> {
  while (!until()) await new Promise((resolve) => setImmediate(resolve));
}

function message(seq: number): Message {
  return { conversation: CONVERSATION, seq, number: seq, by: ME, client_id: ME, text: `m${seq}`, at: 0 };
}

function entry(seq: number) {
  return { type: "message.new", from: { stream: `c:${CONVERSATION}`, seq, tag: `0000000${seq}` }, at: 1, body: message(seq) };
}

test("the token travels in the first frame, never in the URL", async (t) => {
  const { wire } = connected(t);
  const first = await wire(0);
  first.open();
  assert.equal(first.url, "ws://chat.example/v1/ws");
  assert.deepEqual(first.protocols, ["secureconnect.v1.json"]);
  assert.deepEqual(first.last("hello").body, { token: "t1" });
});

test("a command waits for the connection and is answered", async (t) => {
  const { client, wire } = connected(t);
  const asked = client.call("conversations.list", { body: { limit: 5 } });
  const first = await wire(0);
  first.greet();
  const frame = first.last("conversations.list");
  assert.deepEqual(frame.body, { limit: 5 });
  first.say({ id: frame.id, ok: { conversations: [], more: false } });
  assert.deepEqual(await asked, { conversations: [], more: false });
  assert.equal(client.status.state, "live");
});

test("a lost connection is made anew, and what was not answered is sent again", async (t) => {
  const { client, wire } = connected(t);
  const first = await wire(0);
  first.greet();
  const created = client.call("conversations.create", { body: { kind: "group", title: "x" } });
  const { key } = first.last("conversations.create");
  first.lose();
  const second = await wire(1);
  second.greet();
  const again = second.last("conversations.create");
  assert.equal(again.key, key);
  second.say({ id: again.id, error: { code: "forbidden", message: "no" } });
  await assert.rejects(created, (error: ApiError) => error.code === "forbidden");
});

test("entries come once and in order, whatever the socket repeats", async (t) => {
  const { wire, events } = connected(t);
  const first = await wire(0);
  first.greet();
  for (const seq of [1, 2, 2, 1, 3]) first.say(entry(seq));
  const seqs = events.filter((event) => event.kind === "entry").map(({ from }) => from.seq);
  assert.deepEqual(seqs, [1, 2, 3]);
});

test("an abandoned socket is not heard any more", async (t) => {
  const { wire, events } = connected(t);
  const first = await wire(0);
  first.greet();
  first.say(entry(1));
  first.say(entry(3));
  assert.equal(first.closedWith, 4004);
  first.say(entry(2));
  assert.equal(events.filter((event) => event.kind === "entry").length, 1);
});

test("before its token runs out the socket is given a fresh one in place", async (t) => {
  const { wire } = connected(t);
  const first = await wire(0);
  first.greet();
  first.say({ type: "token.expiring", body: { expires_at: Date.now() + 60_000 } });
  await settle(() => first.sent.some((frame) => frame.type === "renew"));
  assert.deepEqual(first.last("renew").body, { token: "t2" });
});

test("a listener that fails does not stop the client", async (t) => {
  const { client, wire, events, faults } = connected(t);
  let failed = false;
  client.subscribe((event) => {
    if (event.kind !== "entry" || failed) return;
    failed = true;
    throw new Error("a fault of the app");
  });
  const first = await wire(0);
  first.greet();
  first.say(entry(1));
  first.say(entry(2));
  assert.equal(faults.length, 1);
  assert.equal(events.filter((event) => event.kind === "entry").length, 2);
});

test("a message stays in the outbox until it is acknowledged, and a later page sends it under the same id", async (t) => {
  const outbox = new MemoryOutbox();
  const told: SendEvent[] = [];
  const before = connected(t);
  const sender = new Sender(before.client, outbox, ME, (event) => told.push(event));
  const typed = sender.send(CONVERSATION, "hello");
  await settle(() => told.length >= 2);
  before.client.stop();
  await settle(() => before.client.status.state === "stopped");
  assert.equal((await outbox.of(ME)).length, 1);

  const after = connected(t);
  const next = new Sender(after.client, outbox, ME, (event) => told.push(event));
  await next.restore();
  const wire = await after.wire(0);
  wire.greet();
  const frame = wire.last("messages.send");
  assert.deepEqual(frame.body, { client_id: typed.client_id, text: "hello" });
  wire.say({ id: frame.id, ok: { seq: 4, tag: "00000004", number: 2, at: 9 } });
  await settle(() => told.at(-1)?.kind === "sent");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await outbox.of(ME), []);
});

test("messages are sent in the order in which they were typed", async (t) => {
  const { client, wire } = connected(t);
  const told: SendEvent[] = [];
  const sender = new Sender(client, new MemoryOutbox(), ME, (event) => told.push(event));
  for (const text of ["one", "two", "three"]) sender.send(CONVERSATION, text);
  const first = await wire(0);
  first.greet();
  for (let seq = 1; seq <= 3; seq += 1) {
    await settle(() => first.sent.filter((frame) => frame.type === "messages.send").length === seq);
    first.say({ id: first.last("messages.send").id, ok: { seq, tag: `0000000${seq}`, number: seq, at: 9 } });
  }
  const texts = first.sent.filter((frame) => frame.type === "messages.send").map(({ body }) => (body as { text: string }).text);
  assert.deepEqual(texts, ["one", "two", "three"]);
});
