import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { CALL_ARGUMENTS, pair, until, type Caller } from "./calling.ts";
import { FIVE_PROCESSES, TWO_SIGNALING } from "./parts.ts";
import { Scene } from "./scene.ts";
import type { Server } from "./server.ts";
import { Told } from "./told.ts";

const alone = new Scene({}, CALL_ARGUMENTS, { parts: FIVE_PROCESSES, redis: true });
const two = new Scene({}, CALL_ARGUMENTS, { parts: TWO_SIGNALING, redis: true });
/** How often signaling dies in one call. */
const CRASHES = process.env["SECURECONNECT_SOAK"] ? 20 : 2;
const BACK_WITHIN_MS = 5_000;

/** Two people in a video call, and what they are told of it. */
class Talk {
  readonly #callers: [Caller, Caller];
  readonly #told: Told[];

  private constructor(callers: [Caller, Caller], told: Told[]) {
    this.#callers = callers;
    this.#told = told;
  }

  static async begin({ browser, server }: Scene, name: string): Promise<Talk> {
    const [ann, bob] = await pair(browser, server.url, name);
    const told = [await Told.to(ann), await Told.to(bob)];
    await ann.person.open(bob.person.name);
    await ann.start("video");
    await bob.answer("Accept with video");
    const talk = new Talk([ann, bob], told);
    await talk.flows();
    return talk;
  }

  /** Pictures and sound, both ways. */
  async flows(): Promise<void> {
    await Promise.all(this.#callers.map((caller) => caller.seesAndHears(1)));
  }

  /** A signaling process dies. */
  async dies(server: Server, part: string): Promise<void> {
    this.#told.forEach((told) => told.clear());
    await server.kill(part);
  }

  /** Until both have been awaited and are back in the call that they were in; answers how long that took. */
  async back(since: number): Promise<number> {
    await Promise.all(this.#told.map((told) => told.until("call.recovered")));
    const took = Date.now() - since;
    assert.ok(took < BACK_WITHIN_MS, `${took} ms`);
    for (const told of this.#told) {
      assert.ok(told.has("call.recovering"));
      const states = told.states;
      assert.equal(new Set(states.map(({ id }) => id)).size, 1, "it is one call");
      assert.deepEqual(states.at(-1)!.participants.map(({ status }) => status), ["joined", "joined"]);
      const legs = new Set(states.flatMap(({ participants }) => participants.map(({ user, epoch }) => `${user} ${epoch}`)));
      assert.equal(legs.size, 2, "everyone comes back to their own leg");
    }
    await this.flows();
    for (const caller of this.#callers) {
      assert.equal(await caller.ring.count(), 0, "nothing rings again");
      assert.equal(await caller.call.locator(".tile").count(), 2, "nobody is there twice");
      assert.equal(await caller.call.locator(".tile-trouble:visible").count(), 0);
    }
    return took;
  }

  async ends(): Promise<void> {
    const [ann, bob] = this.#callers;
    await ann.press("Leave call");
    await bob.call.waitFor({ state: "detached" });
    await Promise.all(this.#callers.map((caller) => caller.leave()));
  }
}

/** Which of the signaling processes serves the one call. */
async function serves(server: Server): Promise<string> {
  const counts = async () => {
    const parts = ["signaling", "signaling-2"];
    const metrics = await Promise.all(parts.map(async (part) => (await fetch(`http://${server.address("signaling", "video-service", part)}/metrics`)).text()));
    return parts.filter((_, at) => /^calls_active\S* 1$/m.test(metrics[at]!));
  };
  return (await until("one process serves the call", counts, ({ length }) => length === 1))[0]!;
}

function tell(t: TestContext, took: number[], since: string): void {
  t.diagnostic(`all back ${took.sort((a, b) => a - b).join(", ")} ms after ${since}`);
}

test("signaling alone is killed in a call: pictures and sound go on, and everyone is back in it", async (t) => {
  const { server } = alone;
  const talk = await Talk.begin(alone, "Alone");
  const took = [];
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    await talk.dies(server, "signaling");
    await talk.flows();
    const since = Date.now();
    await server.restart("signaling");
    took.push(await talk.back(since));
  }
  tell(t, took, "its start");
  await talk.ends();
});

test("of two signaling processes the one that serves a call is killed: the other one goes on with it", async (t) => {
  const { server } = two;
  const talk = await Talk.begin(two, "Heirs");
  const took = [];
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    const part = await serves(server);
    const since = Date.now();
    await talk.dies(server, part);
    await talk.flows();
    took.push(await talk.back(since));
    await server.restart(part);
  }
  tell(t, took, "its death");
  await talk.ends();
});
