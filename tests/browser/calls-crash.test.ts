import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_ARGUMENTS, pair, type Caller } from "./calling.ts";
import { Cable } from "./cable.ts";
import { Scene } from "./scene.ts";

const scene = new Scene({}, CALL_ARGUMENTS);
/** How often the server dies in one call. */
const CRASHES = process.env["SECURECONNECT_SOAK"] ? 20 : 3;

const status = ({ call }: Caller) => call.locator(".call-status");
const back = (caller: Caller) => status(caller).filter({ hasText: /^$/ }).waitFor({ state: "attached" });

test("the server is killed in a call: pictures and sound go on, and everyone is back in the same call", async (t) => {
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Crash");
  await ann.start("video");
  await bob.answer("Accept with video");
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    await scene.server.kill();
    await Promise.all([ann, bob].map((caller) => status(caller).getByText("Reconnecting").waitFor()));
    await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
    if (crash === 1) await ann.person.shot("call-reconnecting");
    await scene.server.restart();
    const restarted = Date.now();
    await Promise.all([back(ann), back(bob)]);
    t.diagnostic(`all back ${Date.now() - restarted} ms after the restart`);
    await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
    for (const caller of [ann, bob]) {
      assert.equal(await caller.ring.count(), 0, "nothing rings again");
      assert.equal(await caller.call.locator(".tile").count(), 2, "nobody is there twice");
      assert.equal(await caller.call.locator(".tile-trouble:visible").count(), 0);
    }
  }
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  await Promise.all([ann.leave(), bob.leave()]);
});

test("one side's sockets are cut: the other one sees it, media go on, and the place is kept", async () => {
  const cable = await Cable.to(scene.server.url);
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Cut");
  const far = await bob.device(scene.browser, cable.url);
  await ann.start("video");
  await far.answer("Accept with video");
  await Promise.all([ann.seesAndHears(1), far.seesAndHears(1)]);
  cable.cut();
  await status(far).getByText("Reconnecting").waitFor();
  await Promise.all([ann.seesAndHears(1), far.seesAndHears(1)]);
  cable.mend();
  await back(far);
  await Promise.all([ann.seesAndHears(1), far.seesAndHears(1)]);
  assert.equal(await ann.call.locator(".tile").count(), 2);
  await far.press("Leave call");
  await ann.call.waitFor({ state: "detached" });
  await Promise.all([ann.leave(), bob.leave(), far.leave()]);
  await cable.end();
});
