// One peer connection, negotiated by the W3C's perfect negotiation (WebRTC 1.0, section 10.7): either side may offer at any time, and
// where offers collide the polite one gives way. The leg with the higher epoch makes the first offer and is the impolite one.
//
// Both sides always have one audio and one video section, whether they send or not: a camera, a screen or silence is a replaced
// track, not a negotiation. So only a lost path is negotiated anew, by restarting ICE.
import type { Candidate, Description } from "../generated.ts";
import { marked, unmarked } from "./answers.ts";

/** Whoever is not connected after this time asks what was missed, and tries anew; later less often. */
const STALLED_MS = [3_000, 5_000, 8_000, 12_000];

/** What this side sends. */
export interface Tracks {
  audio: MediaStreamTrack | null;
  video: MediaStreamTrack | null;
}

export interface PeerEvents {
  describe(description: Description): void;
  candidate(candidate: Candidate): void;
  /** The connection should be there and isn't: perhaps something was missed. */
  stalled(): void;
  /** Its state, or what it brings, has changed. */
  changed(): void;
}

export type ConnectionFactory = (configuration: RTCConfiguration) => RTCPeerConnection;

export class Peer {
  readonly connection: RTCPeerConnection;
  /** What the other side sends. */
  readonly stream = new MediaStream();
  readonly #polite: boolean;
  readonly #events: PeerEvents;
  #tracks: Tracks;
  #makingOffer = false;
  #ignoringOffer = false;
  #answerPending = false;
  #closed = false;
  #attempt = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;
  /** One after the other, as they were said. */
  #turn: Promise<void> = Promise.resolve();

  constructor(make: ConnectionFactory, configuration: RTCConfiguration, polite: boolean, tracks: Tracks, events: PeerEvents) {
    this.#polite = polite;
    this.#tracks = tracks;
    this.#events = events;
    const connection = make(configuration);
    this.connection = connection;
    connection.onnegotiationneeded = () => void this.#offer();
    connection.onicecandidate = ({ candidate }) => candidate && events.candidate(asSaid(candidate));
    connection.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      for (const name of ["mute", "unmute", "ended"]) track.addEventListener(name, () => events.changed());
      events.changed();
    };
    connection.onconnectionstatechange = () => this.#stateChanged();
    if (!polite) for (const kind of KINDS) this.#section(kind);
    this.#watchOver();
  }

  get state(): RTCPeerConnectionState {
    return this.connection.connectionState;
  }

  /** Sends these from now on. */
  async send(tracks: Tracks): Promise<void> {
    this.#tracks = tracks;
    await Promise.all(KINDS.map((kind) => this.#transceiver(kind)?.sender.replaceTrack(tracks[kind])));
  }

  /** The other side said something. */
  hear(description: Description | undefined, candidates: Candidate[]): Promise<void> {
    return this.#inTurn(async () => {
      if (description) await this.#describe(description);
      for (const candidate of candidates) await this.#candidate(candidate);
    });
  }

  configure(configuration: RTCConfiguration): void {
    if (!this.#closed) this.connection.setConfiguration(configuration);
  }

  /** What was said may be lost, or the path is: negotiates a new one. Media go on meanwhile where they still can. */
  restart(): void {
    const { connection } = this;
    const { localDescription } = connection;
    // The polite side has nothing to renew before the first offer: that one is repeated by who made it.
    if (this.#closed || connection.getTransceivers().length === 0) return;
    // Nothing of this offer was heard as far as is known: it is said again, with its candidates in it.
    if (connection.signalingState === "have-local-offer" && localDescription) return this.#events.describe(asDescription(localDescription));
    connection.restartIce();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#watch);
    this.connection.close();
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  async #offer(): Promise<void> {
    if (this.#closed) return;
    try {
      this.#makingOffer = true;
      await this.connection.setLocalDescription();
      this.#say();
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#makingOffer = false;
    }
  }

  async #describe(description: Description): Promise<void> {
    const { connection } = this;
    const isOffer = description.type === "offer";
    const ready = !this.#makingOffer && (connection.signalingState === "stable" || this.#answerPending);
    this.#ignoringOffer = !this.#polite && isOffer && !ready;
    if (this.#ignoringOffer) {
      // The other side may never have heard the offer that goes before its own.
      const { localDescription } = connection;
      if (localDescription?.type === "offer") this.#events.describe(asDescription(localDescription));
      return;
    }
    // An answer that was repeated on the way is for nothing that is open.
    const said = isOffer ? description : unmarked(description, connection.localDescription?.sdp);
    if (!said || (!isOffer && connection.signalingState !== "have-local-offer")) return;
    this.#answerPending = !isOffer;
    try {
      await connection.setRemoteDescription(said);
    } finally {
      this.#answerPending = false;
    }
    if (!isOffer) return;
    await this.#fill();
    await connection.setLocalDescription();
    this.#say();
  }

  async #candidate(candidate: Candidate): Promise<void> {
    try {
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      // Of an offer that was ignored, or of a generation that is over.
      if (!this.#ignoringOffer && !this.#closed && this.connection.remoteDescription) console.warn("candidate not taken", error);
    }
  }

  #say(): void {
    const { localDescription, remoteDescription } = this.connection;
    if (!localDescription || this.#closed) return;
    const description = asDescription(localDescription);
    this.#events.describe(description.type === "answer" ? marked(description, remoteDescription?.sdp) : description);
  }

  /** Takes up the sections of the other side's first offer. */
  async #fill(): Promise<void> {
    for (const kind of KINDS) {
      const transceiver = this.#transceiver(kind);
      if (!transceiver || transceiver.direction === "sendrecv") continue;
      transceiver.direction = "sendrecv";
      await transceiver.sender.replaceTrack(this.#tracks[kind]);
    }
  }

  #section(kind: "audio" | "video"): void {
    this.connection.addTransceiver(this.#tracks[kind] ?? kind, { direction: "sendrecv" });
  }

  #transceiver(kind: "audio" | "video"): RTCRtpTransceiver | undefined {
    return this.connection.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
  }

  #stateChanged(): void {
    if (this.state === "connected") {
      clearTimeout(this.#watch);
      this.#watch = undefined;
      this.#attempt = 0;
    } else if (!this.#watch && this.state !== "closed") {
      this.#watchOver();
    }
    this.#events.changed();
  }

  #watchOver(): void {
    const wait = STALLED_MS[Math.min(this.#attempt, STALLED_MS.length - 1)];
    this.#watch = setTimeout(() => {
      if (this.#closed || this.state === "connected") return;
      this.#attempt += 1;
      this.#watchOver();
      this.#events.stalled();
      // One side's try is enough, unless it doesn't come.
      if (!this.#polite || this.#attempt > 1) this.restart();
    }, wait);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#turn.then(() => (this.#closed ? undefined : work()));
    this.#turn = next.catch(() => undefined);
    return next.catch((error: unknown) => {
      if (this.#closed) return;
      // What cannot be negotiated is negotiated anew once nothing connects.
      console.warn("negotiation failed", error);
    });
  }
}

const KINDS = ["audio", "video"] as const;

function asDescription({ type, sdp }: RTCSessionDescription): Description {
  return { type: type === "answer" ? "answer" : "offer", sdp };
}

function asSaid({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidate): Candidate {
  return {
    candidate,
    ...(sdpMid === null ? {} : { sdpMid }),
    ...(sdpMLineIndex === null ? {} : { sdpMLineIndex }),
    ...(usernameFragment === null ? {} : { usernameFragment }),
  };
}
