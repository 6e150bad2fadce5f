import { test } from "node:test";
import { CALL_ARGUMENTS, Caller, group } from "./calling.ts";
import { Scene } from "./scene.ts";

const scene = new Scene({}, CALL_ARGUMENTS);

test("three and then four people are in one call, and each sees and hears all the others", async () => {
  const names = ["Ann", "Bob", "Cem", "Dan"];
  const people = await Promise.all(names.map((name) => Caller.new(scene.browser, scene.server.url, `${name} Mesh`, `${name.toLowerCase()}.mesh`)));
  const [ann, bob, cem, dan] = people as [Caller, Caller, Caller, Caller];
  await group(people, "Four of us");
  await ann.start("video");
  await Promise.all([bob, cem, dan].map(({ ring }) => ring.waitFor()));
  await bob.answer("Accept with video");
  await cem.answer("Accept with video");
  await Promise.all([ann, bob, cem].map((caller) => caller.seesAndHears(2)));
  await ann.person.shot("call-three");
  await dan.answer("Accept with video");
  await Promise.all(people.map((caller) => caller.seesAndHears(3)));
  await ann.person.shot("call-four");
  await ann.press("Speaker view");
  await ann.call.locator('.stage[data-layout="speaker"] .tile.large').waitFor();
  await ann.person.shot("call-speaker");

  // The host mutes and removes; who was removed comes back when they are let in.
  await ann.press("People");
  const dialog = ann.page.getByRole("dialog", { name: "People in the call" });
  await ann.person.shot("call-people");
  await dialog.locator(".row", { hasText: "Bob Mesh" }).getByRole("button", { name: "Mute" }).click();
  await bob.toast.getByText("The host muted your microphone.").waitFor();
  await bob.call.getByRole("button", { name: "Unmute" }).waitFor();
  await dialog.locator(".row", { hasText: "Dan Mesh" }).getByRole("button", { name: "Remove" }).click();
  await dan.toast.getByText("You were removed from the call.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await dan.person.open("Four of us");
  await dan.page.getByRole("button", { name: "Join call" }).click();
  await dan.call.getByText("Waiting until the host lets you in…").waitFor();
  await ann.call.getByText("Dan Mesh would like to join.").waitFor();
  await ann.press("Let in");
  await Promise.all(people.map((caller) => caller.seesAndHears(3)));

  await cem.press("Leave call");
  await Promise.all([ann, bob, dan].map((caller) => caller.seesAndHears(2)));
  await ann.press("People");
  await dialog.getByRole("button", { name: "End for all" }).click();
  await ann.page.getByRole("button", { name: "End call" }).click();
  await Promise.all([ann, bob, dan].map(({ call }) => call.waitFor({ state: "detached" })));
  await Promise.all(people.map((caller) => caller.leave()));
});
