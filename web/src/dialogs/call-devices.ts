// Camera and microphone: which, and how they look and sound before anybody else sees and hears them.
import { deviceProblem, openCamera, openMicrophone } from "../calls/local-media.ts";
import { prefer, preferences } from "../calls/preferences.ts";
import type { Model } from "../model/model.ts";
import { button } from "../ui/controls.ts";
import { openDialog } from "../ui/dialog.ts";
import { fill, h, uniqueId } from "../ui/dom.ts";
import { LevelMeter } from "../ui/level-meter.ts";

/** A call that follows. */
export interface Departure {
  title: string;
  action: string;
  /** Among several there may be a waiting room. */
  group: boolean;
  start(waitingRoom: boolean): void;
}

/** Shows the choice; with `go` it leads on to a call. */
export function callDevicesDialog(model: Model, go?: Departure): void {
  const preview = new Preview();
  const { calls } = model;
  const chosen = JSON.stringify(preferences());
  const dialog = openDialog(go?.title ?? "Camera and microphone", [preview.element], () => {
    preview.end();
    if (JSON.stringify(preferences()) !== chosen) void calls.devicesChanged();
  });
  const start = go && button(go.action, () => {
    // The camera is let go of first: some systems give it to one at a time.
    preview.end();
    dialog.close();
    go.start(room?.checked ?? false);
  }, "primary");
  const room = go?.group ? h("input", { id: uniqueId("room"), type: "checkbox" }) : undefined;
  if (room) preview.element.append(h("div", { class: "check" }, room, h("label", { for: room.id }, "Let others in one by one")));
  preview.element.append(h("div", { class: "dialog-foot" }, start ?? button("Done", () => dialog.close(), "primary")));
  start?.focus();
  void preview.open();
}

class Preview {
  readonly element: HTMLElement;
  readonly #video = h("video", { autoplay: true, playsinline: true, class: "camera-preview", "aria-label": "How others see you" });
  readonly #problem = h("p", { class: "problem", role: "alert" });
  readonly #meter = new LevelMeter("How loud your microphone is");
  readonly #choices = h("div", { class: "form" });
  #stream: MediaStream | undefined;
  #ended = false;

  constructor() {
    this.#video.muted = true;
    this.element = h("div", { class: "section" }, this.#video, this.#problem, this.#meter.element, this.#choices);
  }

  async open(): Promise<void> {
    this.#close();
    const stream = new MediaStream();
    this.#stream = stream;
    const problems: string[] = [];
    for (const [what, open] of [["camera", openCamera], ["microphone", openMicrophone]] as const) {
      try {
        stream.addTrack(await open());
      } catch (error) {
        problems.push(deviceProblem(what, error));
      }
    }
    if (this.#ended || this.#stream !== stream) return stop(stream);
    this.#problem.textContent = problems.join(" ");
    this.#video.srcObject = stream;
    this.#video.hidden = stream.getVideoTracks().length === 0;
    this.#meter.listen(stream);
    await this.#offer();
  }

  end(): void {
    this.#ended = true;
    this.#close();
  }

  #close(): void {
    this.#meter.end();
    this.#video.srcObject = null;
    if (this.#stream) stop(this.#stream);
    this.#stream = undefined;
  }

  async #offer(): Promise<void> {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const { microphone, camera } = preferences();
    const choose = (label: string, kind: MediaDeviceKind, chosen: string | undefined, keep: (id: string) => void) => {
      const found = devices.filter((device) => device.kind === kind && device.deviceId);
      if (found.length === 0) return false;
      const id = uniqueId("device");
      const choice: HTMLSelectElement = h(
        "select",
        {
          id,
          onchange: () => {
            keep(choice.value);
            void this.open();
          },
        },
        found.map((device, index) => h("option", { value: device.deviceId, selected: device.deviceId === chosen }, device.label || `${label} ${index + 1}`)),
      );
      return h("div", { class: "field" }, h("label", { for: id }, label), choice);
    };
    fill(
      this.#choices,
      choose("Camera", "videoinput", camera, (id) => prefer({ camera: id })),
      choose("Microphone", "audioinput", microphone, (id) => prefer({ microphone: id })),
    );
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
