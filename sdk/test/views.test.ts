// The view is held to the recorded counts, the same that hold the Rust client: protocol/vectors/README.md.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { ConversationView } from "../src/core/conversation.ts";
import type { Conversation, Messages, ReadMarker } from "../src/generated.ts";

interface Step {
  entry?: { type: string; body: unknown };
  stands?: Conversation;
  marker?: ReadMarker;
  page?: Messages;
  reset?: object;
  unread: number;
}

const folder = new URL("../../protocol/vectors/views/", import.meta.url);
const names = readdirSync(folder);

test("there are views", () => assert.ok(names.length >= 3));

for (const name of names) {
  const story = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as { about: string; me: string; steps: Step[] };
  test(`${name}: ${story.about}`, () => {
    const view = new ConversationView(story.me);
    story.steps.forEach((step, index) => {
      play(view, step);
      assert.equal(view.unread, step.unread, `step ${index + 1}`);
    });
  });
}

function play(view: ConversationView, { entry, stands, marker, page, reset }: Step): void {
  if (entry) view.apply({ name: entry.type, body: entry.body });
  else if (stands) view.stands(stands);
  else if (marker) view.markRead(marker);
  else if (page) view.merge(page);
  else if (reset) view.reset();
  else assert.fail("an unknown step");
}
