// What a page does to be noticed, as the browser itself tells of it: how loud it is, and which notices the system shows. And looking
// away from it, to another tab.
import type { Page } from "playwright-core";

export interface Noticed {
  title: string;
  body: string;
  /** What happened to it, as the browser said: `show`, `close`. */
  events: string[];
}

interface Watched {
  noticed: (Noticed & { notice: Notification })[];
  meters: AnalyserNode[];
  focusAsked: number;
}

/** From now on the page's sounds are measured at their way out, and its notices kept. */
export async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const watched: Watched = { noticed: [], meters: [], focusAsked: 0 };
    Object.assign(window, { watched });
    const meters = new Map<BaseAudioContext, AnalyserNode>();
    const { connect } = AudioNode.prototype as unknown as { connect: (this: AudioNode, to: AudioNode) => AudioNode };
    Object.assign(AudioNode.prototype, {
      connect(this: AudioNode, to: AudioNode) {
        if (to instanceof AudioDestinationNode) {
          let meter = meters.get(this.context);
          if (!meter) {
            meter = this.context.createAnalyser();
            meters.set(this.context, meter);
            watched.meters.push(meter);
          }
          connect.call(this, meter);
        }
        return connect.call(this, to);
      },
    });
    window.Notification = class extends Notification {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options);
        const kept = { title, body: options?.body ?? "", events: [] as string[], notice: this };
        watched.noticed.push(kept);
        for (const name of ["show", "close", "error"]) this.addEventListener(name, () => kept.events.push(name));
      }
    };
    const { focus } = window;
    window.focus = () => {
      watched.focusAsked += 1;
      focus.call(window);
    };
  });
}

/** The loudest sample of what the page plays now; nothing where it keeps nothing open to play on. */
export function loudness(page: Page): Promise<number | undefined> {
  return page.evaluate(() => {
    const { meters } = (window as unknown as { watched: Watched }).watched;
    const levels = meters.filter(({ context }) => context.state === "running").map((meter) => {
      const samples = new Float32Array(meter.fftSize);
      meter.getFloatTimeDomainData(samples);
      return Math.max(...samples.map(Math.abs));
    });
    return levels.length > 0 ? Math.max(...levels) : undefined;
  });
}

export function notices(page: Page): Promise<Noticed[]> {
  return page.evaluate(() => (window as unknown as { watched: Watched }).watched.noticed.map(({ title, body, events }) => ({ title, body, events: [...events] })));
}

/** Clicks the last notice; whether the page asked to be in front. Nothing but its user can click what the system shows, so it is told as if. */
export function clickNotice(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { watched } = window as unknown as { watched: Watched };
    const before = watched.focusAsked;
    watched.noticed.at(-1)!.notice.dispatchEvent(new Event("click"));
    return watched.focusAsked > before;
  });
}

/** Goes over to another tab of the same window. */
export async function lookAway(page: Page): Promise<void> {
  await setLooking(page, false);
}

/** Comes back to this one. */
export async function lookBack(page: Page): Promise<void> {
  await setLooking(page, true);
}

/** Each page of a driven browser believes that it has the focus, until it is told to ask the window. */
async function setLooking(page: Page, looks: boolean): Promise<void> {
  const session = await page.context().newCDPSession(page);
  if (!looks) await page.context().newPage();
  else await page.bringToFront();
  await session.send("Emulation.setFocusEmulationEnabled", { enabled: looks });
  await page.waitForFunction((wished) => document.hasFocus() === wished, looks);
}
