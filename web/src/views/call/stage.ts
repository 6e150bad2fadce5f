// The people in a call, in a grid or one of them large: who shares a screen, whom somebody has picked, or who speaks.
import { isIn, partOf, type Call, type Participant, type PeerView, type UserId } from "@secureconnect/sdk";
import type { Model } from "../../model/model.ts";
import { h } from "../../ui/dom.ts";
import { Tile } from "./tile.ts";
import { Voices } from "./voices.ts";

export type Layout = "grid" | "speaker";

export class Stage {
  readonly element = h("ul", { class: "stage", "aria-label": "People in the call" });
  readonly #model: Model;
  readonly #tiles = new Map<UserId, Tile>();
  readonly #voices: Voices;
  readonly #own = new MediaStream();
  #picked: UserId | undefined;
  #large: UserId | undefined;
  layout: Layout = "grid";

  constructor(model: Model, changed: () => void) {
    this.#model = model;
    this.#voices = new Voices(model, changed);
  }

  end(): void {
    this.#voices.end();
    for (const tile of this.#tiles.values()) tile.end();
  }

  update(call: Call | undefined): void {
    const { me } = this.#model;
    const { calls } = this.#model.calls;
    const others = call?.participants.filter((part) => part.user !== me.id && isIn(part)) ?? [];
    const users = [...others.map(({ user }) => user), me.id];
    for (const [user, tile] of this.#tiles) {
      if (users.includes(user)) continue;
      tile.end();
      this.#tiles.delete(user);
    }
    for (const part of others) {
      const peer = calls.peers.find(({ leg }) => leg.user === part.user);
      this.#tile(part.user).update({
        name: this.#model.people.name(part.user),
        me: false,
        media: part.media,
        stream: peer?.stream,
        trouble: troubleOf(part, peer),
        quality: peer?.quality,
        speaks: this.#voices.speaks(part.user),
      });
    }
    this.#showOwn(call);
    this.#arrange(users, others);
  }

  #showOwn(call: Call | undefined): void {
    const { me, calls } = this.#model;
    const track = calls.media.tracks.video;
    const [shown] = this.#own.getVideoTracks();
    if (shown && shown !== track) this.#own.removeTrack(shown);
    if (track && shown !== track) this.#own.addTrack(track);
    const media = calls.calls.leg?.media ?? (call && partOf(call, me.id)?.media) ?? {};
    this.#tile(me.id).update({ name: me.name, me: true, media, stream: this.#own, trouble: "", quality: undefined, speaks: false });
  }

  #arrange(users: UserId[], others: Participant[]): void {
    const sharing = others.find(({ media }) => media.screen)?.user;
    if (this.#picked !== undefined && !users.includes(this.#picked)) this.#picked = undefined;
    if (this.#large !== undefined && !users.includes(this.#large)) this.#large = undefined;
    this.#large = this.#picked ?? sharing ?? this.#voices.loudest ?? this.#large ?? users[0];
    const pair = others.length === 1;
    const large = this.layout === "speaker" || sharing !== undefined || this.#picked !== undefined || pair;
    this.element.dataset["count"] = String(users.length);
    this.element.dataset["layout"] = large ? "speaker" : "grid";
    this.element.classList.toggle("pair", pair);
    for (const [user, tile] of this.#tiles) tile.element.classList.toggle("large", large && user === (pair ? (this.#picked ?? others[0]!.user) : this.#large));
    users.forEach((user, index) => {
      const { element } = this.#tile(user);
      if (this.element.children[index] !== element) this.element.insertBefore(element, this.element.children[index] ?? null);
    });
  }

  #tile(user: UserId): Tile {
    let tile = this.#tiles.get(user);
    if (!tile) {
      tile = new Tile(user, () => {
        this.#picked = this.#picked === user ? undefined : user;
        this.#model.topics.changed("calls");
      });
      this.#tiles.set(user, tile);
      this.element.append(tile.element);
    }
    return tile;
  }
}

function troubleOf(part: Participant, peer: PeerView | undefined): string {
  if (peer?.state === "connected") return "";
  if (part.status === "reconnecting" || peer?.state === "disconnected" || peer?.state === "failed") return "Reconnecting…";
  return "Connecting…";
}
