import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_ARGUMENTS, pair } from "./calling.ts";
import { Scene } from "./scene.ts";
import { first, marks, record, roundTrips } from "./timeline.ts";

const scene = new Scene({}, CALL_ARGUMENTS);

test("from the answer to media three round trips at most are waited for, and nothing else is asked of the server", async () => {
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Trips");
  await Promise.all([record(ann), record(bob)]);
  await ann.start("video");
  await bob.ring.waitFor();
  await Promise.all([marks(ann), marks(bob)]);
  await bob.answer("Accept with video");
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  const sides = await Promise.all([marks(bob), marks(ann)]);
  const trips = roundTrips(sides);
  assert.ok(trips <= 3, `${trips} round trips: ${JSON.stringify(sides)}`);
  const asked = sides.flatMap((side) => side.filter(({ what, at }) => what.startsWith("says call.") && at < first(side, "dtls connected")));
  assert.deepEqual(asked.map(({ what }) => what), ["says call.join"]);
  await Promise.all([ann.leave(), bob.leave()]);
});
