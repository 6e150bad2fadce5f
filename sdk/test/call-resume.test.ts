import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallCommand } from "../src/calls/inout.ts";
import { CallCore } from "../src/calls/core.ts";
import { Random } from "../src/core/random.ts";
import type { JoinCall, SendSignal, Signal } from "../src/generated.ts";
import { ANN, call, CALL, CONVERSATION, joined, ME, MEDIA, part } from "./call-helpers.ts";

const LEGS = [{ user: ANN, epoch: 5 }, { user: ME, epoch: 10 }] as const;
const STATE = call(10, [part(ANN, "joined", 5), part(ME, "joined", 10)]);

/** The server's mailboxes, and two devices whose connections break at any moment. */
class World {
  readonly random: Random;
  now = 0;
  readonly cores = [new CallCore(ANN), new CallCore(ME)] as const;
  readonly connected = [false, false];
  /** What each was told, in order. */
  readonly heard: string[][] = [[], []];
  #boxes: Signal[][] = [[], []];
  /** On its way to a device on its present connection. */
  #pushed: Signal[][] = [[], []];
  #asked: CallCommand[][] = [[], []];

  constructor(seed: number) {
    this.random = new Random(seed);
    for (const me of [0, 1]) {
      this.connect(me);
      this.cores[me]!.enter(0, { conversation: CONVERSATION, kind: "audio", media: MEDIA, call: CALL });
      this.collect(me);
      const join = this.#asked[me]!.shift()!;
      this.cores[me]!.handleAnswer(0, join.ticket, { ok: joined(LEGS[me]!.epoch, STATE) });
      this.collect(me);
    }
  }

  connect(me: number): void {
    if (this.connected[me]) return;
    this.connected[me] = true;
    this.cores[me]!.handleConnected(this.now, 0);
    this.collect(me);
  }

  /** What was pushed is gone with the connection; what was asked is answered `unavailable`, or asked again by the client below. */
  cut(me: number): void {
    if (!this.connected[me]) return;
    this.connected[me] = false;
    this.#pushed[me] = [];
    this.cores[me]!.handleDisconnected();
    for (const command of this.#asked[me]!.splice(0)) {
      if (command.name !== "call.signal") this.#asked[me]!.push(command);
      else {
        // It may have reached the server nevertheless.
        if (this.random.below(2) === 0) this.#put(me, command.body as SendSignal);
        this.cores[me]!.handleAnswer(this.now, command.ticket, { error: { code: "unavailable", message: "" } });
      }
    }
    this.collect(me);
  }

  say(me: number, text: string): void {
    this.cores[me]!.candidate(this.now, LEGS[1 - me]!, { candidate: text });
    this.collect(me);
  }

  /** The server serves one command, or one push arrives. */
  step(me: number): boolean {
    if (!this.connected[me]) return false;
    const core = this.cores[me]!;
    const command = this.random.below(2) === 0 ? this.#asked[me]!.shift() : undefined;
    const push = command ? undefined : this.#pushed[me]!.shift();
    if (command?.name === "call.signal") {
      this.#put(me, command.body as SendSignal);
      core.handleAnswer(this.now, command.ticket, { ok: {} });
    } else if (command) {
      const { heard = 0 } = command.body as JoinCall;
      const signals = this.#boxes[me]!.filter(({ number }) => number > heard);
      core.handleAnswer(this.now, command.ticket, { ok: joined(LEGS[me]!.epoch, STATE, { signals }) });
    } else if (push) core.handleSignal(this.now, push);
    this.collect(me);
    return command !== undefined || push !== undefined;
  }

  pass(ms: number): void {
    this.now += ms;
    for (const me of [0, 1]) {
      this.cores[me]!.handleTimeout(this.now);
      this.collect(me);
    }
  }

  collect(me: number): void {
    const core = this.cores[me]!;
    for (let command = core.pollCommand(); command; command = core.pollCommand()) this.#asked[me]!.push(command);
    for (let news = core.pollNews(); news; news = core.pollNews()) {
      if (news.kind === "signal") this.heard[me]!.push(...news.signal.candidates!.map(({ candidate }) => candidate));
    }
  }

  #put(from: number, { candidates = [] }: SendSignal): void {
    const to = 1 - from;
    const signal: Signal = { call: CALL, number: this.#boxes[to]!.length + 1, from: LEGS[from]!, to: LEGS[to]!, candidates };
    this.#boxes[to]!.push(signal);
    if (this.connected[to]) this.#pushed[to]!.push(signal);
  }
}

test("whatever breaks, both hear everything that the other said, in order; only what was in doubt comes twice", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const world = new World(seed);
    const said: string[][] = [[], []];
    for (let step = 0; step < 120; step += 1) {
      const me = world.random.below(2);
      const chance = world.random.below(10);
      if (chance < 3) {
        said[1 - me]!.push(`${said[1 - me]!.length}`);
        world.say(me, said[1 - me]!.at(-1)!);
      } else if (chance === 3) world.cut(me);
      else if (chance === 4) world.connect(me);
      else if (chance === 5) world.pass(world.random.below(400));
      else world.step(me);
    }
    for (let idle = 0; idle < 200; idle += 1) {
      for (const me of [0, 1]) world.connect(me);
      world.pass(100);
      for (const me of [0, 1]) for (let more = 0; more < 6; more += 1) world.step(me);
    }
    for (const me of [0, 1]) {
      const first = [...new Set(world.heard[me]!)];
      assert.deepEqual(first, said[me], `seed ${seed}, device ${me}`);
    }
  }
});
