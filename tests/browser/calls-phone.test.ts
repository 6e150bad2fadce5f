import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_ARGUMENTS, pair } from "./calling.ts";
import { PHONE } from "./people.ts";
import { Scene } from "./scene.ts";

const scene = new Scene({}, CALL_ARGUMENTS);

test("on a phone one is called, answers and talks; everything can be hit with a finger", async () => {
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Pocket", PHONE);
  await ann.start("video");
  await bob.ring.waitFor();
  await bob.person.shot("phone-call-incoming");
  await bob.answer("Accept with video");
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  await ann.person.shot("phone-call");
  for (const button of await ann.call.getByRole("toolbar").getByRole("button").all()) {
    const box = await button.boundingBox();
    assert.ok(box && box.width >= 44 && box.height >= 44 && box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
  }
  await bob.press("Back to the chat");
  await bob.page.getByRole("button", { name: "Back to the call" }).waitFor();
  await bob.person.shot("phone-call-aside");
  await bob.page.getByRole("button", { name: "Leave call" }).click();
  await ann.call.waitFor({ state: "detached" });
  await Promise.all([ann.leave(), bob.leave()]);
});
