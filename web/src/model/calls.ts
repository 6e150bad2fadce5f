// Calls as this page has them: the SDK's calls with this device's microphone, camera and screen, and the sounds and notices around
// them. Views read it under the topic `calls`.
import { Calls, isIn, partOf, type Call, type CallKind, type Client, type ConversationId, type LegEnd, type Media, type Timer } from "@secureconnect/sdk";
import { deviceProblem, LocalMedia } from "../calls/local-media.ts";
import { CallNotices } from "../calls/notices.ts";
import { preferences } from "../calls/preferences.ts";
import { Sounds } from "../calls/sounds.ts";
import { endWords } from "../calls/words.ts";
import { titleOf } from "../titles.ts";
import { toast } from "../ui/toasts.ts";
import type { Model } from "./model.ts";

export class CallsModel {
  readonly calls: Calls;
  readonly media: LocalMedia;
  readonly #model: Model;
  readonly #sounds = new Sounds();
  readonly #notices = new CallNotices();
  readonly #off: () => void;
  /** What is being made ready: devices are asked for before anybody is called. */
  preparing: { conversation: ConversationId; kind: CallKind } | undefined;

  constructor(model: Model, client: Client, timer: Timer) {
    this.#model = model;
    this.media = new LocalMedia(() => this.#send({ screen: false }));
    const events = {
      changed: () => this.#changed(),
      muted: () => {
        if (this.media.microphone) this.media.microphone.enabled = false;
        toast("The host muted your microphone.");
      },
      ended: (call: string | undefined, why: LegEnd) => {
        const state = call === undefined ? undefined : this.calls.call(call);
        this.media.close();
        const words = endWords(why, state, model.me.id, state ? this.#other(state) : "The other side");
        if (words) toast(words);
      },
    };
    this.calls = new Calls(client, model.me.id, events, { timer, relayOnly: () => preferences().relayOnly });
    this.#off = model.topics.on(["people", "conversations"], () => this.#changed());
  }

  end(): void {
    this.#off();
    this.calls.end();
    this.media.close();
    this.#sounds.play(undefined);
    this.#notices.end();
  }

  /** The call that this device is in, as far as it is known. */
  get current(): Call | undefined {
    const id = this.calls.leg?.call;
    return id === undefined ? undefined : this.calls.call(id);
  }

  /** Where this device is in a call, or about to be. */
  get place(): { conversation: ConversationId; kind: CallKind } | undefined {
    const { leg } = this.calls;
    const conversation = this.current?.conversation ?? leg?.wish.conversation;
    return this.preparing ?? (leg && conversation !== undefined ? { conversation, kind: leg.wish.kind } : undefined);
  }

  /** A call that another device of this user is in. */
  get elsewhere(): Call | undefined {
    const own = this.calls.leg?.call;
    return this.calls.live.find((call) => call.id !== own && isIn(partOf(call, this.#model.me.id)));
  }

  /** The call that goes on in a conversation. */
  in(conversation: ConversationId): Call | undefined {
    return this.calls.live.find((call) => call.conversation === conversation);
  }

  start(conversation: ConversationId, kind: CallKind, waitingRoom = false): Promise<void> {
    return this.#enter(conversation, kind, (media) => this.calls.start(conversation, kind, media, waitingRoom));
  }

  /** Answers, joins, or takes over. */
  join(call: Call, kind: CallKind): Promise<void> {
    return this.#enter(call.conversation, kind, (media) => this.calls.join(call, media));
  }

  leave(): void {
    this.preparing = undefined;
    this.calls.leave();
    this.media.close();
    this.#changed();
  }

  async toggleMicrophone(): Promise<void> {
    const on = !this.calls.leg?.media.audio;
    if (on && !this.media.microphone && !(await this.#open("microphone"))) return;
    if (this.media.microphone) this.media.microphone.enabled = on;
    this.#send({ audio: on });
  }

  async toggleCamera(): Promise<void> {
    const on = !this.calls.leg?.media.video;
    if (!on) this.media.closeCamera();
    else if (!(await this.#open("camera"))) return;
    this.#send({ video: on });
  }

  async toggleScreen(): Promise<void> {
    const on = !this.calls.leg?.media.screen;
    if (!on) this.media.closeScreen();
    else if (!(await this.#open("screen"))) return;
    this.#send({ screen: on });
  }

  toggleHand(): void {
    this.#send({ hand: !this.calls.leg?.media.hand });
  }

  /** Other devices were chosen: what is on goes over to them. */
  async devicesChanged(): Promise<void> {
    if (!this.calls.leg) return;
    if (this.media.microphone) await this.#open("microphone");
    if (this.media.camera) await this.#open("camera");
    this.#send({});
  }

  async #enter(conversation: ConversationId, kind: CallKind, enter: (media: Media) => void): Promise<void> {
    if (this.preparing) return;
    if (this.#model.client.status.state !== "live") return toast("You are not connected. Call again once you are.");
    if (this.calls.leg) this.leave();
    const preparing = { conversation, kind };
    this.preparing = preparing;
    this.#changed();
    const audio = await this.#open("microphone");
    const video = kind === "video" && this.preparing === preparing && (await this.#open("camera"));
    if (this.preparing !== preparing) return this.media.close();
    this.preparing = undefined;
    const media = { audio, video };
    this.calls.setMedia(media, this.media.tracks);
    enter(media);
  }

  /** Without a device one is in a call as well; what the others miss then is told for as long as it is so. */
  async #open(what: "microphone" | "camera" | "screen"): Promise<boolean> {
    const { problems } = this.media;
    try {
      if (what === "microphone") await this.media.openMicrophone();
      else if (what === "camera") await this.media.openCamera();
      else await this.media.openScreen();
      if (what !== "screen") problems.delete(what);
      return true;
    } catch (error) {
      const problem = deviceProblem(what, error);
      if (what === "screen" || this.media[what]) toast(problem);
      else problems.set(what, problem);
      this.#changed();
      return false;
    }
  }

  #send(change: Partial<Media>): void {
    const { leg } = this.calls;
    if (leg) this.calls.setMedia({ ...leg.media, ...change }, this.media.tracks);
  }

  #changed(): void {
    this.#model.topics.changed("calls");
    const [ring] = this.calls.ringing;
    const rings = ring && !this.place ? ring : undefined;
    const call = this.current;
    const calling = call?.by === this.#model.me.id && (call.status === "initiated" || call.status === "ringing");
    this.#sounds.play(!preferences().sound ? undefined : rings ? "ring" : calling ? "back" : undefined);
    this.#notices.show(rings && { id: rings.id, title: this.#title(rings), body: rings.kind === "video" ? "Video call" : "Call" });
  }

  #title(call: Call): string {
    const caller = this.#model.people.name(call.by);
    const conversation = this.#model.conversations.get(call.conversation);
    return conversation && conversation.kind !== "direct" ? `${caller} calls ${titleOf(this.#model, conversation)}` : `${caller} calls`;
  }

  /** Whom this user called, in a sentence. */
  #other(call: Call): string {
    const conversation = this.#model.conversations.get(call.conversation);
    return conversation?.kind === "direct" && conversation.peer ? this.#model.people.name(conversation.peer) : "Nobody else";
  }
}
