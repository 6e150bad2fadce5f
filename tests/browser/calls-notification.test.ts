import assert from "node:assert/strict";
import { test } from "node:test";
import { clickNotice, lookAway, lookBack, loudness, notices, watch } from "./attention.ts";
import { CALL_ARGUMENTS, type Caller, pair, until } from "./calling.ts";
import { Scene } from "./scene.ts";

const scene = new Scene({}, CALL_ARGUMENTS);

async function rings({ page, ring }: Caller): Promise<void> {
  await ring.waitFor();
  await until("the ring is heard", () => loudness(page), (level) => level !== undefined && level > 0.01);
}

async function isQuiet({ page, ring }: Caller): Promise<void> {
  await ring.waitFor({ state: "detached" });
  await until("nothing is played any more", () => loudness(page), (level) => level === undefined);
}

test("a call rings with sound, and with a notice of the system where nobody looks at the page; both end with the ring", async () => {
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Notice", { permissions: ["notifications"] });
  const second = await bob.device(scene.browser, scene.server.url);
  await watch(bob.page);
  const seen = async (events: string[]) => {
    const last = await until(`the notice is told of ${events.join()}`, async () => (await notices(bob.page)).at(-1), (notice) => notice?.events.length === events.length);
    assert.deepEqual(last, { title: "Ann Notice calls", body: "Call", events });
  };

  // Whoever looks needs no notice; it comes when they look away, and goes when they are back.
  await ann.start("audio");
  await rings(bob);
  assert.deepEqual(await notices(bob.page), []);
  await lookAway(bob.page);
  await seen(["show"]);
  await lookBack(bob.page);
  await seen(["show", "close"]);
  await ann.press("Leave call");
  await isQuiet(bob);

  // Answered on another device.
  await lookAway(bob.page);
  await ann.start("audio");
  await rings(bob);
  await seen(["show"]);
  await second.answer("Accept");
  await seen(["show", "close"]);
  await isQuiet(bob);
  await second.press("Leave call");
  await ann.call.waitFor({ state: "detached" });

  // It leads to the page.
  await ann.start("audio");
  await rings(bob);
  await seen(["show"]);
  assert.ok(await clickNotice(bob.page), "the page comes to the front");
  await seen(["show", "close"]);
  assert.equal((await notices(bob.page)).length, 3);
  await lookBack(bob.page);
  await bob.answer("Accept");
  await Promise.all([ann.seesAndHears(1, ["audio"]), bob.seesAndHears(1, ["audio"])]);
  await isQuiet(bob);
  await Promise.all([ann.leave(), bob.leave(), second.leave()]);
});
