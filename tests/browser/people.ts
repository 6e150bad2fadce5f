// People at their browsers: what they do, and what they see. Everything waits for a condition that a person would wait for.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from "playwright-core";

const OUTPUT = fileURLToPath(new URL("./output/", import.meta.url));
export const PASSWORD = "a quiet lamp by the window";
export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export function openBrowser(more: string[] = [], executablePath = CHROMIUM): Promise<Browser> {
  const args = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...more];
  return chromium.launch({ executablePath, chromiumSandbox: false, args });
}

export class Person {
  readonly name: string;
  readonly handle: string;
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong on the page: faults of scripts, violations of the content security policy. */
  readonly faults: string[];

  private constructor(name: string, handle: string, context: BrowserContext, page: Page, faults: string[] = []) {
    this.faults = faults;
    this.name = name;
    this.handle = handle;
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => this.faults.push(String(error.stack ?? error)));
    page.on("console", (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.faults.push(message.text());
    });
  }

  /** Opens a browser of their own. */
  static async at(browser: Browser, url: string, name: string, handle: string, options: BrowserContextOptions = {}, prepare?: (context: BrowserContext) => Promise<void>): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, locale: "en-GB", ...options });
    await prepare?.(context);
    const person = new Person(name, handle, context, await context.newPage());
    await person.page.goto(url);
    return person;
  }

  /** Opens a browser and makes an account. */
  static async new(browser: Browser, url: string, name: string, handle: string, options: BrowserContextOptions = {}): Promise<Person> {
    const person = await Person.at(browser, url, name, handle, options);
    await person.signUp();
    return person;
  }

  /** Opens another tab of the same browser, which shares the login. */
  async tab(): Promise<Person> {
    const tab = new Person(this.name, this.handle, this.context, await this.context.newPage(), this.faults);
    await tab.page.goto(new URL("/", this.page.url()).href);
    await tab.live();
    return tab;
  }

  async signUp(): Promise<void> {
    await this.page.getByRole("button", { name: "Make an account" }).click();
    await this.page.getByLabel("Your name").fill(this.name);
    await this.page.getByLabel("Handle").fill(this.handle);
    await this.page.getByLabel("Password").fill(PASSWORD);
    await this.page.getByRole("button", { name: "Sign up" }).click();
    await this.live();
  }

  async logIn(password = PASSWORD): Promise<void> {
    await this.page.getByLabel("Handle").fill(this.handle);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Log in" }).click();
  }

  /** Until the page is in step with the server. */
  async live(): Promise<void> {
    await this.page.locator('html[data-connection="live"]').waitFor({ state: "attached" });
  }

  get messages(): Locator {
    return this.page.locator(".messages");
  }

  get banner(): Locator {
    return this.page.locator(".banner");
  }

  get composer(): Locator {
    return this.page.getByRole("textbox", { name: /^Message/ });
  }

  /** The row of a conversation in the list. */
  row(title: string): Locator {
    return this.page.locator(".conversation", { has: this.page.locator(".title", { hasText: title }) });
  }

  /** The row of a message. */
  message(text: string): Locator {
    return this.messages.locator(".message", { has: this.page.locator(".text", { hasText: text }) }).last();
  }

  async begin(): Promise<Locator> {
    await this.page.getByRole("button", { name: "New conversation" }).first().click();
    return this.page.getByRole("dialog", { name: "New conversation" });
  }

  /** Finds somebody by handle and opens the conversation with them. */
  async meet(other: Person): Promise<void> {
    const dialog = await this.begin();
    await dialog.getByLabel("Find somebody by handle").fill(`@${other.handle}`);
    await dialog.getByRole("button", { name: "Find", exact: true }).click();
    await dialog.getByRole("button", { name: new RegExp(other.name) }).click();
    await this.page.getByRole("heading", { name: other.name }).waitFor();
  }

  async open(title: string): Promise<void> {
    await this.row(title).click();
    await this.page.getByRole("heading", { name: title }).waitFor();
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.page.getByRole("button", { name: "Send", exact: true }).click();
  }

  async sees(text: string): Promise<void> {
    await this.message(text).waitFor();
  }

  /** Until the own message has come this far. */
  async receipt(text: string, state: "sent" | "delivered" | "read"): Promise<void> {
    await this.message(text).locator(`[data-receipt="${state}"]`).waitFor({ state: "attached" });
  }

  /** Does something with a message by its buttons. */
  async act(text: string, action: "Reply" | "Edit" | "Delete"): Promise<void> {
    const message = this.message(text);
    await message.hover();
    await message.getByRole("button", { name: action, exact: true }).click();
  }

  /** The texts that are shown, in order. */
  async texts(): Promise<string[]> {
    return this.messages.locator(".message .text").allTextContents();
  }

  async shot(name: string): Promise<void> {
    mkdirSync(OUTPUT, { recursive: true });
    await this.page.screenshot({ path: `${OUTPUT}${name}.png`, animations: "disabled" });
  }

  /** Closes the browser; nothing went wrong on the page that nobody saw. */
  async leave(): Promise<void> {
    await this.context.close();
    assert.deepEqual(this.faults, [], `faults on ${this.name}'s page`);
  }
}
