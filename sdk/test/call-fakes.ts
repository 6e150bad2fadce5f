// Peer connections without a network, as far as negotiation goes: the states and rules of the W3C's `RTCPeerConnection`, with
// descriptions that only name their offer. Two of them are connected once both hold the same offer and answer.

export class FakeStream {
  readonly tracks = new Set<unknown>();
  addTrack(track: unknown): void {
    this.tracks.add(track);
  }
  removeTrack(track: unknown): void {
    this.tracks.delete(track);
  }
  getTracks(): unknown[] {
    return [...this.tracks];
  }
}

Object.assign(globalThis, { MediaStream: FakeStream });

interface FakeDescription {
  type: RTCSdpType;
  sdp: string;
}

interface FakeTransceiver {
  kind: string;
  direction: string;
  sender: { track: unknown; replaceTrack(track: unknown): Promise<void> };
  receiver: { track: { kind: string; addEventListener(): void } };
}

let made = 0;

export class FakeConnection {
  signalingState: RTCSignalingState = "stable";
  connectionState: RTCPeerConnectionState = "new";
  localDescription: FakeDescription | null = null;
  remoteDescription: FakeDescription | null = null;
  onnegotiationneeded: (() => void) | null = null;
  onicecandidate: ((event: { candidate: unknown }) => void) | null = null;
  ontrack: ((event: { track: unknown }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  readonly configuration: RTCConfiguration;
  readonly candidates: string[] = [];
  readonly #name = (made += 1);
  #transceivers: FakeTransceiver[] = [];
  #offers = 0;
  #restart = false;
  #needed = false;
  /** What goes on alike on both sides: the offer that was answered. */
  agreed: string | undefined;
  #before: string | undefined;

  constructor(configuration: RTCConfiguration) {
    this.configuration = configuration;
  }

  get sections(): string[] {
    return this.#transceivers.map(({ kind, direction }) => `${kind} ${direction}`);
  }

  sent(kind: string): unknown {
    return this.#transceivers.find((transceiver) => transceiver.kind === kind)?.sender.track;
  }

  addTransceiver(what: string | { kind: string }, { direction }: { direction: string }): void {
    const kind = typeof what === "string" ? what : what.kind;
    this.#transceivers.push(transceiver(kind, direction, typeof what === "string" ? null : what));
    this.#need();
  }

  getTransceivers(): FakeTransceiver[] {
    return this.#transceivers;
  }

  restartIce(): void {
    this.#restart = true;
    this.#need();
  }

  setConfiguration(configuration: RTCConfiguration): void {
    Object.assign(this.configuration, configuration);
  }

  async setLocalDescription(): Promise<void> {
    await soon();
    if (this.signalingState === "have-remote-offer") {
      this.#offers += 1;
      this.localDescription = { type: "answer", sdp: `o=- 9${this.#name} ${this.#offers} IN IP4 0\r\nfor=${this.remoteDescription!.sdp}` };
      this.#settle();
    } else if (this.signalingState === "stable") {
      this.#offers += 1;
      this.#restart = false;
      this.#needed = false;
      this.localDescription = { type: "offer", sdp: `o=- ${this.#name} ${this.#offers} IN IP4 0\r\n` };
      this.signalingState = "have-local-offer";
    }
    const { type, sdp } = this.localDescription!;
    queueMicrotask(() => this.onicecandidate?.({ candidate: { candidate: `${type} ${sdp}`, sdpMid: "0", sdpMLineIndex: 0, usernameFragment: null } }));
  }

  async setRemoteDescription(description: FakeDescription): Promise<void> {
    await soon();
    if (description.type === "answer") {
      if (this.signalingState !== "have-local-offer") throw new Error(`an answer in ${this.signalingState}`);
      this.remoteDescription = description;
      if (!description.sdp.endsWith(`for=${this.localDescription!.sdp}`)) throw new Error("the answer to another offer");
      return this.#settle();
    }
    // An own offer is rolled back, and has to be made again if it meant anything.
    if (this.signalingState === "have-local-offer") this.#restart = true;
    this.remoteDescription = description;
    this.signalingState = "have-remote-offer";
    if (this.#transceivers.length === 0) for (const kind of ["audio", "video"]) this.#transceivers.push(transceiver(kind, "recvonly", null));
  }

  async addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    if (!this.remoteDescription) throw new Error("no remote description");
    this.candidates.push(candidate);
  }

  close(): void {
    this.connectionState = "closed";
    this.signalingState = "closed";
  }

  #settle(): void {
    this.signalingState = "stable";
    this.#before = this.agreed;
    this.agreed = (this.remoteDescription!.type === "offer" ? this.remoteDescription : this.localDescription)!.sdp;
    if (this.agreed !== this.#before) {
      this.connectionState = "connected";
      this.onconnectionstatechange?.();
    }
    if (this.#restart) this.#need();
  }

  #need(): void {
    if (this.#needed) return;
    this.#needed = true;
    queueMicrotask(() => {
      if (this.signalingState === "stable" && this.#needed) this.onnegotiationneeded?.();
      this.#needed = false;
    });
  }
}

function transceiver(kind: string, direction: string, track: unknown): FakeTransceiver {
  const sender = {
    track,
    async replaceTrack(next: unknown) {
      sender.track = next;
    },
  };
  return { kind, direction, sender, receiver: { track: { kind, addEventListener: () => undefined } } };
}

function soon(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(resolve));
}
