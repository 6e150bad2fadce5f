import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_ARGUMENTS, Caller, pair, until } from "./calling.ts";
import { Scene } from "./scene.ts";

/** Nobody in these tests lets a call ring for longer. */
const scene = new Scene({ SECURECONNECT_SIGNALING__RING_MS: "6000" }, CALL_ARGUMENTS);

test("two people call: both see and hear each other, share a screen without a new call, and find the call in their chat", async () => {
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Call");
  await bob.person.open(ann.person.name);
  await ann.page.getByRole("button", { name: "Video call" }).click();
  await ann.page.getByRole("dialog").getByLabel("Microphone", { exact: true }).waitFor();
  await ann.person.shot("call-preview");
  await ann.page.getByRole("button", { name: "Start video call" }).click();
  await ann.call.getByText("Ringing…").waitFor();
  await bob.ring.getByText("Video call…").waitFor();
  await bob.person.shot("call-incoming");
  await bob.answer("Accept with video");
  await Promise.all([ann.inCall(), bob.inCall()]);
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  await ann.person.shot("call");

  // Muted, and the other one is told.
  await bob.press("Mute");
  await ann.tile("Bob").getByText("Muted").waitFor({ state: "attached" });
  await bob.press("Unmute");
  await bob.press("Turn camera off");
  await ann.tile("Bob").locator("video").waitFor({ state: "hidden" });
  await bob.press("Turn camera on");
  await ann.seesAndHears(1);
  await bob.press("Raise hand");
  await ann.tile("Bob").getByText("Hand raised").waitFor({ state: "attached" });

  const [before] = await bob.flows();
  await ann.press("Share screen");
  await bob.tile("Ann").getByText("· screen").waitFor();
  await until("the screen is larger than the camera", () => bob.flows(), ([flow]) => flow!.width > before!.width && flow!.frames > before!.frames);
  assert.equal((await bob.flows()).length, 1);
  await bob.person.shot("call-screen");
  await ann.press("Stop sharing");
  await bob.tile("Ann").getByText("· screen").waitFor({ state: "detached" });
  await bob.seesAndHears(1);

  // Put aside, one can write meanwhile.
  await ann.press("Back to the chat");
  await ann.person.say("I write while we talk");
  await ann.page.getByRole("button", { name: "Back to the call" }).click();
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  for (const { person } of [ann, bob]) await person.messages.getByText(/^Video call, \d+ s/).waitFor();
  await bob.person.sees("I write while we talk");
  await ann.page.getByRole("button", { name: "Calls", exact: true }).click();
  const history = ann.page.getByRole("dialog", { name: "Calls" });
  await history.locator(".row", { hasText: bob.person.name }).getByText(/^Video call, \d+ s/).waitFor();
  await ann.person.shot("call-history");
  await Promise.all([ann.leave(), bob.leave()]);
});

test("no, no answer, hung up, busy: each is told on both sides, and what was missed is counted until it was looked at", async () => {
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Answers");
  await bob.person.open(ann.person.name);

  await ann.start("audio");
  await bob.answer("Decline");
  await ann.toast.getByText("Bob Answers declined.").waitFor();
  await ann.person.messages.getByText("Call, declined").waitFor();
  await bob.person.messages.getByText("Call, declined").waitFor();

  await ann.start("audio");
  await bob.ring.waitFor();
  await ann.press("Leave call");
  await bob.ring.waitFor({ state: "detached" });
  await bob.page.getByRole("button", { name: "Calls, 1 missed" }).waitFor();
  await ann.person.messages.getByText("Call, cancelled").waitFor();

  await ann.start("audio");
  await bob.ring.waitFor();
  await ann.toast.getByText("Bob Answers did not answer.").waitFor();
  await bob.ring.waitFor({ state: "detached" });
  await ann.person.messages.getByText("Call, no answer").waitFor();
  await bob.person.messages.getByText("Missed call").nth(1).waitFor();
  await bob.page.getByRole("button", { name: "Calls, 2 missed" }).click();
  await bob.page.getByRole("dialog", { name: "Calls" }).getByText("Missed call").nth(1).waitFor();
  await bob.page.keyboard.press("Escape");
  await bob.page.getByRole("button", { name: "Calls", exact: true }).waitFor();

  const eve = await Caller.new(scene.browser, scene.server.url, "Eve Answers", "eve.answers");
  await eve.person.meet(bob.person);
  await ann.start("audio");
  await bob.answer("Accept");
  await Promise.all([ann.inCall(), bob.inCall()]);
  await ann.seesAndHears(1, ["audio"]);
  await ann.person.shot("call-audio");
  await eve.start("audio");
  await eve.toast.getByText("Bob Answers is in another call.").waitFor();
  assert.equal(await bob.ring.count(), 0);
  await bob.press("Leave call");
  await ann.call.waitFor({ state: "detached" });
  await Promise.all([ann.leave(), bob.leave(), eve.leave()]);
});
