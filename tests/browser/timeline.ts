// When what happened in a page between an answer and the first picture: what its socket said and heard, how its peer connections stood.
import type { Caller } from "./calling.ts";

/** Something that happened, and when: milliseconds, on a clock that is the same for all pages of a machine. */
export interface Mark {
  what: string;
  at: number;
}

interface Recording {
  marks: Mark[];
}

/** From now on the page notes what happens; it is loaded anew for that. */
export async function record({ person }: Caller): Promise<void> {
  // The compiler of these tests names functions by a helper that pages don't have.
  await person.context.addInitScript("globalThis.__name = (it) => it");
  await person.context.addInitScript(() => {
    const marks: Mark[] = [];
    Object.assign(window, { marks });
    const mark = (what: string) => marks.push({ what, at: performance.timeOrigin + performance.now() });

    type Frame = { id?: number; type?: string; body?: { description?: { type: string } } };
    const asked = new Map<number, string>();
    const words = ({ type, body }: Frame) => (type === "call.signal" ? (body?.description?.type ?? "candidates") : type);
    const Socket = WebSocket;
    window.WebSocket = class extends Socket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener("message", ({ data }: MessageEvent<string>) => {
          const frame = JSON.parse(data) as Frame;
          const answered = frame.type === undefined && frame.id !== undefined ? asked.get(frame.id) : undefined;
          mark(answered === undefined ? `hears ${words(frame)}` : `answered ${answered}`);
        });
      }
      override send(data: string): void {
        const frame = JSON.parse(data) as Frame;
        const said = words(frame) ?? "";
        if (frame.id !== undefined) asked.set(frame.id, said);
        mark(`says ${said}`);
        super.send(data);
      }
    };

    const received = new Set<string>();
    const Connection = RTCPeerConnection;
    window.RTCPeerConnection = class extends Connection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        this.addEventListener("iceconnectionstatechange", () => mark(`ice ${this.iceConnectionState}`));
        this.addEventListener("track", ({ track }) => received.add(track.id));
        let watched = false;
        this.addEventListener("signalingstatechange", () => {
          const transport = this.getTransceivers()[0]?.sender.transport;
          if (!transport || watched) return;
          watched = true;
          transport.addEventListener("statechange", () => mark(`dtls ${transport.state}`));
        });
      }
    };

    document.addEventListener("click", ({ target }) => (target as Element).closest(".answer") && mark("click"), true);
    const isReceived = (video: HTMLVideoElement) => (video.srcObject as MediaStream).getVideoTracks().some(({ id }) => received.has(id));
    document.addEventListener("loadeddata", ({ target }) => target instanceof HTMLVideoElement && isReceived(target) && mark("first frame"), true);
  });
  await person.page.reload();
  await person.live();
}

/** What was noted since the last time. */
export function marks({ page }: Caller): Promise<Mark[]> {
  return page.evaluate(() => (window as unknown as Recording).marks.splice(0));
}

/** When this first happened, after something else where that is named. */
export function first(marks: Mark[], what: string, after = -Infinity): number {
  const found = marks.find((mark) => mark.what === what && mark.at >= after);
  if (!found) throw new Error(`no "${what}" among ${marks.map((mark) => mark.what).join(", ")}`);
  return found.at;
}

/** How often media waited for an answer from the network before they could flow: for the server's to a join, for the other side's to an offer. */
export function roundTrips(sides: Mark[][]): number {
  const until = (side: Mark[]) => side.filter(({ at }) => at <= first(side, "dtls connected"));
  return sides.flatMap(until).filter(({ what }) => what === "says call.join" || what === "says offer").length;
}
