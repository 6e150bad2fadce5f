// What the server tells a page of its call, frame by frame: what a person does not see, because it is over before anything is drawn.
import type { Call, CallNotice } from "../../sdk/src/generated.ts";
import { until, type Caller } from "./calling.ts";

/** The order in which it came is the order of the list. */
type Frame = { type: "call.state"; body: Call } | { type: "call.recovering" | "call.recovered"; body: CallNotice };

export class Told {
  readonly #who: string;
  #frames: Frame[] = [];

  private constructor({ person }: Caller) {
    this.#who = person.name;
    person.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => this.#take(JSON.parse(String(payload)) as Frame)));
  }

  /** From now on all of it; the page is loaded anew for that. */
  static async to(caller: Caller): Promise<Told> {
    const told = new Told(caller);
    await caller.page.reload();
    await caller.person.live();
    return told;
  }

  #take(frame: Frame): void {
    if (frame.type === "call.state" || frame.type === "call.recovering" || frame.type === "call.recovered") this.#frames.push(frame);
  }

  /** Forgets what was told until now. */
  clear(): void {
    this.#frames = [];
  }

  /** The versions of calls. */
  get states(): Call[] {
    return this.#frames.filter((frame) => frame.type === "call.state").map(({ body }) => body as Call);
  }

  has(type: Frame["type"]): boolean {
    return this.#frames.some((frame) => frame.type === type);
  }

  /** Until this was told. */
  async until(type: Frame["type"]): Promise<void> {
    await until(`${this.#who} is told ${type}`, () => Promise.resolve(this.has(type)), Boolean);
  }
}
