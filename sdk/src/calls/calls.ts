// The shell around the call core: it owns the timers, performs commands through the client, and keeps the peer connections of the own
// leg. No decision is made here.
import type { Client, ClientEvent } from "../client.ts";
import { steadyClock } from "../clock.ts";
import { ApiError } from "../errors.ts";
import type { Answer } from "../rest.ts";
import type { Call, CallId, CallIndex, CallKind, CommandName, ConversationId, Ice, LegRef, Media, Signal, UserId } from "../generated.ts";
import { newId } from "../ids.ts";
import { pageTimer, type Timer } from "../timer.ts";
import { CallCore } from "./core.ts";
import type { CallCommand, CallNews, LegEnd } from "./inout.ts";
import { PeerMesh, type PeerView } from "./mesh.ts";
import type { ConnectionFactory, Tracks } from "./peer.ts";

/** How often it is looked how the connections do: what a person sees of them is not much older. */
const LOOK_EVERY_MS = 2_000;
/** In a call the next connection is tried at least so often, give or take a half: a place is kept for a short while only. */
const HURRY_MS = 2_000;

/** What an app hears of calls. */
export interface CallsEvents {
  /** Something looks different. */
  changed(): void;
  /** The host has muted this device's microphone. */
  muted(): void;
  /** This device is out of its call. */
  ended(call: CallId | undefined, why: LegEnd): void;
}

export interface CallsOptions {
  timer?: Timer;
  connect?: ConnectionFactory;
  /** Whether new connections go through relays only. */
  relayOnly?: () => boolean;
}

export class Calls {
  readonly #client: Client;
  readonly #core: CallCore;
  readonly #me: UserId;
  readonly #events: CallsEvents;
  readonly #options: CallsOptions;
  readonly #after: Timer;
  readonly #off: () => void;
  readonly #now = steadyClock();
  #cancelTimer: () => void = () => undefined;
  #cancelHurry: () => void = () => undefined;
  #cancelLook: () => void = () => undefined;
  #mesh: PeerMesh | undefined;
  #tracks: Tracks = { audio: null, video: null };
  #running = false;

  constructor(client: Client, me: UserId, events: CallsEvents, options: CallsOptions = {}) {
    this.#client = client;
    this.#me = me;
    this.#core = new CallCore(me);
    this.#events = events;
    this.#options = options;
    this.#after = options.timer ?? pageTimer;
    this.#off = client.subscribe((event) => this.#hear(event));
  }

  /** This device's own place. */
  get leg(): CallCore["leg"] {
    return this.#core.leg;
  }

  /** The calls that go on, as far as this user is told of them. */
  get live(): Call[] {
    return this.#core.live;
  }

  get missed(): number {
    return this.#core.missed;
  }

  /** The calls for which this device rings. */
  get ringing(): Call[] {
    return this.#core.ringing(this.#now());
  }

  /** The others, as far as media go. */
  get peers(): PeerView[] {
    return this.#mesh?.peers ?? [];
  }

  get mesh(): PeerMesh | undefined {
    return this.#mesh;
  }

  call(id: CallId): Call | undefined {
    return this.#core.call(id);
  }

  start(conversation: ConversationId, kind: CallKind, media: Media, waitingRoom = false): void {
    this.#do((now) => this.#core.enter(now, { conversation, kind, media, start: { clientId: newId(), waitingRoom } }));
  }

  /** Answers, joins, or takes over from another device. */
  join({ id, kind, conversation }: Call, media: Media): void {
    this.#do((now) => this.#core.enter(now, { conversation, kind, media, call: id }));
  }

  decline(call: CallId): void {
    this.#do(() => this.#core.decline(call));
  }

  leave(): void {
    this.#do((now) => this.#core.leave(now));
  }

  /** A host's word. */
  host(name: "call.end" | "call.admit" | "call.mute" | "call.remove", user?: UserId): void {
    this.#do(() => this.#core.host(name, user));
  }

  /** What this device sends, and what the others are told of it. */
  setMedia(media: Media, tracks: Tracks): void {
    this.#tracks = tracks;
    void this.#mesh?.send(tracks);
    this.#do(() => this.#core.setMedia(media));
  }

  seen(call: CallId): void {
    this.#do(() => this.#core.seen(call));
  }

  /** The app goes away. */
  end(): void {
    this.#off();
    this.#cancelTimer();
    this.#cancelHurry();
    this.#closeMesh();
  }

