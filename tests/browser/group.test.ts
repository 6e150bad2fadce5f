import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "./people.ts";
import { Scene } from "./scene.ts";

const scene = new Scene();

async function newGroup(owner: Person, title: string, members: Person[]): Promise<void> {
  await (await owner.begin()).getByRole("button", { name: /New group/ }).click();
  const dialog = owner.page.getByRole("dialog", { name: "New group" });
  await dialog.getByLabel("Title").fill(title);
  for (const member of members) {
    await dialog.getByLabel("Find somebody by handle").fill(member.handle);
    await dialog.getByRole("button", { name: "Find", exact: true }).click();
    await dialog.getByRole("listitem").filter({ hasText: member.name }).waitFor();
  }
  await dialog.getByRole("button", { name: "Create group" }).click();
  await owner.page.getByRole("heading", { name: title }).waitFor();
}

function details(person: Person): Promise<void> {
  return person.page.getByRole("button", { name: "Details" }).click();
}

test("a group is made, talks, changes its members and its title", async () => {
  const ann = await scene.person("Ann Group", "ann.group");
  const bob = await scene.person("Bob Group", "bob.group");
  const cem = await scene.person("Cem Yıldız", "cem.group");
  await newGroup(ann, "Kitchen renovation", [bob]);
  await ann.say("Welcome! Which tiles did we pick?");
  await bob.open("Kitchen renovation");
  await bob.say("The green ones.");
  await ann.sees("The green ones.");
  await ann.receipt("Welcome!", "read");

  const dialog = ann.page.getByRole("dialog", { name: "Group" });
  await details(ann);
  await dialog.getByLabel("Find somebody by handle").fill("cem.group");
  await dialog.getByRole("button", { name: "Find", exact: true }).click();
  await dialog.locator(".row", { hasText: "Cem Yıldız" }).waitFor();
  await dialog.getByLabel("Title").fill("Kitchen, at last");
  await dialog.getByLabel("Role of Bob Group").selectOption("admin");
  await ann.page.getByText("Bob Group is now admin.").waitFor();
  // News that are drawn meanwhile take nothing away from who is typing.
  await dialog.getByRole("button", { name: "Rename" }).click();
  await bob.page.getByRole("heading", { name: "Kitchen, at last" }).waitFor();
  await ann.shot("group-details");
  await ann.page.keyboard.press("Escape");
  await bob.messages.getByText("Ann Group added Cem Yıldız").waitFor();
  await bob.messages.getByText("Ann Group made you admin").waitFor();

  await cem.open("Kitchen, at last");
  await cem.say("Thanks for having me.");
  await ann.sees("Thanks for having me.");
  await ann.shot("group");

  // Bob, an admin by now, removes Cem, who can neither read nor write any more.
  await details(bob);
  const row = bob.page.getByRole("dialog", { name: "Group" }).locator(".row", { hasText: "Cem Yıldız" });
  await row.getByRole("button", { name: "Remove" }).click();
  await bob.page.getByRole("dialog", { name: /^Remove/ }).getByRole("button", { name: "Remove" }).click();
  await cem.page.getByText("You were removed from this conversation.").waitFor();
  assert.equal(await cem.composer.isVisible(), false);
  await cem.row("Kitchen").waitFor({ state: "detached" });
  await bob.page.keyboard.press("Escape");
  await ann.say("Only the two of us again");
  await bob.sees("Only the two of us again");
  assert.equal(await cem.messages.getByText("Only the two").count(), 0);

  // The last owner can't leave.
  await details(ann);
  await dialog.getByRole("button", { name: "Leave group" }).click();
  await ann.page.getByRole("dialog", { name: /^Leave/ }).getByRole("button", { name: "Leave" }).click();
  await ann.page.getByText("A group needs an owner. Make somebody else owner first.").waitFor();
  await ann.page.keyboard.press("Escape");

  await details(bob);
  await bob.page.getByRole("button", { name: "Leave group" }).click();
  await bob.page.getByRole("dialog", { name: /^Leave/ }).getByRole("button", { name: "Leave" }).click();
  await bob.row("Kitchen").waitFor({ state: "detached" });
  await ann.messages.getByText("Bob Group left").waitFor();
  for (const person of [ann, bob, cem]) await person.leave();
});

test("a public channel is found by its title, joined, and its history is read", async () => {
  const ann = await scene.person("Ann Channel", "ann.channel");
  const bob = await scene.person("Bob Channel", "bob.channel");
  await (await ann.begin()).getByRole("button", { name: /New channel/ }).click();
  await ann.page.getByLabel("Title").fill("Town square");
  await ann.page.getByRole("button", { name: "Create channel" }).click();
  await ann.page.getByRole("heading", { name: "Town square" }).waitFor();
  await ann.say("Hear, hear");
  await ann.receipt("Hear, hear", "sent");

  await (await bob.begin()).getByRole("button", { name: /Find a channel/ }).click();
  const dialog = bob.page.getByRole("dialog", { name: "Find a channel" });
  await dialog.getByLabel("Title begins with").fill("Town");
  await dialog.locator(".row", { hasText: "Town square" }).getByRole("button", { name: "Join" }).click();
  await bob.sees("Hear, hear");
  await bob.say("I am all ears");
  await ann.sees("I am all ears");
  await ann.messages.getByText("Bob Channel joined").waitFor();
  await ann.leave();
  await bob.leave();
});
