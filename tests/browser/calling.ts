// Calls between people at their browsers, with the browsers' own test pictures and tones. Whether they flow is asked of the peer
// connections themselves.
import assert from "node:assert/strict";
import type { Browser, BrowserContext, BrowserContextOptions, Locator } from "playwright-core";
import { Person } from "./people.ts";

/** Cameras (the second one's pictures of depth can't be sent) and microphones that need nobody's leave, and a screen to share. */
export const CALL_ARGUMENTS = [
  "--use-fake-device-for-media-stream=device-count=3,fps=10",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  "--auto-select-tab-capture-source-by-title=SecureConnect",
];
const WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 100;

interface Flow {
  state: string;
  frames: number;
  width: number;
  audio: number;
  relayed: boolean;
}

/** Small pictures, so that four people fit on a small machine; and the page's peer connections are kept for `flows`. */
async function prepare(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const page = window as unknown as { connections: RTCPeerConnection[] };
    page.connections = [];
    const Real = RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        page.connections.push(this);
      }
    };
    const kept = localStorage.getItem("secureconnect.calls");
    if (kept === null) localStorage.setItem("secureconnect.calls", JSON.stringify({ saveData: true }));
  });
}

/** Somebody who can be called. */
export class Caller {
  readonly person: Person;

  private constructor(person: Person) {
    this.person = person;
  }

  /** With a new account. */
  static async new(browser: Browser, url: string, name: string, handle: string, options: BrowserContextOptions = {}): Promise<Caller> {
    const person = await Person.at(browser, url, name, handle, options, prepare);
    await person.signUp();
    return new Caller(person);
  }

  /** The same person on one more device. */
  async device(browser: Browser, url: string): Promise<Caller> {
    const person = await Person.at(browser, url, this.person.name, this.person.handle, {}, prepare);
    await person.logIn();
    await person.live();
    return new Caller(person);
  }

  /** One more tab of the same browser. */
  async tab(): Promise<Caller> {
    return new Caller(await this.person.tab());
  }

  get page() {
    return this.person.page;
  }

  get call(): Locator {
    return this.page.getByRole("region", { name: /^Call: / });
  }

  get ring(): Locator {
    return this.page.getByRole("alertdialog");
  }

  get toast(): Locator {
    return this.page.locator(".toast");
  }

  tile(name: string): Locator {
    return this.call.locator(".tile", { has: this.page.locator(".tile-name", { hasText: name }) });
  }

  /** Calls the conversation that is open. */
  async start(kind: "audio" | "video"): Promise<void> {
    if (kind === "audio") return this.page.getByRole("button", { name: "Call", exact: true }).click();
    await this.page.getByRole("button", { name: "Video call" }).click();
    await this.page.getByRole("button", { name: "Start video call" }).click();
  }

  async answer(how: "Accept" | "Accept with video" | "Decline"): Promise<void> {
    await this.ring.getByRole("button", { name: how, exact: true }).click();
  }

  press(name: string): Promise<void> {
    return this.call.getByRole("button", { name, exact: true }).click();
  }

  async inCall(): Promise<void> {
    await this.call.locator(".call-clock").waitFor();
  }

  /** What each open peer connection has brought so far. */
  flows(): Promise<Flow[]> {
    return this.page.evaluate(async () => {
      const { connections } = window as unknown as { connections: RTCPeerConnection[] };
      const open = connections.filter(({ connectionState }) => connectionState !== "closed");
      return Promise.all(
        open.map(async (connection) => {
          const stats = new Map<string, Record<string, unknown>>((await connection.getStats()) as unknown as Map<string, Record<string, unknown>>);
          const all = [...stats.values()];
          const video = all.find((stat) => stat["type"] === "inbound-rtp" && stat["kind"] === "video") ?? {};
          const audio = all.find((stat) => stat["type"] === "inbound-rtp" && stat["kind"] === "audio") ?? {};
          const transport = all.find((stat) => stat["type"] === "transport");
          const pair = stats.get(String(transport?.["selectedCandidatePairId"])) ?? {};
          const ends = ["localCandidateId", "remoteCandidateId"].map((end) => stats.get(String(pair[end]))?.["candidateType"]);
          return {
            state: connection.connectionState,
            frames: Number(video["framesDecoded"] ?? 0),
            width: Number(video["frameWidth"] ?? 0),
            audio: Number(audio["bytesReceived"] ?? 0),
            relayed: ends.includes("relay"),
          };
        }),
      );
    });
  }

  /** Until so many others are seen and heard: pictures are decoded and sound comes, now. */
  async seesAndHears(others: number, what: ("frames" | "audio")[] = ["frames", "audio"]): Promise<Flow[]> {
    const before = await until(`${this.person.name} is connected to ${others}`, () => this.flows(), (flows) => flows.length === others && flows.every(({ state }) => state === "connected"));
    return until(
      `${this.person.name} gets ${what.join(" and ")} of ${others}`,
      () => this.flows(),
      (flows) => flows.length === others && flows.every((flow, at) => what.every((name) => flow[name] > before[at]![name])),
    );
  }

  async leave(): Promise<void> {
    await this.person.leave();
  }
}

/** Looks until it holds; nothing tells when statistics change. */
export async function until<T>(what: string, look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline) assert.fail(`not within ${WITHIN_MS / 1_000} s: ${what}; last seen ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Somebody who hides their address from the others. */
async function alwaysRelay({ page }: Caller): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByLabel("Always relay calls").check();
  await page.getByRole("dialog", { name: "Settings" }).getByRole("button", { name: "Close" }).click();
}

/** Two people in a conversation of their own. */
export async function pair(browser: Browser, url: string, name: string, options: BrowserContextOptions = {}): Promise<[Caller, Caller]> {
  const handle = name.toLowerCase();
  const [ann, bob] = await Promise.all([
    Caller.new(browser, url, `Ann ${name}`, `ann.${handle}`, options),
    Caller.new(browser, url, `Bob ${name}`, `bob.${handle}`, options),
  ]);
  await ann.person.meet(bob.person);
  await bob.person.row(ann.person.name).waitFor();
  return [ann, bob];
}

/** Two people who hide their addresses, in a video call that goes through the relay. */
export async function relayedPair(browser: Browser, url: string, name: string): Promise<[Caller, Caller]> {
  const [ann, bob] = await pair(browser, url, name);
  await alwaysRelay(ann);
  await alwaysRelay(bob);
  await ann.start("video");
  await bob.answer("Accept with video");
  const flows = await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  assert.ok(flows.flat().every(({ relayed }) => relayed));
  return [ann, bob];
}

/** A group of them; the first one makes it. */
export async function group(people: Caller[], title: string): Promise<void> {
  const [owner, ...members] = people as [Caller, ...Caller[]];
  await (await owner.person.begin()).getByRole("button", { name: /New group/ }).click();
  const dialog = owner.page.getByRole("dialog", { name: "New group" });
  await dialog.getByLabel("Title").fill(title);
  for (const { person } of members) {
    await dialog.getByLabel("Find somebody by handle").fill(person.handle);
    await dialog.getByRole("button", { name: "Find", exact: true }).click();
    await dialog.getByRole("listitem").filter({ hasText: person.name }).waitFor();
  }
  await dialog.getByRole("button", { name: "Create group" }).click();
  await owner.page.getByRole("heading", { name: title }).waitFor();
  for (const { person } of members) await person.row(title).waitFor();
}
