// The core is held to the recorded vectors, the same that hold the Rust client: protocol/vectors/README.md.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { Core } from "../src/core/core.ts";
import type { CoreEvent, Lost, Stop } from "../src/core/event.ts";
import type { Output, TokenAnswer } from "../src/core/output.ts";
import type { CoreSettings } from "../src/core/settings.ts";

type Json = Record<string, any>;

interface Story {
  about: string;
  settings: Json;
  steps: { at_ms: number; app_reads?: boolean; input: Json; expect: Json[]; wake: number | null }[];
}

const folder = new URL("../../protocol/vectors/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));

test("there are vectors", () => assert.ok(names.length >= 20));

for (const name of names) {
  const story = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Story;
  test(`${name}: ${story.about}`, () => {
    const core = new Core(settings(story.settings));
    story.steps.forEach((step, index) => {
      handIn(core, step.at_ms, step.input);
      const out = collect(core, step.at_ms, step.app_reads !== false);
      const where = `step ${index} at ${step.at_ms} ms`;
      assert.deepEqual(out, step.expect, where);
      assert.equal(core.pollTimeout() ?? null, step.wake, `the next timeout after ${where}`);
    });
  });
}

function settings(given: Json): Partial<CoreSettings> {
  const { queue_max, in_flight_max, lane_depth, answer_within_ms, events_waiting_max, reconnect_within_ms, ...same } = given;
  const renamed = {
    queueMax: queue_max,
    inFlightMax: in_flight_max,
    laneDepth: lane_depth,
    answerWithinMs: answer_within_ms,
    eventsWaitingMax: events_waiting_max,
    reconnectWithinMs: reconnect_within_ms,
  };
  return { ...same, ...Object.fromEntries(Object.entries(renamed).filter(([, value]) => value !== undefined)) };
}

function handIn(core: Core, now: number, input: Json): void {
  const [kind, given] = Object.entries(input)[0] as [string, any];
  switch (kind) {
    case "start":
      return core.handleStart(now);
    case "opened":
      return core.handleOpened(now);
    case "closed":
      return core.handleClosed(now, given.code ?? undefined, given.reason);
    case "frame":
      return core.handleFrame(now, JSON.stringify(given));
    case "text":
      return core.handleFrame(now, given);
    case "token":
      return core.handleToken(now, tokenAnswer(given));
    case "command": {
      const { type, ...command } = given;
      core.handleCommand(now, { name: type, ...command });
      return;
    }
    case "timer":
      return core.handleTimeout(now);
    case "online":
      return core.handleOnline(now);
    case "stop":
      return core.handleStop();
    default:
      assert.fail(`unknown input ${kind}`);
  }
}

function tokenAnswer(given: Json): TokenAnswer {
  if ("token" in given) return { kind: "token", token: given["token"] };
  if ("denied" in given) return { kind: "denied", error: given["denied"] };
  return given["later_ms"] === null ? { kind: "later" } : { kind: "later", after_ms: given["later_ms"] };
}

function collect(core: Core, now: number, appReads: boolean): Json[] {
  const out: Json[] = [];
  for (;;) {
    const output = core.pollOutput();
    if (output) {
      out.push(outputAsJson(output));
      continue;
    }
    const event = appReads ? core.pollEvent(now) : undefined;
    if (!event) break;
    out.push({ event: eventAsJson(event) });
  }
  if (!core.wantsFrames) out.push({ wants_no_frames: {} });
  return out;
}

function outputAsJson(output: Output): Json {
  switch (output.kind) {
    case "send":
      return { send: JSON.parse(output.text) };
    case "close":
      return { close: { code: output.code, reason: output.reason } };
    case "answer": {
      const { ticket, result, uncertain } = output.answer;
      if (!result.error) return { answer: { ticket, ok: result.ok } };
      return { answer: { ticket, error: result.error.code, ...(uncertain ? { uncertain } : {}) } };
    }
    default:
      return { [output.kind]: {} };
  }
}

function eventAsJson(event: CoreEvent): Json {
  switch (event.kind) {
    case "connected":
      return { connected: event.welcome };
    case "disconnected":
      return { disconnected: { why: reason(event.why), retry_in_ms: event.retry_in_ms ?? null } };
    case "stopped":
      return { stopped: reason(event.stop) };
    case "reset":
      return { reset: { stream: event.stream, head: event.head ?? null } };
    case "entry":
      return { entry: { from: event.from, type: event.name, at: event.at ?? null, body: event.body } };
    case "register": {
      const { key, version, name: type, body } = event;
      return { register: { key, version, type, body } };
    }
    case "ephemeral":
      return { ephemeral: { type: event.name, until: event.until, body: event.body } };
    default: {
      const { kind, ...rest } = event;
      return { [kind]: rest };
    }
  }
}

function reason(why: Lost | Stop): Json {
  const { kind, ...rest } = why;
  return { [kind]: "error" in rest ? { code: rest.error.code } : rest };
}
