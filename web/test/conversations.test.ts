import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "@secureconnect/sdk";
import { Conversations } from "../src/model/conversations.ts";
import { Topics } from "../src/model/topics.ts";
import { conversation, ME, message, OTHER } from "./helpers.ts";

function list(): Conversations {
  const conversations = new Conversations(undefined as unknown as Client, new Topics(), ME);
  conversations.put(conversation({ last_message: message(1, OTHER) }));
  return conversations;
}

function tell(conversations: Conversations, seq: number, name: string, body: unknown): void {
  conversations.entry("c", { stream: "c:c", seq, tag: `0000000${seq}` }, name, body);
}

test("what others send is unread until the marker moves, what one sends is not", () => {
  const conversations = list();
  tell(conversations, 4, "message.new", message(2, OTHER));
  tell(conversations, 6, "message.new", message(3, ME));
  assert.equal(conversations.get("c")?.unread, 1);
  assert.equal(conversations.unread, 1);
  conversations.read({ conversation: "c", seq: 6, number: 3, own_number: 1 });
  assert.equal(conversations.unread, 0);
});

test("an own message that comes late leaves what is unread as it was, before and after the marker moves", () => {
  const conversations = list();
  tell(conversations, 4, "message.new", message(2, OTHER));
  tell(conversations, 6, "message.new", message(3, OTHER));
  tell(conversations, 8, "message.new", message(4, ME));
  assert.equal(conversations.unread, 2);
  conversations.read({ conversation: "c", seq: 4, number: 2, own_number: 0 });
  assert.equal(conversations.unread, 1);
  conversations.seen("c");
  assert.equal(conversations.unread, 0, "it was looked at; the marker follows");
  tell(conversations, 10, "message.new", message(5, OTHER));
  assert.equal(conversations.unread, 1);
});

test("a marker that is known before the messages it covers counts none of them", () => {
  const conversations = list();
  conversations.read({ conversation: "c", seq: 8, number: 4, own_number: 1 });
  tell(conversations, 4, "message.new", message(2, OTHER));
  tell(conversations, 6, "message.new", message(3, ME));
  tell(conversations, 8, "message.new", message(4, OTHER));
  assert.equal(conversations.unread, 0);
  tell(conversations, 10, "message.new", message(5, OTHER));
  assert.equal(conversations.unread, 1);
});

test("a marker in the middle leaves what is beyond it unread, and never goes back", () => {
  const conversations = list();
  for (const number of [2, 3, 4]) tell(conversations, number * 2, "message.new", message(number, OTHER));
  conversations.read({ conversation: "c", seq: 4, number: 2, own_number: 0 });
  assert.equal(conversations.unread, 2);
  conversations.read({ conversation: "c", seq: 2, number: 1, own_number: 0 });
  assert.equal(conversations.unread, 2);
});

test("an entry that the list already held changes nothing", () => {
  const conversations = list();
  tell(conversations, 2, "message.new", message(1, OTHER));
  assert.equal(conversations.unread, 0);
});

test("what was read earlier does not undo what the log told since", () => {
  const conversations = list();
  tell(conversations, 4, "message.new", message(2, OTHER, "news"));
  conversations.put(conversation());
  assert.equal(conversations.get("c")?.last_message?.text, "news");
});

test("edits and deletes show in the list, and leaving takes the conversation out of it", () => {
  const conversations = list();
  tell(conversations, 3, "message.edited", { target: 2, text: "uno", revision: 1 });
  assert.equal(conversations.get("c")?.last_message?.text, "uno");
  tell(conversations, 4, "message.deleted", { target: 2 });
  assert.equal(conversations.get("c")?.last_message?.deleted, true);
  tell(conversations, 5, "member.left", { user: ME, how: "kicked", by: OTHER });
  assert.equal(conversations.get("c"), undefined);
});

test("after a reset an older head is believed: the log is another one", () => {
  const conversations = list();
  tell(conversations, 4, "message.new", message(2, OTHER, "of a log that is gone"));
  conversations.forget("c");
  conversations.put(conversation({ last_message: message(1, OTHER, "restored") }));
  assert.equal(conversations.get("c")?.last_message?.text, "restored");
});