  #hear(event: ClientEvent): void {
    if (event.kind === "disconnected") this.#hurry();
    if (event.kind === "connected") this.#do((now) => this.#core.handleConnected(now, event.welcome.time - now));
    else if (event.kind === "disconnected" || event.kind === "stopped") this.#do(() => this.#core.handleDisconnected());
    else if (event.kind === "register" && event.name === "call.state") this.#do((now) => this.#core.handleState(now, event.body as Call));
    else if (event.kind === "register" && event.name === "calls.index") this.#do((now) => this.#core.handleIndex(now, event.body as CallIndex));
    else if (event.kind === "ephemeral" && event.name === "call.signal") this.#do((now) => this.#core.handleSignal(now, event.body as Signal));
  }

  /** Hands something in, then does what comes out, then sets the timer. */
  #do(handIn: (now: number) => void): void {
    handIn(this.#now());
    if (this.#running) return;
    this.#running = true;
    try {
      for (;;) {
        const command = this.#core.pollCommand();
        if (command) this.#perform(command);
        const news = this.#core.pollNews();
        if (news) this.#tell(news);
        if (!command && !news) break;
      }
    } finally {
      this.#running = false;
    }
    this.#cancelTimer();
    const now = this.#now();
    const next = this.#core.pollTimeout(now);
    if (next !== undefined) this.#cancelTimer = this.#after(Math.min(Math.max(0, next - now), 60_000), () => this.#do((at) => this.#core.handleTimeout(at)));
  }

  #perform({ ticket, name, to, body, expiresInMs }: CallCommand): void {
    const options = { ...(expiresInMs === undefined ? {} : { expiresInMs }), ...(to === undefined ? {} : { to }), ...(body === undefined ? {} : { body: body as never }) };
    (this.#client.call as (name: CommandName, options: object) => Promise<Answer<CommandName>>).call(this.#client, name, options).then(
      (ok) => this.#do((now) => this.#core.handleAnswer(now, ticket, { ok })),
      (error: unknown) => {
        const { code, message } = error instanceof ApiError ? error : { code: "internal" as const, message: String(error) };
        // Of this side's own codes none belongs to a socket's command, besides that the client was stopped.
        const known = code === "offline" || code === "queue_full" || code === "stopped" ? "unavailable" : code;
        this.#do((now) => this.#core.handleAnswer(now, ticket, { error: { code: known, message } }));
      },
    );
  }

  #tell(news: CallNews): void {
    switch (news.kind) {
      case "changed":
        this.#mesh?.update(this.#core.peers);
        return this.#events.changed();
      case "joined":
        return this.#openMesh({ user: this.#me, epoch: news.epoch }, news.ice);
      case "returned":
        this.#mesh?.renew(news.ice);
        if (news.renegotiate) this.#mesh?.restart();
        return;
      case "ice":
        this.#mesh?.renew(news.ice);
        // Whoever is gone by then has nothing to move.
        this.#mesh?.moveRelayed().catch(() => undefined);
        return;
      case "signal":
        return this.#mesh?.hear(news.signal);
      case "muted":
        return this.#events.muted();
      case "ended":
        this.#closeMesh();
        return this.#events.ended(news.call, news.why);
    }
  }

  /** Doesn't wait for long. */
  #hurry(): void {
    this.#cancelHurry();
    this.#cancelHurry = this.#after(HURRY_MS * (0.5 + Math.random()), () => {
      if (!this.#core.leg || this.#client.status.state !== "waiting") return;
      this.#client.wake();
      this.#hurry();
    });
  }

  #openMesh(own: LegRef, ice: Ice): void {
    this.#closeMesh();
    const { connect } = this.#options;
    this.#mesh = new PeerMesh({
      own,
      ice,
      relayOnly: this.#options.relayOnly?.() ?? false,
      tracks: this.#tracks,
      ...(connect ? { connect } : {}),
      events: {
        describe: (to, description) => this.#do((now) => this.#core.describe(now, to, description)),
        candidate: (to, candidate) => this.#do((now) => this.#core.candidate(now, to, candidate)),
        stalled: () => this.#do((now) => this.#core.handleStalled(now)),
        changed: () => this.#events.changed(),
      },
    });
    this.#mesh.update(this.#core.peers);
    this.#lookLater();
  }

  #closeMesh(): void {
    this.#cancelLook();
    this.#mesh?.close();
    this.#mesh = undefined;
  }

  #lookLater(): void {
    this.#cancelLook = this.#after(LOOK_EVERY_MS, () => {
      const mesh = this.#mesh;
      if (!mesh) return;
      mesh.look().then(
        (peers) => {
          if (mesh !== this.#mesh) return;
          this.#do((now) => this.#core.report(now, peers));
          this.#events.changed();
          this.#lookLater();
        },
        () => mesh === this.#mesh && this.#lookLater(),
      );
    });
  }
}
