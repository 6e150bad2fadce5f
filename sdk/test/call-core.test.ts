import assert from "node:assert/strict";
import { test } from "node:test";
import { ANN, call, CALL, CONVERSATION, Driven, inCall, joined, ME, MEDIA, part, signal } from "./call-helpers.ts";

const ringing = (version: number, more = {}) => call(version, [part(ANN, "joined", 1), part(ME, "invited")], { status: "initiated", ...more });
const ANN_LEG = { user: ANN, epoch: 5 };

test("a device rings while its user is called, says so once, and stops by itself in time", () => {
  const device = new Driven().connect().state(ringing(1));
  assert.equal(device.core.ringing(device.now).length, 1);
  device.state(ringing(2, { status: "ringing" }));
  assert.equal(device.asked("call.ring"), 1);
  device.pass(44_999);
  assert.equal(device.core.ringing(device.now).length, 1);
  device.pass(1);
  assert.equal(device.core.ringing(device.now).length, 0);
  assert.equal(device.news.at(-1)?.kind, "changed");
});

test("a ring stops when another device answers, when it is over, and when an older state comes late", () => {
  const device = new Driven().connect().state(ringing(1));
  device.state(call(3, [part(ANN, "joined", 1), part(ME, "joined", 3)]));
  assert.equal(device.core.ringing(0).length, 0);
  device.state(ringing(2));
  assert.equal(device.core.ringing(0).length, 0);
  const other = new Driven().connect().state(ringing(1));
  other.core.handleIndex(0, { live: [], missed: 1 });
  assert.deepEqual([other.core.ringing(0).length, other.core.missed], [0, 1]);
});

test("no is said once for this ring; who is admitted later rings again", () => {
  const device = new Driven().connect().state(ringing(1));
  device.core.decline(CALL);
  device.state(ringing(2, { status: "ringing" }));
  assert.deepEqual([device.core.ringing(0).length, device.asked("call.decline")], [0, 1]);
  device.state(call(4, [part(ANN, "joined", 1), part(ME, "invited", undefined, { until: 90_000 })]));
  assert.equal(device.core.ringing(60_000).length, 1);
});

test("a call is started, answered by a leg of its own, and left", () => {
  const device = new Driven().connect();
  device.core.enter(0, { conversation: CONVERSATION, kind: "video", media: MEDIA, start: { clientId: "id", waitingRoom: false } });
  const start = device.answer("call.start", joined(7, call(7, [part(ME, "joined", 7), part(ANN, "invited")], { by: ME, status: "initiated" })));
  assert.deepEqual([start.to, start.body], [CONVERSATION, { client_id: "id", kind: "video", media: MEDIA, waiting_room: false }]);
  assert.deepEqual(device.core.peers, []);
  device.state(call(8, [part(ME, "joined", 7), part(ANN, "joined", 8)]));
  assert.deepEqual(device.core.peers, [{ user: ANN, epoch: 8 }]);
  device.core.leave(0);
  assert.deepEqual(device.take("call.leave").body, { epoch: 7 });
  assert.equal(device.core.leg, undefined);
});

test("who hangs up before the answer came leaves as soon as it comes", () => {
  const device = new Driven().connect();
  device.core.enter(0, { conversation: CONVERSATION, kind: "audio", media: MEDIA, start: { clientId: "id", waitingRoom: false } });
  device.core.leave(0);
  device.answer("call.start", joined(7, call(7, [part(ME, "joined", 7)], { by: ME })));
  assert.deepEqual(device.take("call.leave").body, { epoch: 7 });
  assert.equal(device.news.some(({ kind }) => kind === "joined"), false);
});

test("a higher epoch of one's own is another device: this one is out", () => {
  const device = inCall(10).state(call(12, [part(ANN, "joined", 5), part(ME, "joined", 12)]));
  assert.deepEqual(device.ended(), { kind: "ended", call: CALL, why: { kind: "taken_over" } });
});

test("a state that overtakes the answer is judged by the answer's epoch", () => {
  const device = new Driven().connect();
  device.core.enter(0, { conversation: CONVERSATION, kind: "audio", media: MEDIA, call: CALL });
  const mine = call(10, [part(ANN, "joined", 5), part(ME, "joined", 10)]);
  device.state(mine);
  device.answer("call.join", joined(10, mine));
  assert.deepEqual([device.core.leg?.state, device.ended()], ["in", undefined]);
  const fenced = new Driven().connect();
  fenced.core.enter(0, { conversation: CONVERSATION, kind: "audio", media: MEDIA, call: CALL });
  fenced.state(call(11, [part(ANN, "joined", 5), part(ME, "joined", 11)]));
  fenced.answer("call.join", joined(10, mine));
  assert.equal((fenced.ended() as { why: { kind: string } }).why.kind, "taken_over");
});

