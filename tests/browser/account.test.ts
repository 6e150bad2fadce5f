import assert from "node:assert/strict";
import { test } from "node:test";
import { Person } from "./people.ts";
import { Scene } from "./scene.ts";

const scene = new Scene();

test("a reload keeps the login, and no script can read what keeps it", async () => {
  const ann = await scene.person("Ann Reload", "ann.reload");
  await ann.page.reload();
  await ann.live();
  await ann.page.getByText("@ann.reload").first().waitFor();
  const stored = await ann.page.evaluate(() => [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)]);
  assert.deepEqual(stored, ["", "{}", "{}"]);
  const cookie = (await ann.context.cookies(`${scene.server.url}v1/auth/refresh`)).find(({ name }) => name === "sc_refresh");
  assert.ok(cookie?.httpOnly && cookie.secure && cookie.sameSite === "Strict" && cookie.path === "/v1/auth");

  await ann.page.getByRole("button", { name: "Log out" }).click();
  await ann.page.getByRole("heading", { name: "Welcome back" }).waitFor();
  await ann.page.reload();
  await ann.page.getByRole("heading", { name: "Welcome back" }).waitFor();
  await ann.leave();
});

test("what is wrong is said in plain words", async () => {
  const ann = await scene.person("Ann Words", "ann.words");
  const eve = await Person.at(scene.browser, scene.server.url, "Eve Words", "ann.words");
  await eve.logIn("not the password at all");
  await eve.page.getByRole("alert").filter({ hasText: "Handle or password is wrong." }).waitFor();
  await eve.shot("log-in");
  await eve.page.getByRole("button", { name: "Make an account" }).click();
  await eve.page.getByLabel("Your name").fill("Eve");
  await eve.page.getByLabel("Handle").fill("ann.words");
  await eve.page.getByLabel("Password").fill("another long secret");
  await eve.page.getByRole("button", { name: "Sign up" }).click();
  await eve.page.getByRole("alert").filter({ hasText: "This handle is taken." }).waitFor();
  await eve.shot("sign-up");

  const dialog = await ann.begin();
  await dialog.getByLabel("Find somebody by handle").fill("nobody.at.all");
  await dialog.getByRole("button", { name: "Find", exact: true }).click();
  await dialog.getByRole("alert").filter({ hasText: "Nobody has the handle @nobody.at.all." }).waitFor();
  await ann.leave();
  await eve.leave();
});

test("a session is listed and ended from another device; a new password ends the others", async () => {
  const ann = await scene.person("Ann Devices", "ann.devices");
  const other = await Person.at(scene.browser, scene.server.url, "Ann Devices", "ann.devices");
  await other.logIn();
  await other.live();

  await ann.page.getByRole("button", { name: "Settings" }).click();
  const dialog = ann.page.getByRole("dialog", { name: "Settings" });
  const listed = dialog.locator(".row").filter({ hasText: "Last seen" });
  await listed.nth(1).waitFor();
  await ann.shot("settings");
  await listed.getByRole("button", { name: "Log out" }).click();
  await ann.page.getByRole("dialog", { name: /^Log out/ }).getByRole("button", { name: "Log out" }).click();
  await other.page.getByRole("heading", { name: "Welcome back" }).waitFor();

  await other.logIn();
  await other.live();
  await dialog.getByLabel("Present password").fill("a quiet lamp by the window");
  await dialog.getByLabel("New password").fill("a loud lamp in the hall");
  await dialog.getByRole("button", { name: "Change password" }).click();
  await ann.page.getByText("Your password was changed.").waitFor();
  await other.page.getByRole("heading", { name: "Welcome back" }).waitFor();
  await other.logIn("a loud lamp in the hall");
  await other.live();

  await dialog.getByLabel("Name").fill("Ann of Many Lamps");
  await dialog.getByRole("button", { name: "Save" }).click();
  await ann.page.getByText("Your name was changed.").waitFor();
  await ann.page.keyboard.press("Escape");
  await ann.page.locator(".me .name", { hasText: "Ann of Many Lamps" }).waitFor();
  await ann.leave();
  await other.leave();
});
