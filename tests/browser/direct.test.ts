import assert from "node:assert/strict";
import { test } from "node:test";
import { Scene } from "./scene.ts";

const scene = new Scene();
/** More than one page of history. */
const LINES = 70;

test("two people sign up, find each other and talk, from the first word to the read receipt", async () => {
  const ann = await scene.person("Ann Lindqvist", "ann");
  const bob = await scene.person("Bob Okafor", "bob", { colorScheme: "dark" });

  await ann.meet(bob);
  await ann.say("Hi Bob! Did the package arrive?");
  await ann.receipt("Did the package arrive?", "delivered");
  await bob.row("Ann Lindqvist").locator(".badge", { hasText: "1" }).waitFor();
  assert.match(await bob.page.title(), /^\(1\)/);

  await bob.open("Ann Lindqvist");
  await bob.sees("Did the package arrive?");
  await ann.receipt("Did the package arrive?", "read");
  await bob.row("Ann Lindqvist").locator(".badge").waitFor({ state: "detached" });

  await bob.composer.pressSequentially("Yes, this");
  await ann.page.locator(".thread-head .status", { hasText: "typing…" }).waitFor();
  await bob.say("Yes, this morning. It is a bit bigger than I thought, but it looks great next to the window. See https://example.org/lamps/42.");
  await ann.sees("Yes, this morning");
  assert.equal(await ann.message("Yes, this morning").getByRole("link").getAttribute("href"), "https://example.org/lamps/42");

  await ann.act("Yes, this morning", "Reply");
  await ann.say("Send me a picture");
  await bob.message("Send me a picture").locator(".quote", { hasText: "Bob Okafor" }).or(bob.message("Send me a picture").locator(".quote", { hasText: "You" })).waitFor();

  await ann.act("Send me a picture", "Edit");
  await ann.composer.fill("Send me a picture tonight");
  await ann.composer.press("Enter");
  await bob.sees("Send me a picture tonight");
  await bob.message("Send me a picture tonight").locator(".meta", { hasText: "edited" }).waitFor();

  await bob.say("Wrong window, sorry");
  await ann.sees("Wrong window");
  await bob.act("Wrong window", "Delete");
  await bob.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await ann.sees("Message deleted");
  assert.ok(!(await ann.texts()).some((text) => text.includes("Wrong window")));

  await ann.page.locator(".thread-head .status", { hasText: "Online" }).waitFor();
  await ann.shot("direct");
  await bob.shot("direct-dark");
  await bob.leave();
  await ann.page.locator(".thread-head .status", { hasText: /last seen/i }).waitFor();
  await ann.leave();
});

test("what is written is text, never markup", async () => {
  const ann = await scene.person("Ann <b>Bold</b>", "ann.bold");
  const eve = await scene.person("Eve", "eve");
  await eve.meet(ann);
  await eve.say('<img src=x onerror="document.title=1"><script>alert(1)</script>');
  await ann.open("Eve");
  await ann.sees("<img src=x");
  assert.equal(await ann.messages.locator("img, script").count(), 0);
  await eve.page.getByRole("heading", { name: "Ann <b>Bold</b>" }).waitFor();
  await ann.leave();
  await eve.leave();
});

test("older messages come when one scrolls up, and what one reads stays in its place", async () => {
  const ann = await scene.person("Ann History", "ann.history");
  const bob = await scene.person("Bob History", "bob.history");
  await ann.meet(bob);
  for (let number = 1; number <= LINES; number += 1) await ann.say(`Line ${number} of a long story`);
  await ann.receipt(`Line ${LINES} of`, "sent");

  await bob.open("Ann History");
  await bob.sees(`Line ${LINES} of`);
  await bob.page.getByText("New messages", { exact: true }).waitFor({ state: "attached" });
  const scroller = bob.page.locator(".scroller");
  const top = bob.message("Line 1 of a long story");
  while ((await top.count()) === 0) {
    const shown = await bob.messages.locator(".message").count();
    await scroller.evaluate((element) => element.scrollTo(0, 0));
    await bob.page.waitForFunction((before) => document.querySelectorAll(".message").length > before, shown);
  }
  const numbers = (await bob.texts()).map((text) => Number(/Line (\d+)/.exec(text)?.[1]));
  assert.deepEqual(numbers, Array.from({ length: LINES }, (_, index) => index + 1));

  await scroller.evaluate((element) => element.scrollTo(0, 300));
  const before = await scroller.evaluate((element) => element.scrollTop);
  await ann.say("And one more");
  const button = bob.page.locator(".to-newest", { hasText: "1 new" });
  await button.waitFor();
  assert.equal(await scroller.evaluate((element) => element.scrollTop), before);
  await button.click();
  await bob.sees("And one more");
  await ann.receipt("And one more", "read");
  await ann.leave();
  await bob.leave();
});