test("the ways out: over, removed, too long away, refused", () => {
  const why = (device: Driven) => (device.ended() as { why: { kind: string } } | undefined)?.why.kind;
  assert.equal(why(inCall().state(call(20, [part(ME, "left")], { status: "ended" }))), "over");
  assert.equal(why(inCall().state(call(20, [part(ANN, "joined", 5), part(ME, "removed")]))), "removed");
  assert.equal(why(inCall().state(call(20, [part(ANN, "joined", 5), part(ME, "left")]))), "expired");
  const late = inCall();
  late.core.handleDisconnected();
  late.now = 40_000;
  late.connect();
  late.refuse("call.join", "call_expired");
  assert.equal(why(late), "expired");
  const full = new Driven().connect();
  full.core.enter(0, { conversation: CONVERSATION, kind: "audio", media: MEDIA, call: CALL });
  full.refuse("call.join", "call_full");
  assert.equal(why(full), "refused");
});

test("who waits joins when admitted, asks again after a reconnect, and goes by saying no", () => {
  const device = new Driven().connect();
  device.core.enter(0, { conversation: CONVERSATION, kind: "audio", media: MEDIA, call: CALL });
  device.answer("call.join", joined(undefined, call(10, [part(ANN, "joined", 5), part(ME, "waiting")])));
  assert.equal(device.core.leg?.state, "waiting");
  device.core.handleDisconnected();
  device.connect();
  device.answer("call.join", joined(undefined, call(11, [part(ANN, "joined", 5), part(ME, "waiting")])));
  device.state(call(12, [part(ANN, "joined", 5), part(ME, "invited", undefined, { until: 60_000 })]));
  assert.equal(device.core.ringing(0).length, 0);
  device.answer("call.join", joined(13, call(13, [part(ANN, "joined", 5), part(ME, "joined", 13)])));
  assert.equal(device.core.leg?.state, "in");
});

test("on a new connection the leg comes back before it says anything", () => {
  const device = inCall(10).signals(signal(1, 10), signal(2, 10));
  device.core.handleDisconnected();
  assert.equal(device.core.leg?.state, "away");
  device.core.describe(device.now, ANN_LEG, { type: "offer", sdp: "o" });
  device.connect();
  assert.equal(device.asked("call.signal"), 0);
  const back = device.answer("call.join", joined(10, call(10, []), { signals: [signal(3, 10)], renegotiate: false }));
  assert.deepEqual(back.body, { epoch: 10, heard: 2, media: MEDIA });
  assert.deepEqual(device.heard(), [1, 2, 3]);
  assert.equal(device.asked("call.signal"), 1);
});

test("signals are numbered: repeated ones are dropped, a missing one is asked for", () => {
  const device = inCall(10).pass(5_000).signals(signal(1, 10), signal(1, 10), signal(3, 10));
  assert.deepEqual(device.heard(), [1]);
  const asked = device.answer("call.join", joined(10, call(10, []), { signals: [signal(2, 10), signal(3, 10)] }));
  assert.deepEqual((asked.body as { heard: number }).heard, 1);
  assert.deepEqual(device.heard(), [1, 2, 3]);
  // What is for another leg of this user is nobody's business here.
  device.signals(signal(4, 9));
  assert.deepEqual(device.heard(), [1, 2, 3]);
});

test("after a restart of the server the count begins anew, and everything is negotiated again", () => {
  const device = inCall(10).signals(signal(1, 10), signal(2, 10));
  device.core.handleDisconnected();
  device.connect();
  device.answer("call.join", joined(10, call(10, []), { renegotiate: true }));
  device.signals(signal(1, 10));
  assert.deepEqual(device.heard(), [1, 2, 1]);
  assert.ok(device.news.some((news) => news.kind === "returned" && news.renegotiate));
});

