// The peer connections of one leg: one to each other leg of the call. Whom there is to talk to, and what they say, comes from the call
// core; what they look like is for the app.
import type { Candidate, Description, Ice, LegRef, PeerQuality, Signal, UserId } from "../generated.ts";
import { Peer, type ConnectionFactory, type Tracks } from "./peer.ts";
import { sameLeg } from "./rules.ts";
import { qualityOf, type Sample } from "./stats.ts";

export interface MeshEvents {
  describe(to: LegRef, description: Description): void;
  candidate(to: LegRef, candidate: Candidate): void;
  stalled(): void;
  changed(): void;
}

export interface MeshOptions {
  /** This device's leg. */
  own: LegRef;
  ice: Ice;
  /** Whether only relays may be used: the others don't learn this device's address. */
  relayOnly?: boolean;
  tracks: Tracks;
  events: MeshEvents;
  /** For tests, and for platforms with connections of another kind. */
  connect?: ConnectionFactory;
}

/** One of the others, as far as media go. */
export interface PeerView {
  leg: LegRef;
  stream: MediaStream;
  state: RTCPeerConnectionState;
  quality: PeerQuality | undefined;
}

interface Link {
  leg: LegRef;
  peer: Peer;
  sample: Sample | undefined;
  quality: PeerQuality | undefined;
}

export class PeerMesh {
  readonly own: LegRef;
  readonly #options: MeshOptions;
  readonly #connect: ConnectionFactory;
  #ice: Ice;
  #tracks: Tracks;
  #links: Link[] = [];

  constructor(options: MeshOptions) {
    this.own = options.own;
    this.#options = options;
    this.#connect = options.connect ?? ((configuration) => new RTCPeerConnection(configuration));
    this.#ice = options.ice;
    this.#tracks = options.tracks;
  }

  get peers(): PeerView[] {
    return this.#links.map(({ leg, peer, quality }) => ({ leg, stream: peer.stream, state: peer.state, quality }));
  }

  /** The connection to someone, for statistics. */
  connection(user: UserId): RTCPeerConnection | undefined {
    return this.#links.find(({ leg }) => leg.user === user)?.peer.connection;
  }

  /** These legs are there to talk to. */
  update(legs: LegRef[]): void {
    for (const { leg, peer } of this.#links) if (!legs.some((other) => sameLeg(other, leg))) peer.close();
    this.#links = this.#links.filter(({ leg }) => legs.some((other) => sameLeg(other, leg)));
    for (const leg of legs) if (!this.#link(leg)) this.#links.push(this.#open(leg));
  }

  hear({ from, description, candidates }: Signal): void {
    void this.#link(from)?.peer.hear(description, candidates ?? []);
  }

  async send(tracks: Tracks): Promise<void> {
    this.#tracks = tracks;
    await Promise.all(this.#links.map(({ peer }) => peer.send(tracks)));
  }

  /** New credentials: for what is negotiated from now on. */
  renew(ice: Ice): void {
    this.#ice = ice;
    for (const { peer } of this.#links) peer.configure(this.#configuration());
  }

  /** What is relayed stands on credentials that end: it goes over to the new ones by a restart of ICE, while media go on. */
  async moveRelayed(): Promise<void> {
    await Promise.all(
      this.#links.map(async ({ leg, peer }) => {
        const { quality } = qualityOf(leg.user, await peer.connection.getStats(), undefined);
        if (quality.relayed) peer.restart();
      }),
    );
  }

  /** What was said is lost: negotiates with everyone anew. */
  restart(): void {
    for (const { peer } of this.#links) peer.restart();
  }

  /** Looks at how the connections do, for the time since the last look. */
  async look(): Promise<PeerQuality[]> {
    await Promise.all(
      this.#links.map(async (link) => {
        if (link.peer.state !== "connected") return (link.quality = undefined);
        const { quality, sample } = qualityOf(link.leg.user, await link.peer.connection.getStats(), link.sample);
        link.sample = sample;
        link.quality = quality;
      }),
    );
    return this.#links.flatMap(({ quality }) => (quality ? [quality] : []));
  }

  close(): void {
    for (const { peer } of this.#links) peer.close();
    this.#links = [];
  }

  #link(leg: LegRef): Link | undefined {
    return this.#links.find((link) => sameLeg(link.leg, leg));
  }

  #open(leg: LegRef): Link {
    const { events } = this.#options;
    const polite = this.own.epoch < leg.epoch || (this.own.epoch === leg.epoch && this.own.user < leg.user);
    const peer = new Peer(this.#connect, this.#configuration(), polite, this.#tracks, {
      describe: (description) => events.describe(leg, description),
      candidate: (candidate) => events.candidate(leg, candidate),
      stalled: () => events.stalled(),
      changed: () => events.changed(),
    });
    return { leg, peer, sample: undefined, quality: undefined };
  }

  #configuration(): RTCConfiguration {
    const iceServers = this.#ice.servers.map(({ urls, username, credential }) => ({
      urls,
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential }),
    }));
    return { iceServers, iceTransportPolicy: this.#options.relayOnly ? "relay" : "all", bundlePolicy: "max-bundle" };
  }
}
