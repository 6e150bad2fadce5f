import assert from "node:assert/strict";
import { test } from "node:test";
import { Scene } from "./scene.ts";

const scene = new Scene();
/** A page that has found nobody for a while tries again after up to 25 s. */
const BACK_WITHIN_MS = 40_000;

test("the server is killed and started again: what was written meanwhile is kept and arrives once", async () => {
  const ann = await scene.person("Ann Storm", "ann.storm");
  const bob = await scene.person("Bob Storm", "bob.storm");
  await ann.meet(bob);
  await ann.say("Before the storm");
  await bob.open("Ann Storm");
  await ann.receipt("Before the storm", "read");

  await scene.server.kill();
  await ann.banner.waitFor();
  await ann.say("Written in the dark");
  await ann.say("And another one");
  await ann.messages.locator(".message.pending", { hasText: "Written in the dark" }).waitFor();
  await ann.shot("offline");

  await scene.server.restart();
  await ann.banner.waitFor({ state: "hidden", timeout: BACK_WITHIN_MS });
  await bob.banner.waitFor({ state: "hidden", timeout: BACK_WITHIN_MS });
  await ann.receipt("Written in the dark", "read");
  await bob.sees("And another one");
  const expected = ["Before the storm", "Written in the dark", "And another one"];
  assert.deepEqual(await ann.texts(), expected);
  assert.deepEqual(await bob.texts(), expected);

  await bob.say("Everything is here");
  await ann.sees("Everything is here");
  await ann.leave();
  await bob.leave();
});

test("what was written without a network survives a reload", async () => {
  const ann = await scene.person("Ann Tunnel", "ann.tunnel");
  const bob = await scene.person("Bob Tunnel", "bob.tunnel");
  await ann.meet(bob);
  await ann.say("Going into the tunnel");
  await bob.open("Ann Tunnel");
  await bob.sees("Going into the tunnel");

  await scene.server.kill();
  await ann.banner.waitFor();
  await ann.say("Still in the tunnel");
  await ann.messages.locator(".message.pending", { hasText: "Still in the tunnel" }).waitFor();
  // The page goes away before the server is back.
  await ann.page.goto("about:blank");
  await scene.server.restart();
  await ann.page.goto(scene.server.url);
  await bob.banner.waitFor({ state: "hidden", timeout: BACK_WITHIN_MS });
  await bob.sees("Still in the tunnel");
  await ann.open("Bob Tunnel");
  await ann.receipt("Still in the tunnel", "read");
  assert.deepEqual(await bob.texts(), ["Going into the tunnel", "Still in the tunnel"]);
  await ann.leave();
  await bob.leave();
});