test("a leg is heard once the call's state names it; what a superseded one said is dropped", () => {
  const late = { user: ANN, epoch: 20 };
  const device = inCall(10).signals(signal(1, 10, late));
  assert.deepEqual(device.heard(), []);
  device.state(call(20, [part(ANN, "joined", 20), part(ME, "joined", 10)]));
  assert.deepEqual(device.heard(), [1]);
  device.signals(signal(2, 10), signal(3, 10, late));
  assert.deepEqual(device.heard(), [1, 3]);
});

test("candidates gather for a moment; one signal at a time goes to each leg", () => {
  const device = inCall();
  for (const name of ["a", "b", "c"]) device.core.candidate(device.now, ANN_LEG, { candidate: name });
  assert.equal(device.asked("call.signal"), 0);
  device.pass(50);
  device.core.candidate(device.now, ANN_LEG, { candidate: "d" });
  device.pass(100);
  assert.equal(device.asked("call.signal"), 1);
  const first = device.answer("call.signal", {});
  assert.deepEqual((first.body as { candidates: unknown[] }).candidates, [{ candidate: "a" }, { candidate: "b" }, { candidate: "c" }]);
  assert.deepEqual((device.take("call.signal").body as { candidates: unknown[] }).candidates, [{ candidate: "d" }]);
});

test("what the connection took along is said again, unless a newer offer supersedes it or its leg is gone", () => {
  const device = inCall();
  device.core.describe(device.now, ANN_LEG, { type: "offer", sdp: "one" });
  device.refuse("call.signal", "unavailable");
  device.pass(1_000);
  device.core.describe(device.now, ANN_LEG, { type: "offer", sdp: "two" });
  device.refuse("call.signal", "unavailable");
  device.core.describe(device.now, ANN_LEG, { type: "offer", sdp: "three" });
  assert.equal((device.take("call.signal").body as { description: { sdp: string } }).description.sdp, "three");
  const gone = inCall();
  gone.core.describe(0, ANN_LEG, { type: "offer", sdp: "one" });
  gone.refuse("call.signal", "unavailable");
  gone.state(call(30, [part(ANN, "joined", 30), part(ME, "joined", 10)]));
  gone.pass(5_000);
  assert.equal(gone.asked("call.signal"), 0);
});

test("media are told as they are now, one at a time; a host's word turns the microphone off", () => {
  const device = inCall();
  device.core.setMedia({ audio: true, video: true });
  device.core.setMedia({ audio: true, video: true, hand: true });
  assert.deepEqual(device.take("call.media").body, { epoch: 10, media: { audio: true, video: true } });
  assert.equal(device.asked("call.media"), 0);
  const other = inCall();
  const muted = part(ME, "joined", 10, { media: { audio: false }, muted: true });
  other.state(call(15, [part(ANN, "joined", 5), muted]));
  assert.equal(other.core.leg?.media.audio, false);
  assert.deepEqual([other.asked("call.media"), other.news.some(({ kind }) => kind === "muted")], [0, true]);
});

test("credentials are renewed well before they end", () => {
  const device = new Driven().connect();
  device.core.enter(0, { conversation: CONVERSATION, kind: "audio", media: MEDIA, call: CALL });
  const state = call(10, [part(ANN, "joined", 5), part(ME, "joined", 10)]);
  device.answer("call.join", joined(10, state, { ice: { servers: [], expires_at: 600_000 } }));
  device.pass(299_000);
  assert.equal(device.asked("call.ice"), 0);
  device.pass(2_000);
  device.answer("call.ice", { servers: [], expires_at: 1_200_000 });
  assert.ok(device.news.some(({ kind }) => kind === "ice"));
  assert.ok(device.core.pollTimeout(device.now)! > 600_000);
});

test("a peer that does not come makes the leg ask what it missed, at most now and then", () => {
  const device = inCall().pass(3_000);
  device.core.handleStalled(device.now);
  device.core.handleStalled(device.now);
  assert.equal(device.asked("call.join"), 1);
  device.answer("call.join", joined(10, call(10, [])));
  device.core.handleStalled(device.now + 100);
  assert.equal(device.asked("call.join"), 0);
});

test("a list that does not name the own call makes the leg ask, for it may have crossed the answer", () => {
  const device = inCall();
  device.core.handleIndex(device.now, { live: [], missed: 0 });
  assert.equal(device.ended(), undefined);
  device.refuse("call.join", "call_over");
  assert.equal((device.ended() as { why: { kind: string } }).why.kind, "over");
});
