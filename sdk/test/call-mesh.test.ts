import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeConnection } from "./call-fakes.ts";
import { PeerMesh } from "../src/calls/mesh.ts";
import { gradeOf, qualityOf } from "../src/calls/stats.ts";

const own = { user: "b", epoch: 10 };

function mesh(relayOnly = false) {
  const made: FakeConnection[] = [];
  const described: string[] = [];
  const made_mesh = new PeerMesh({
    own,
    ice: { servers: [{ urls: ["turn:a"], username: "u", credential: "p" }] },
    relayOnly,
    tracks: { audio: null, video: null },
    connect: (configuration) => {
      const fake = new FakeConnection(configuration);
      made.push(fake);
      return fake as unknown as RTCPeerConnection;
    },
    events: { describe: (to) => described.push(to.user), candidate: () => undefined, stalled: () => undefined, changed: () => undefined },
  });
  return { mesh: made_mesh, made, described };
}

test("one connection to each leg; a leg that is superseded is closed, and the new one is offered to by the higher epoch", async () => {
  const { mesh: peers, made, described } = mesh();
  peers.update([{ user: "a", epoch: 5 }, { user: "c", epoch: 20 }]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(described, ["a"]);
  peers.update([{ user: "a", epoch: 5 }, { user: "c", epoch: 21 }]);
  assert.deepEqual(made.map(({ connectionState }) => connectionState), ["new", "closed", "new"]);
  peers.close();
  assert.ok(made.every(({ connectionState }) => connectionState === "closed"));
});

test("relays only, and new credentials, reach every connection", () => {
  const { mesh: peers, made } = mesh(true);
  peers.update([{ user: "a", epoch: 5 }]);
  assert.equal(made[0]!.configuration.iceTransportPolicy, "relay");
  peers.renew({ servers: [{ urls: ["turn:b"] }] });
  assert.deepEqual(made[0]!.configuration.iceServers, [{ urls: ["turn:b"] }]);
  peers.close();
});

test("quality is what came since the last look", () => {
  const report = (at: number, packets: number, lost: number, bytes: number) =>
    Object.entries({
      t: { id: "t", type: "transport", timestamp: at, selectedCandidatePairId: "p" },
      p: { id: "p", type: "candidate-pair", timestamp: at, currentRoundTripTime: 0.04, bytesReceived: bytes, bytesSent: bytes / 2, localCandidateId: "l", remoteCandidateId: "r" },
      l: { id: "l", type: "local-candidate", timestamp: at, candidateType: "relay" },
      i: { id: "i", type: "inbound-rtp", timestamp: at, packetsReceived: packets, packetsLost: lost, jitter: 0.012 },
    });
  const first = qualityOf("a", report(1_000, 100, 0, 10_000), undefined);
  assert.deepEqual(first.quality, { user: "a", relayed: true, round_trip_ms: 40, jitter_ms: 12 });
  const { quality } = qualityOf("a", report(3_000, 190, 10, 35_000), first.sample);
  assert.deepEqual([quality.lost_per_10000, quality.incoming_kbps, quality.outgoing_kbps], [1_000, 100, 50]);
  assert.deepEqual([gradeOf(quality), gradeOf(first.quality)], ["poor", "good"]);
});

test("the worst of loss, delay and jitter decides how a connection is called", () => {
  const grade = (quality: object) => gradeOf({ user: "a", ...quality });
  assert.deepEqual([{}, { lost_per_10000: 200, round_trip_ms: 300, jitter_ms: 40 }].map(grade), ["good", "good"]);
  assert.deepEqual([{ lost_per_10000: 201 }, { round_trip_ms: 301 }, { jitter_ms: 41 }].map(grade), ["fair", "fair", "fair"]);
  assert.deepEqual([{ lost_per_10000: 801 }, { round_trip_ms: 601 }, { jitter_ms: 101 }].map(grade), ["poor", "poor", "poor"]);
});
