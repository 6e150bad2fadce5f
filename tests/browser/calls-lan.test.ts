import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_ARGUMENTS, Caller } from "./calling.ts";
import { ONE_PROCESS } from "./parts.ts";
import { openBrowser } from "./people.ts";
import { SecondMachine } from "./second-machine.ts";
import { Server } from "./server.ts";

/** The address that the other side's media come from. */
function otherSide({ page }: Caller): Promise<string | undefined> {
  return page.evaluate(async () => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    const stats = new Map((await connections.at(-1)!.getStats()) as unknown as Map<string, Record<string, string>>);
    const transport = [...stats.values()].find(({ type }) => type === "transport");
    const pair = stats.get(transport?.["selectedCandidatePairId"] ?? "");
    return stats.get(pair?.["remoteCandidateId"] ?? "")?.["address"];
  });
}

test("`serve --lan` serves a second machine in the network: it opens the page over TLS, and both call each other with moving pictures", async (context) => {
  const machine = SecondMachine.start();
  context.after(() => machine.end());
  context.diagnostic(`the second machine is ${machine.kind}`);
  const server = await Server.start({}, ONE_PROCESS, machine.first);
  context.after(() => server.end());
  const here = await openBrowser(CALL_ARGUMENTS);
  context.after(() => here.close());
  const there = await machine.browser(CALL_ARGUMENTS);
  context.after(() => there.close());

  // The certificate is the server's own: a person agrees to it once.
  const agreed = { ignoreHTTPSErrors: true };
  const [ann, bob] = await Promise.all([
    Caller.new(here, server.url, "Ann Lan", "ann.lan", agreed),
    Caller.new(there, server.url, "Bob Lan", "bob.lan", agreed),
  ]);
  assert.match(server.url, /^https:/);
  await ann.person.meet(bob.person);
  await bob.person.open(ann.person.name);
  for (const [caller, callee] of [[ann, bob], [bob, ann]] as const) {
    await caller.start("video");
    await callee.answer("Accept with video");
    const flows = await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
    assert.ok(flows.flat().every(({ relayed }) => !relayed));
    if (machine.second !== undefined) assert.equal(await otherSide(ann), machine.second);
    await caller.press("Leave call");
    await callee.call.waitFor({ state: "detached" });
  }
  await Promise.all([ann.leave(), bob.leave()]);
});
