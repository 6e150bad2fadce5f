import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, ERROR_CODES, type ErrorCode } from "@secureconnect/sdk";
import { deviceName } from "../src/device.ts";
import { count, dayLabel, firstLine, lastSeen, nameList } from "../src/format.ts";
import { initials } from "../src/ui/avatar.ts";
import { describe } from "../src/words.ts";

const NOON = new Date(2026, 4, 20, 12).getTime();
const HOUR = 3_600_000;

test("every code is said in words that name no code", () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const words = describe(new ApiError(code, "The server's own words."));
    assert.match(words, /^[A-Z].*\.$/, code);
    assert.ok(!words.includes("_"), code);
  }
});

test("a limit says when to try again", () => {
  assert.equal(describe(new ApiError("rate_limited", "m", "", 4_200)), "That was too fast. Try again in 5 seconds.");
  assert.equal(describe(new ApiError("rate_limited", "m", "", 240_000)), "That was too fast. Try again in 4 minutes.");
});

test("times are told as people tell them", () => {
  assert.equal(dayLabel(NOON, NOON), "Today");
  assert.equal(dayLabel(NOON - 13 * HOUR, NOON), "Yesterday");
  assert.equal(lastSeen(NOON - 30_000, NOON), "last seen just now");
  assert.equal(lastSeen(NOON - 600_000, NOON), "last seen 10 min ago");
  assert.match(lastSeen(NOON - 20 * HOUR, NOON), /^last seen yesterday at /);
});

test("names, counts and first lines", () => {
  assert.equal(nameList(["Ann", "Bob", "Cem", "Dan"]), "Ann, Bob and 2 others");
  assert.equal(count(1, "member", "members"), "1 member");
  assert.equal(firstLine("one\ntwo"), "one");
  assert.equal(initials("Ann Maria Lindqvist"), "AL");
  assert.equal(initials("  "), "?");
});

test("a device is named by its browser and system", () => {
  const agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1";
  assert.equal(deviceName(agent), "Safari on iPhone");
});
