import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_ARGUMENTS, pair } from "./calling.ts";
import { Scene } from "./scene.ts";

const scene = new Scene({}, CALL_ARGUMENTS);

test("every device and tab of the callee rings, one answers and the others stop; the caller's other device sees the call and takes it over", async () => {
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Devices");
  const { browser, server } = scene;
  const [second, third, tab, other] = await Promise.all([bob.device(browser, server.url), bob.device(browser, server.url), bob.tab(), ann.device(browser, server.url)]);
  await ann.start("video");
  await Promise.all([bob, tab, second, third].map(({ ring }) => ring.waitFor()));
  assert.equal(await other.ring.count(), 0);
  await second.answer("Accept with video");
  await Promise.all([bob, tab, third].map(({ ring }) => ring.waitFor({ state: "detached" })));
  await Promise.all([ann.seesAndHears(1), second.seesAndHears(1)]);
  const elsewhere = { hasText: "You are in a call on another device" };
  await Promise.all([bob, tab, third, other].map(({ page }) => page.locator(".call-bar", elsewhere).waitFor()));
  assert.equal(await bob.call.count(), 0);

  await other.page.getByRole("button", { name: "Take over here" }).click();
  await ann.toast.getByText("The call goes on on your other device.").waitFor();
  await ann.call.waitFor({ state: "detached" });
  await ann.page.locator(".call-bar", elsewhere).waitFor();
  await Promise.all([other.seesAndHears(1), second.seesAndHears(1)]);
  await other.press("Leave call");
  await second.call.waitFor({ state: "detached" });
  await Promise.all([ann, bob].map(({ page }) => page.locator(".call-bar").waitFor({ state: "hidden" })));
  await Promise.all([ann, bob, second, third, other].map((caller) => caller.leave()));
});
