// This device's microphone, camera and screen. A camera that is off is let go of, so that its light goes out; a muted microphone is
// kept, so that the first word after it isn't lost.
import type { Tracks } from "@secureconnect/sdk";
import { preferences } from "./preferences.ts";

export class LocalMedia {
  microphone: MediaStreamTrack | undefined;
  camera: MediaStreamTrack | undefined;
  screen: MediaStreamTrack | undefined;
  /** Why there is none, where one was wished for. */
  readonly problems = new Map<"microphone" | "camera", string>();
  readonly #screenEnded: () => void;

  /** `screenEnded`: the browser's own button has stopped the sharing. */
  constructor(screenEnded: () => void) {
    this.#screenEnded = screenEnded;
  }

  /** What is sent: the screen goes before the camera. */
  get tracks(): Tracks {
    return { audio: this.microphone ?? null, video: this.screen ?? this.camera ?? null };
  }

  async openMicrophone(): Promise<void> {
    const former = this.microphone;
    this.microphone = await openMicrophone();
    if (this.microphone && former) this.microphone.enabled = former.enabled;
    former?.stop();
  }

  async openCamera(): Promise<void> {
    const former = this.camera;
    this.camera = await openCamera();
    former?.stop();
  }

  closeCamera(): void {
    this.camera?.stop();
    this.camera = undefined;
  }

  async openScreen(): Promise<void> {
    if (!canShareScreen()) throw new DOMException("", "NotSupportedError");
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    const track = stream.getVideoTracks()[0]!;
    track.contentHint = "detail";
    track.addEventListener("ended", () => {
      if (this.screen !== track) return;
      this.screen = undefined;
      this.#screenEnded();
    });
    this.closeScreen();
    this.screen = track;
  }

  closeScreen(): void {
    this.screen?.stop();
    this.screen = undefined;
  }

  close(): void {
    this.problems.clear();
    this.microphone?.stop();
    this.microphone = undefined;
    this.closeCamera();
    this.closeScreen();
  }
}

/** The microphone that was chosen. */
export async function openMicrophone(): Promise<MediaStreamTrack> {
  const wish = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return (await chosen(preferences().microphone, (device) => capture({ audio: { ...wish, ...device } }))).getAudioTracks()[0]!;
}

/** The camera that was chosen. */
export async function openCamera(): Promise<MediaStreamTrack> {
  const { camera, saveData } = preferences();
  const wish = saveData ? { width: { ideal: 320 }, height: { ideal: 180 }, frameRate: { max: 10 } } : { width: { ideal: 1280 }, height: { ideal: 720 } };
  return (await chosen(camera, (device) => capture({ video: { ...wish, ...device } }))).getVideoTracks()[0]!;
}

/** Opens this device and no other, however well another would fit; any, once it was unplugged: that must not keep anyone from calling. */
async function chosen(id: string | undefined, open: (device: MediaTrackConstraints) => Promise<MediaStream>): Promise<MediaStream> {
  if (!id) return open({});
  try {
    return await open({ deviceId: { exact: id } });
  } catch (error) {
    // Not every browser counts this one among its `DOMException`s.
    if ((error as { name?: string }).name !== "OverconstrainedError") throw error;
    return open({});
  }
}

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

async function capture(constraints: MediaStreamConstraints): Promise<MediaStream> {
  // Pages that were not loaded safely have none.
  if (!navigator.mediaDevices) throw new DOMException("", "NotSupportedError");
  return navigator.mediaDevices.getUserMedia(constraints);
}

/** Why a device can't be used, in plain words. */
export function deviceProblem(what: "microphone" | "camera" | "screen", error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return what === "screen" ? "The screen is not shared." : `Allow this page to use the ${what} in your browser's settings.`;
  if (name === "NotFoundError") return `No ${what} was found.`;
  if (name === "NotReadableError") return `The ${what} is in use by another program.`;
  if (name === "NotSupportedError") return `This browser offers no ${what} to this page. Open it with https.`;
  return `The ${what} can't be used.`;
}
