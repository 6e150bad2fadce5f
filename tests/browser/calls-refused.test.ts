import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrowserContextOptions } from "playwright-core";
import { CALL_ARGUMENTS, Caller, until } from "./calling.ts";
import { Scene } from "./scene.ts";

/** Here leave to use the devices is given or refused by each browser. */
const scene = new Scene({}, CALL_ARGUMENTS.filter((argument) => argument !== "--use-fake-ui-for-media-stream"));
const ALLOWED: BrowserContextOptions = { permissions: ["camera", "microphone"] };

/** Ann's browser refuses; Bob's allows everything. */
async function pair(name: string): Promise<[Caller, Caller]> {
  const { browser, server } = scene;
  const handle = name.toLowerCase();
  const [ann, bob] = await Promise.all([
    Caller.new(browser, server.url, `Ann ${name}`, `ann.${handle}`, { permissions: [] }),
    Caller.new(browser, server.url, `Bob ${name}`, `bob.${handle}`, ALLOWED),
  ]);
  await ann.person.meet(bob.person);
  await bob.person.open(ann.person.name);
  return [ann, bob];
}

/** Until the people who are in the call are these, as its host sees it. */
async function areIn(host: Caller, others: string[]): Promise<void> {
  await host.press("People");
  const dialog = host.page.getByRole("dialog", { name: "People in the call" });
  for (const name of others) await dialog.locator(".row", { hasText: name }).getByText(/^In the call/).waitFor();
  assert.equal(await dialog.locator(".row").count(), others.length + 1);
  assert.equal(await host.call.locator(".tile").count(), others.length + 1);
  await dialog.getByRole("button", { name: "Close" }).click();
}

test("who refuses camera and microphone is told what the others miss and what to do, and is in the call with what there is", async () => {
  const [ann, bob] = await pair("Refused");
  const unheard = ann.call.getByText("Nobody can hear you. Allow this page to use the microphone in your browser's settings. Then press “Unmute”.");
  const unseen = ann.call.getByText("Nobody can see you. Allow this page to use the camera in your browser's settings. Then press “Turn camera on”.");
  await bob.start("video");
  await ann.answer("Accept with video");
  await ann.seesAndHears(1);
  await Promise.all([unheard, unseen].map((words) => words.waitFor()));
  await ann.person.shot("call-refused");
  await bob.tile("Ann").getByText("Muted").waitFor({ state: "attached" });
  assert.ok(await bob.tile("Ann").locator("video").isHidden());
  await areIn(bob, ["Ann Refused"]);

  // The microphone is allowed meanwhile, the camera stays refused; then it is allowed, too.
  await ann.person.context.grantPermissions(["microphone"]);
  await ann.press("Unmute");
  await unheard.waitFor({ state: "detached" });
  await bob.seesAndHears(1, ["audio"]);
  await ann.press("Turn camera on");
  assert.ok(await unseen.isVisible());
  assert.ok(await bob.tile("Ann").locator("video").isHidden());
  await ann.person.context.grantPermissions(["microphone", "camera"]);
  await ann.press("Turn camera on");
  await unseen.waitFor({ state: "detached" });
  await bob.seesAndHears(1);
  assert.equal((await bob.flows()).length, 1);
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  await Promise.all([ann.leave(), bob.leave()]);
});

test("who calls and refuses is told before the call already; who thinks better of it while the browser asks calls nobody", async () => {
  const [ann, bob] = await pair("Asked");
  await ann.page.getByRole("button", { name: "Video call" }).click();
  const before = ann.page.getByRole("dialog", { name: /^Video call/ });
  await before.getByText("Allow this page to use the camera in your browser's settings. Allow this page to use the microphone").waitFor();
  await before.getByRole("button", { name: "Start video call" }).click();
  await bob.answer("Accept");
  await ann.seesAndHears(1, ["audio"]);
  await areIn(ann, ["Bob Asked"]);
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });

  // A browser asks for as long as its user doesn't say yes or no.
  await bob.page.evaluate(() => {
    const page = window as unknown as { opened: MediaStreamTrack[]; allow: () => void };
    page.opened = [];
    const said = new Promise<void>((resolve) => (page.allow = resolve));
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      await said;
      const stream = await real(constraints);
      page.opened.push(...stream.getTracks());
      return stream;
    };
  });
  await bob.start("audio");
  await bob.call.getByText("Starting…").waitFor();
  await bob.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  await bob.page.evaluate(() => (window as unknown as { allow: () => void }).allow());
  const opened = () => bob.page.evaluate(() => (window as unknown as { opened: MediaStreamTrack[] }).opened.map(({ readyState }) => readyState));
  await until("what was opened is let go of", opened, (states) => states.length > 0 && states.every((state) => state === "ended"));
  // What was said after a call would have come after its ring.
  await bob.person.say("I changed my mind");
  await ann.person.sees("I changed my mind");
  assert.equal(await ann.ring.count(), 0);
  assert.equal(await ann.person.messages.getByText(/cancelled/).count(), 0);
  await Promise.all([ann.leave(), bob.leave()]);
});
