import assert from "node:assert/strict";
import { test } from "node:test";
import type { Call, CallRecord, ParticipantStatus } from "@secureconnect/sdk";
import { duration, elapsed, endWords, recordWords, wasMissed } from "../src/calls/words.ts";
import { ME, OTHER } from "./helpers.ts";

function record(over: Partial<CallRecord>, own: ParticipantStatus = "left", joined?: number): CallRecord {
  const mine = { user: ME, status: own, ...(joined === undefined ? {} : { joined_at: joined }) };
  return {
    call: "x", conversation: "c", kind: "audio", status: "ended", by: OTHER, created_at: 0, ended_at: 200_000, duration_ms: 0,
    participants: [mine, { user: OTHER, status: "left", joined_at: 0 }],
    ...over,
  };
}

test("a call that is over is told as each of its people saw it", () => {
  const talked = record({ answered_at: 20_000, duration_ms: 180_000 }, "left", 20_000);
  assert.equal(recordWords(talked, ME), "Call, 3 min");
  const missed = record({ status: "missed" }, "missed");
  assert.deepEqual([recordWords(missed, ME), wasMissed(missed, ME)], ["Missed call", true]);
  assert.deepEqual([recordWords(missed, OTHER), wasMissed(missed, OTHER)], ["Call, no answer", false]);
  assert.equal(recordWords(record({ status: "declined", kind: "video" }, "declined"), ME), "Video call, declined");
  assert.equal(recordWords(record({ status: "busy" }, "busy"), OTHER), "Call, busy");
  assert.equal(recordWords(record({ status: "cancelled" }, "missed"), OTHER), "Call, cancelled");
  // The others talked, and this one did not come.
  assert.equal(recordWords(record({ answered_at: 1, duration_ms: 60_000 }, "missed"), ME), "Missed call");
});

test("why one is out of a call is said in a sentence, unless one knows", () => {
  const over = (status: Call["status"], by = ME): Call => ({
    id: "x", version: 1, conversation: "c", kind: "audio", status, by, host: by, created_at: 0, ring_until: 0, limit: 4, participants: [],
  });
  const words = (call: Call) => endWords({ kind: "over" }, call, ME, "Bob");
  assert.equal(words(over("declined")), "Bob declined.");
  assert.equal(words(over("busy")), "Bob is in another call.");
  assert.equal(words(over("missed")), "Bob did not answer.");
  assert.equal(endWords({ kind: "left" }, undefined, ME, "Bob"), "");
  assert.equal(endWords({ kind: "refused", error: { code: "call_full", message: "m" } }, undefined, ME, "Bob"), "The call is full.");
});

test("times of calls", () => {
  assert.deepEqual([7_000, 180_000, 3_900_000].map(duration), ["7 s", "3 min", "1 h 5 min"]);
  assert.deepEqual([7_000, 750_000, 3_723_000].map(elapsed), ["0:07", "12:30", "1:02:03"]);
});
