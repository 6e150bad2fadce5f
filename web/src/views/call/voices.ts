// Who speaks: the loudest of late, by what the connections say of their sound.
import type { UserId } from "@secureconnect/sdk";
import type { Model } from "../../model/model.ts";

const LOOK_EVERY_MS = 300;
/** As loud as this is speech. */
const SPEECH = 0.02;
/** So long somebody else has to be silent before the picture goes over to who speaks. */
const HOLD_MS = 1_500;

export class Voices {
  readonly #model: Model;
  readonly #changed: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #heardAt = new Map<UserId, number>();
  #speaking = "";
  loudest: UserId | undefined;

  constructor(model: Model, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  speaks(user: UserId): boolean {
    return (this.#heardAt.get(user) ?? 0) > Date.now() - 2 * LOOK_EVERY_MS;
  }

  #look(): void {
    const now = Date.now();
    const { mesh, peers } = this.#model.calls.calls;
    let level = SPEECH;
    let loud: UserId | undefined;
    for (const { leg } of peers) {
      const own = levelOf(mesh?.connection(leg.user));
      if (own > SPEECH) this.#heardAt.set(leg.user, now);
      if (own <= level) continue;
      level = own;
      loud = leg.user;
    }
    const held = this.loudest !== undefined && loud !== this.loudest && (this.#heardAt.get(this.loudest) ?? 0) > now - HOLD_MS;
    if (loud !== undefined && !held) this.loudest = loud;
    const speaking = peers.filter(({ leg }) => this.speaks(leg.user)).map(({ leg }) => leg.user).join() + this.loudest;
    if (speaking === this.#speaking) return;
    this.#speaking = speaking;
    this.#changed();
  }
}

function levelOf(connection: RTCPeerConnection | undefined): number {
  const receiver = connection?.getReceivers().find(({ track }) => track.kind === "audio");
  return receiver?.getSynchronizationSources()[0]?.audioLevel ?? 0;
}
