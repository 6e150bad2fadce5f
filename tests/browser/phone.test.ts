import assert from "node:assert/strict";
import { test } from "node:test";
import { PHONE } from "./people.ts";
import { Scene } from "./scene.ts";

const scene = new Scene();

test("on a phone one pane is shown at a time, and everything can be reached", async () => {
  const ann = await scene.person("Ann Phone", "ann.phone", PHONE);
  const bob = await scene.person("Bob Phone", "bob.phone", { ...PHONE, colorScheme: "dark" });
  await ann.shot("phone-empty");
  await ann.meet(bob);
  assert.equal(await ann.page.locator(".sidebar").isVisible(), false);
  await ann.say("Are you on the train?");
  await bob.row("Ann Phone").locator(".badge").waitFor();
  await bob.shot("phone-list");
  await bob.open("Ann Phone");
  await bob.say("Yes, and the window is open. It smells of rain and of hay, and somebody in the next row plays the harmonica.");
  await ann.sees("Yes, and the window");
  await ann.receipt("Are you on the train?", "read");

  // A tap shows what can be done with a message.
  await ann.message("Yes, and the window").locator(".bubble").tap();
  await ann.message("Yes, and the window").getByRole("button", { name: "Reply" }).tap();
  await ann.say("Lucky you");
  await bob.sees("Lucky you");
  await ann.shot("phone-thread");
  await bob.shot("phone-thread-dark");

  const width = await ann.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width[0]! <= width[1]!, "nothing sticks out at the side");
  await ann.page.getByRole("button", { name: "Details" }).tap();
  await ann.shot("phone-details");
  await ann.page.getByRole("button", { name: "Close" }).tap();
  await ann.page.getByRole("button", { name: "Back to the list" }).tap();
  await ann.page.locator(".main").waitFor({ state: "hidden" });
  await ann.page.goBack();
  await ann.page.getByRole("heading", { name: "Bob Phone" }).waitFor();
  await ann.page.goBack();
  await ann.row("Bob Phone").waitFor();
  await ann.leave();
  await bob.leave();
});

test("everything can be done by keyboard, and every control has a name", async () => {
  const ann = await scene.person("Ann Keys", "ann.keys");
  const bob = await scene.person("Bob Keys", "bob.keys");
  const { keyboard } = ann.page;
  await ann.page.getByRole("button", { name: "New conversation" }).first().focus();
  await keyboard.press("Enter");
  await keyboard.type("bob.keys");
  await keyboard.press("Enter");
  await ann.page.getByRole("button", { name: /Bob Keys/ }).and(ann.page.locator(":focus")).waitFor();
  await keyboard.press("Enter");
  await ann.page.locator("textarea:focus").waitFor();
  await keyboard.type("Written without a mouse");
  await keyboard.press("Shift+Enter");
  await keyboard.type("on two lines");
  await keyboard.press("Enter");
  await ann.receipt("Written without a mouse", "delivered");
  await keyboard.press("ArrowUp");
  await keyboard.press("ControlOrMeta+A");
  await keyboard.type("Changed without a mouse");
  await keyboard.press("Enter");
  await ann.sees("Changed without a mouse");
  await keyboard.press("Escape");
  await ann.row("Bob Keys").and(ann.page.locator(":focus")).waitFor();

  await bob.page.locator("#announcer", { hasText: "Ann Keys: Written without a mouse" }).waitFor({ state: "attached" });
  await bob.open("Ann Keys");
  const nameless = await bob.page.evaluate(() =>
    [...document.querySelectorAll("button, input, textarea, select, a, [role=region]")]
      .filter((element) => {
        const labelled = (element as HTMLInputElement).labels?.length || element.getAttribute("aria-label") || element.textContent?.trim();
        return !labelled;
      })
      .map((element) => element.outerHTML),
  );
  assert.deepEqual(nameless, []);
  await ann.leave();
  await bob.leave();
});
