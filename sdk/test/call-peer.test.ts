import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { FakeConnection } from "./call-fakes.ts";
import { Peer, type Tracks } from "../src/calls/peer.ts";
import { Random } from "../src/core/random.ts";
import type { Candidate, Description } from "../src/generated.ts";

const NONE: Tracks = { audio: null, video: null };

interface Letter {
  to: number;
  description?: Description;
  candidates: Candidate[];
}

/** Two peers and what is under way between them. */
function pair() {
  const post: Letter[] = [];
  const fakes: FakeConnection[] = [];
  const stalled = [0, 0];
  const make = (me: number) =>
    new Peer(
      (configuration) => (fakes[me] = new FakeConnection(configuration)) as unknown as RTCPeerConnection,
      {},
      me === 1,
      NONE,
      {
        describe: (description) => post.push({ to: 1 - me, description, candidates: [] }),
        candidate: (candidate) => post.push({ to: 1 - me, candidates: [candidate] }),
        stalled: () => (stalled[me]! += 1),
        changed: () => undefined,
      },
    );
  const peers = [make(0), make(1)];
  const settle = async () => {
    for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
  };
  /** Brings the oldest letter to one of them. */
  const deliver = async (to: number) => {
    const at = post.findIndex((letter) => letter.to === to);
    if (at < 0) return false;
    const [{ description, candidates }] = post.splice(at, 1) as [Letter];
    await peers[to]!.hear(description, candidates);
    await settle();
    return true;
  };
  const deliverAll = async () => {
    await settle();
    while ((await deliver(1)) || (await deliver(0)));
  };
  const close = () => peers.forEach((peer) => peer.close());
  return { peers, fakes, post, stalled, settle, deliver, deliverAll, close };
}

const agree = ([a, b]: FakeConnection[]) => {
  assert.deepEqual([a!.signalingState, b!.signalingState], ["stable", "stable"]);
  assert.ok(a!.agreed !== undefined && a!.agreed === b!.agreed, `${a!.agreed} and ${b!.agreed}`);
  for (const { sections } of [a!, b!]) assert.deepEqual(sections, ["audio sendrecv", "video sendrecv"]);
};

test("the impolite side offers first, the polite one answers, and both have one section for sound and one for pictures", async () => {
  const { fakes, deliverAll, post, settle, close } = pair();
  await settle();
  assert.deepEqual(post.filter(({ description }) => description).map(({ to }) => to), [1]);
  await deliverAll();
  agree(fakes);
  close();
});

test("however offers collide and whenever they arrive, both end with the same", async () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = new Random(seed);
    const { peers, fakes, deliver, deliverAll, settle, close } = pair();
    await settle();
    for (let step = 0; step < 30; step += 1) {
      const chance = random.below(6);
      if (chance < 2) peers[chance]!.restart();
      else await deliver(chance % 2);
      if (random.below(2) === 0) await settle();
    }
    await deliverAll();
    agree(fakes);
    close();
  }
});

test("an offer that was lost is said again when the other side offers, or when nothing connects", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { fakes, post, deliverAll, settle, stalled, close } = pair();
  await settle();
  post.length = 0;
  t.mock.timers.tick(3_000);
  assert.deepEqual(stalled, [1, 1]);
  await deliverAll();
  agree(fakes);
  close();
});

test("a repeated offer is answered again, a repeated answer does nothing", async () => {
  const { fakes, post, settle, deliver, deliverAll, close } = pair();
  await settle();
  const [offer] = post;
  await deliver(1);
  post.push({ ...offer! });
  await deliverAll();
  agree(fakes);
  close();
});

test("a lost path is renewed, as often as it takes", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { fakes, deliverAll, close } = pair();
  await deliverAll();
  const before = fakes[0]!.agreed;
  lose(t, fakes);
  await deliverAll();
  agree(fakes);
  assert.notEqual(fakes[0]!.agreed, before);
  close();
});

function lose(t: TestContext, fakes: FakeConnection[]): void {
  for (const fake of fakes) {
    fake.connectionState = "disconnected";
    fake.onconnectionstatechange?.();
  }
  t.mock.timers.tick(3_000);
}

test("a camera or a screen is a replaced track, not a negotiation", async () => {
  const { peers, fakes, post, deliverAll, settle, close } = pair();
  await deliverAll();
  const screen = { kind: "video" } as MediaStreamTrack;
  await peers[0]!.send({ audio: null, video: screen });
  await settle();
  assert.equal(fakes[0]!.sent("video"), screen);
  assert.deepEqual(post, []);
  close();
});
