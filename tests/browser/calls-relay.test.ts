import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_ARGUMENTS, type Caller, relayedPair, until } from "./calling.ts";
import { Scene } from "./scene.ts";

/** Credentials as short as they may be, so that a test sees them renewed. */
const scene = new Scene({ SECURECONNECT_TURN__CREDENTIAL_S: "30" }, CALL_ARGUMENTS);

/** The name of the path that is negotiated now. */
function path({ page }: Caller): Promise<string | undefined> {
  return page.evaluate(() => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    const open = connections.find(({ connectionState }) => connectionState !== "closed");
    return /a=ice-ufrag:(\S+)/.exec(open?.currentLocalDescription?.sdp ?? "")?.[1];
  });
}

test("two who hide their addresses talk through the server's relay, and go on when its credentials are renewed", async () => {
  const [ann, bob] = await relayedPair(scene.browser, scene.server.url, "Relay");
  const first = await path(ann);
  await until("a new path is negotiated before the credentials end", () => path(ann), (now) => now !== first);
  const later = await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  assert.ok(later.flat().every(({ relayed }) => relayed));

  // The relay dies with the process that it is in; the call finds the next one.
  await scene.server.kill();
  await ann.call.getByText("Reconnecting… The call goes on.").waitFor();
  await scene.server.restart();
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  await Promise.all([ann.leave(), bob.leave()]);
});
