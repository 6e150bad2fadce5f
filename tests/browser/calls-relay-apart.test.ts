import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_ARGUMENTS, relayedPair } from "./calling.ts";
import { apart } from "./parts.ts";
import { Scene } from "./scene.ts";

const scene = new Scene({}, CALL_ARGUMENTS, { parts: apart("turn") });
/** How often the server dies in one call. */
const CRASHES = process.env["SECURECONNECT_SOAK"] ? 20 : 1;

test("where the relay runs apart, relayed pictures and sound go on while everything else is down", async () => {
  const [ann, bob] = await relayedPair(scene.browser, scene.server.url, "Apart");
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    await scene.server.kill();
    await ann.call.getByText("Reconnecting… The call goes on.").waitFor();
    const down = await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
    assert.ok(down.flat().every(({ relayed }) => relayed));
    await scene.server.restart();
    await Promise.all([ann, bob].map(({ call }) => call.getByText("Reconnecting").waitFor({ state: "hidden" })));
    await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  }
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  await Promise.all([ann.leave(), bob.leave()]);
});
