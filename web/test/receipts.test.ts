import assert from "node:assert/strict";
import { test } from "node:test";
import { Receipts } from "../src/model/receipts.ts";
import { ME, message, OTHER } from "./helpers.ts";

const changed = (user: string, read_seq: number, delivered_seq: number) => ({ conversation: "c", user, read_seq, delivered_seq });
const member = (user: string) => ({ user, role: "member" as const, joined_seq: 1 });

test("a message is read when everybody has read it, delivered when it reached everybody", () => {
  const receipts = new Receipts(ME);
  receipts.members([member(ME), member(OTHER), member("third")]);
  const own = message(2, ME);
  assert.equal(receipts.of(own), "sent");
  receipts.changed(changed(OTHER, 4, 4));
  assert.equal(receipts.of(own), "sent");
  assert.deepEqual(receipts.readers(own), [OTHER]);
  receipts.changed(changed("third", 0, 4));
  assert.equal(receipts.of(own), "delivered");
  receipts.changed(changed("third", 4, 4));
  assert.equal(receipts.of(own), "read");
});

test("markers never go back, who left is not waited for, who joined later is not either", () => {
  const receipts = new Receipts(ME);
  receipts.members([member(OTHER), member("third")]);
  const own = message(2, ME);
  receipts.changed(changed(OTHER, 4, 4));
  receipts.changed(changed(OTHER, 2, 2));
  receipts.left("third");
  receipts.joined("late", 9);
  assert.equal(receipts.of(own), "read");
});

test("alone, nothing is more than sent; in large conversations counts tell", () => {
  const receipts = new Receipts(ME);
  receipts.members([member(ME)]);
  const own = message(2, ME);
  assert.equal(receipts.of(own), "sent");
  receipts.counted({ conversation: "c", seq: own.seq, read: 0, delivered: 60 });
  assert.equal(receipts.of(own), "delivered");
});
