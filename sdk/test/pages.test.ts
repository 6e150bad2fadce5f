import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { Client } from "../src/client.ts";
import { MemoryOutbox } from "../src/outbox/outbox.ts";
import type { Pages } from "../src/outbox/pages.ts";
import { Rest } from "../src/rest.ts";
import { Sender, type SendEvent } from "../src/sender.ts";
import { Session } from "../src/session.ts";
import { answering, CONVERSATION, grant, ME, wires, type Wire } from "./helpers.ts";

/** The pages of a browser that is this test: who is gone is said by `close`. */
class Browser {
  readonly outbox = new MemoryOutbox();
  readonly #hears = new Map<string, (page: string) => void>();
  readonly #live = new Set<string>();
  readonly #waiting = new Map<string, { by: string; take: () => Promise<void> }[]>();

  page(id: string): Pages {
    this.#live.add(id);
    return {
      id,
      ready: Promise.resolve(),
      whenGone: (page, take) => {
        if (!this.#live.has(page)) return void take();
        this.#waiting.set(page, [...(this.#waiting.get(page) ?? []), { by: id, take }]);
      },
      announce: () => this.#hears.forEach((hear, page) => page !== id && hear(id)),
      onAnnounced: (hear) => this.#hears.set(id, hear),
      end: () => void this.close(id),
    };
  }

  /** The page is gone; the others are granted its lock one after the other. */
  async close(id: string): Promise<void> {
    this.#live.delete(id);
    this.#hears.delete(id);
    for (const { by, take } of this.#waiting.get(id) ?? []) if (this.#live.has(by)) await take();
    this.#waiting.delete(id);
  }
}

/** A page with a client that is connected, and what it says. */
async function opened(t: TestContext, browser: Browser, id: string): Promise<{ sender: Sender; client: Client; told: SendEvent[]; wire: Wire }> {
  const { openSocket, wire } = wires();
  const session = new Session(new Rest("", answering({ body: grant("t1") }).fetchWith));
  const client = new Client({ url: "ws://test/v1/ws", session, openSocket });
  t.after(() => client.stop());
  const told: SendEvent[] = [];
  const sender = new Sender(client, browser.outbox, ME, (event) => told.push(event), browser.page(id));
  client.start();
  const first = await wire(0);
  first.greet();
  return { sender, client, told, wire: first };
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const sends = (wire: Wire) => wire.sent.filter((frame) => frame.type === "messages.send").map(({ body }) => (body as { text: string }).text);

test("a page leaves alone what another page sends, and takes over what that one leaves, once", async (t) => {
  const browser = new Browser();
  const one = await opened(t, browser, "one");
  const other = await opened(t, browser, "other");
  await other.sender.restore();
  // Written after the other page looked: it hears of it.
  one.sender.send(CONVERSATION, "of the first page");
  await settle();
  const third = await opened(t, browser, "third");
  await third.sender.restore();
  await settle();
  assert.deepEqual([one, other, third].map(({ wire }) => sends(wire)), [["of the first page"], [], []]);

  await browser.close("one");
  await settle();
  assert.deepEqual([other, third].map(({ wire }) => sends(wire)), [["of the first page"], []]);
  assert.deepEqual((await browser.outbox.of(ME)).map(({ page }) => page), ["other"]);
  // And the third takes it over in turn.
  await browser.close("other");
  await settle();
  assert.deepEqual(sends(third.wire), ["of the first page"]);
  const frame = third.wire.last("messages.send");
  third.wire.say({ id: frame.id, ok: { seq: 4, tag: "00000004", number: 2, at: 9 } });
  await settle();
  assert.deepEqual(await browser.outbox.of(ME), []);
});

test("a client that is started again goes on with what its own page has waiting, and sends nothing twice", async (t) => {
  const browser = new Browser();
  const { sender, client, told, wire } = await opened(t, browser, "one");
  sender.send(CONVERSATION, "one");
  await settle();
  await sender.restore();
  assert.deepEqual(sends(wire), ["one"], "it flies already");
  client.stop();
  await settle();
  assert.ok(!told.some(({ kind }) => kind === "refused"));
  told.length = 0;
  client.start();
  await sender.restore();
  assert.deepEqual(told.map(({ kind }) => kind), ["pending"]);
});
