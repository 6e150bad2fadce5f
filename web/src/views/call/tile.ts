// One person in a call: their picture or their avatar, and what there is to know of them. It stays the same element as long as they
// are in, so that nothing flickers and no sound breaks off.
import { gradeOf, type Grade, type Participant, type PeerView, type UserId } from "@secureconnect/sdk";
import { avatar } from "../../ui/avatar.ts";
import { iconButton } from "../../ui/controls.ts";
import { fill, h, set } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";

export interface TileLook {
  name: string;
  me: boolean;
  media: Participant["media"];
  stream: MediaStream | undefined;
  /** What is in the way; empty where nothing is. */
  trouble: string;
  quality: PeerView["quality"];
  speaks: boolean;
}

const GRADES: Record<Grade, string> = { good: "Good connection", fair: "Fair connection", poor: "Poor connection" };

export class Tile {
  readonly element: HTMLElement;
  readonly #user: UserId;
  readonly #video = h("video", { autoplay: true, playsinline: true });
  readonly #audio = h("audio", { autoplay: true });
  readonly #picture = h("div", { class: "tile-avatar" });
  readonly #trouble = h("p", { class: "tile-trouble", hidden: true });
  readonly #foot = h("div", { class: "tile-foot" });
  readonly #pin: HTMLButtonElement;
  #look = "";

  constructor(user: UserId, pin: () => void) {
    this.#user = user;
    this.#video.muted = true;
    this.#pin = iconButton("speaker", "", pin, { class: "tile-pin" });
    const parts = [this.#picture, this.#video, this.#trouble, this.#foot, this.#pin, this.#audio];
    this.element = h("li", { class: "tile", "data-user": user }, parts);
  }

  update(tile: TileLook): void {
    const { name, me, media, stream, trouble, speaks } = tile;
    const shows = Boolean(stream && (media.video || media.screen) && stream.getVideoTracks().length > 0);
    attach(this.#video, shows ? stream : undefined);
    if (!me) attach(this.#audio, stream);
    this.element.classList.toggle("speaks", speaks);
    this.element.classList.toggle("mirrored", me && !media.screen);
    this.element.classList.toggle("whole", media.screen ?? false);
    const grade = !me && tile.quality ? gradeOf(tile.quality) : undefined;
    const look = JSON.stringify([name, me, media, shows, trouble, grade]);
    if (look === this.#look) return;
    this.#look = look;
    set(this.#pin, "aria-label", me ? "Show yourself large" : `Show ${name} large`);
    set(this.#pin, "title", "Show large, or not");
    this.#video.hidden = !shows;
    set(this.#video, "aria-label", media.screen ? `${name}’s screen` : `${name}’s camera`);
    this.#picture.hidden = shows;
    fill(this.#picture, avatar({ id: this.#user, name, size: "large" }));
    this.#trouble.hidden = !trouble;
    this.#trouble.textContent = trouble;
    fill(
      this.#foot,
      media.hand && h("span", { class: "tile-hand" }, icon("hand"), h("span", { class: "unseen" }, "Hand raised")),
      h("span", { class: "tile-name" }, me ? "You" : name, media.screen && " · screen"),
      !media.audio && h("span", { class: "tile-muted" }, icon("microphoneOff"), h("span", { class: "unseen" }, "Muted")),
      grade && h("span", { class: `tile-grade ${grade}`, title: GRADES[grade] }, icon("signal"), h("span", { class: "unseen" }, GRADES[grade])),
    );
  }

  end(): void {
    attach(this.#video, undefined);
    attach(this.#audio, undefined);
    this.element.remove();
  }
}

function attach(element: HTMLMediaElement, stream: MediaStream | undefined): void {
  if (element.srcObject === (stream ?? null)) return;
  element.srcObject = stream ?? null;
  if (stream) play(element);
}

/** Where a browser plays nothing before the page was touched, it plays at the first touch. */
function play(element: HTMLMediaElement): void {
  element.play().catch((error: unknown) => {
    if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
    addEventListener("pointerdown", () => play(element), { once: true });
  });
}
