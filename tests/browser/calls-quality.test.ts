import { after, test } from "node:test";
import { CALL_ARGUMENTS, type Caller, relayedPair } from "./calling.ts";
import { Scene } from "./scene.ts";
import { UdpCable } from "./udp-cable.ts";

const cable = await UdpCable.open();
const scene = new Scene({ SECURECONNECT_TURN__URLS: `["turn:127.0.0.1:${cable.port}?transport=udp"]` }, CALL_ARGUMENTS);
after(() => cable.end());

async function sees(caller: Caller, other: string, grade: "Good" | "Poor"): Promise<void> {
  await caller.tile(other).getByText(`${grade} connection`).waitFor({ state: "attached" });
}

test("how the connection does is shown beside each person, and follows what is lost on the way", async () => {
  cable.lead(scene.server.address("turn", "turn"));
  const [ann, bob] = await relayedPair(scene.browser, scene.server.url, "Quality");
  const both = (grade: "Good" | "Poor") => Promise.all([sees(ann, "Bob", grade), sees(bob, "Ann", grade)]);
  await both("Good");
  cable.lose(4);
  await both("Poor");
  await ann.person.shot("call-poor");
  cable.lose(0);
  await both("Good");
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  await Promise.all([ann.leave(), bob.leave()]);
});
