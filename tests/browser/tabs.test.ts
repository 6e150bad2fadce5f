import assert from "node:assert/strict";
import { test } from "node:test";
import { Scene } from "./scene.ts";

/** The most connections of one login. */
const TABS_MAX = 8;

const scene = new Scene();

test("two tabs of one browser both send and hear everything, agree on what is read, and are logged out together", async () => {
  const ann = await scene.person("Ann Tabs", "ann.tabs");
  const [bob, carl] = [await scene.person("Bob Tabs", "bob.tabs"), await scene.person("Carl Tabs", "carl.tabs")];
  await ann.meet(bob);
  await ann.say("From the first tab");
  await bob.open("Ann Tabs");
  const second = await ann.tab();
  await second.open("Bob Tabs");
  await bob.say("To both of you");
  await Promise.all([ann.sees("To both of you"), second.sees("To both of you")]);
  await second.say("From the second tab");
  await Promise.all([ann.sees("From the second tab"), bob.sees("From the second tab")]);
  await ann.say("And the first again");
  await Promise.all([second.sees("And the first again"), bob.sees("And the first again")]);
  const expected = ["From the first tab", "To both of you", "From the second tab", "And the first again"];
  for (const page of [ann, second, bob]) assert.deepEqual(await page.texts(), expected);

  await carl.meet(ann);
  await carl.say("One unread message");
  const badges = [ann, second].map((tab) => tab.row("Carl Tabs").locator(".badge"));
  await Promise.all(badges.map((badge) => badge.waitFor()));
  assert.deepEqual(await Promise.all(badges.map((badge) => badge.textContent())), ["1 unread", "1 unread"]);
  await second.open("Carl Tabs");
  await Promise.all(badges.map((badge) => badge.waitFor({ state: "hidden" })));

  // Both refresh the one cookie at once.
  await Promise.all([ann.page.reload(), second.page.reload()]);
  await Promise.all([ann.live(), second.live()]);

  await second.page.getByRole("button", { name: "Log out" }).click();
  for (const tab of [second, ann]) await tab.page.getByRole("heading", { name: "Welcome back" }).waitFor();
  await Promise.all([ann, bob, carl].map((person) => person.leave()));
});

test("each tab sends what was written in it, and another one what a closed tab left, once", async () => {
  const ann = await scene.person("Ann Gone", "ann.gone");
  const bob = await scene.person("Bob Gone", "bob.gone");
  await ann.meet(bob);
  await ann.say("Before");
  await bob.open("Ann Gone");
  await bob.sees("Before");
  const second = await ann.tab();
  await second.open("Bob Gone");
  await second.sees("Before");

  await scene.server.kill();
  const waits = (text: string) => ({ hasText: text });
  await ann.say("Of the tab that stays");
  await ann.messages.locator(".message.pending", waits("Of the tab that stays")).waitFor();
  await second.say("Of the tab that goes");
  await second.messages.locator(".message.pending", waits("Of the tab that goes")).waitFor();
  assert.equal(await ann.messages.locator(".message.pending").count(), 1);
  await second.page.close();
  await ann.messages.locator(".message.pending", waits("Of the tab that goes")).waitFor();

  await scene.server.restart();
  await bob.sees("Of the tab that stays");
  await bob.sees("Of the tab that goes");
  await ann.receipt("Of the tab that goes", "read");
  const expected = ["Before", "Of the tab that stays", "Of the tab that goes"];
  assert.deepEqual(await ann.texts(), expected);
  assert.deepEqual(await bob.texts(), expected);
  await ann.leave();
  await bob.leave();
});

test("one tab too many ends the oldest one, which says so and can come back", async () => {
  const ann = await scene.person("Ann Many", "ann.many");
  for (let tabs = 1; tabs <= TABS_MAX; tabs += 1) await ann.tab();
  await ann.banner.filter({ hasText: "open in too many windows" }).waitFor();
  await ann.page.getByRole("button", { name: "Use it here" }).click();
  await ann.live();
  await ann.leave();
});
