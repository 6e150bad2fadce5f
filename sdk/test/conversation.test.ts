import assert from "node:assert/strict";
import { test } from "node:test";

import { ConversationView } from "../src/core/conversation.ts";
import type { Message } from "../src/generated.ts";

const ME = "me";
const OTHER = "other";

function message(number: number, by: string, text = "x"): Message {
  return { conversation: "c", seq: number * 2, number, by, client_id: `id-${number}`, text, at: 0 };
}

const page = (...messages: Message[]) => ({ messages, more_before: false, more_after: false, head: { seq: 0, tag: "00000000" } });
const texts = (view: ConversationView) => view.messages.map(({ text }) => text);

test("edits and deletes change the message, and a late page does not undo them", () => {
  const view = new ConversationView(ME);
  view.merge(page(message(1, OTHER, "one"), message(2, OTHER, "two")));
  const edit = { conversation: "c", target: 2, text: "uno", revision: 1, by: OTHER, client_id: "e" };
  view.apply({ name: "message.edited", at: 5, body: edit });
  view.apply({ name: "message.deleted", body: { conversation: "c", target: 4, by: OTHER } });
  view.apply({ name: "message.edited", body: { ...edit, text: "never" } });
  assert.deepEqual(texts(view), ["uno", ""]);
  view.merge(page(message(1, OTHER, "one"), message(2, OTHER, "two")));
  assert.deepEqual(texts(view), ["uno", ""]);
});

test("unread counts what others sent after the marker, and the marker never goes back", () => {
  const view = new ConversationView(ME);
  for (const [number, by] of [[1, OTHER], [2, ME], [3, OTHER], [4, OTHER]] as const) {
    view.apply({ name: "message.new", body: message(number, by) });
  }
  assert.equal(view.unread, 3);
  view.markRead({ seq: 6, number: 3, own_number: 1 });
  assert.equal(view.unread, 1);
  view.markRead({ seq: 2, number: 1, own_number: 0 });
  view.apply({ name: "message.deleted", body: { conversation: "c", target: 8, by: OTHER } });
  assert.equal(view.unread, 1, "a deleted message counts until it is read");
});

test("an own send waits until the log has it, also over a reset", () => {
  const view = new ConversationView(ME);
  const sent = message(1, ME, "hello");
  view.queued({ client_id: sent.client_id, text: "hello", at: 0 });
  view.reset();
  assert.equal(view.pending.length, 1);
  view.refused(sent.client_id, "why");
  assert.equal(view.pending[0]?.refused, "why");
  view.apply({ name: "message.new", body: sent });
  assert.equal(view.pending.length, 0);
  assert.deepEqual(texts(view), ["hello"]);
});

test("pages may come in any order", () => {
  const view = new ConversationView(ME);
  view.merge(page(message(3, OTHER, "c"), message(4, OTHER, "d")));
  view.merge(page(message(1, OTHER, "a"), message(2, OTHER, "b")));
  assert.deepEqual(texts(view), ["a", "b", "c", "d"]);
});
