import assert from "node:assert/strict";
import { test } from "node:test";
import type { Locator } from "playwright-core";
import { CALL_ARGUMENTS, type Caller, pair, until } from "./calling.ts";
import { Scene } from "./scene.ts";

const scene = new Scene({}, CALL_ARGUMENTS);

/** What the last peer connection is given to send, by the devices' names, and what was negotiated for it. */
function sent({ page }: Caller): Promise<{ devices: string[]; negotiated: string[] }> {
  return page.evaluate(() => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    const connection = connections.at(-1)!;
    return {
      devices: connection.getSenders().map(({ track }) => track?.label ?? "nothing"),
      negotiated: [connection.localDescription, connection.remoteDescription].map((description) => /^o=.*$/m.exec(description?.sdp ?? "")![0]),
    };
  });
}

/** Chooses in the dialog, until the preview shows and hears it. */
async function choose(dialog: Locator, camera: string, microphone: string): Promise<void> {
  await dialog.getByLabel("Camera", { exact: true }).selectOption(camera);
  await previews(dialog, camera);
  await dialog.getByLabel("Microphone", { exact: true }).selectOption(microphone);
  await previews(dialog, camera, microphone);
  await until("the microphone's level moves", () => dialog.getByRole("meter").evaluate((meter) => (meter as HTMLMeterElement).value), (level) => level > 0.01);
}

async function previews(dialog: Locator, ...devices: string[]): Promise<void> {
  const look = () =>
    dialog.getByLabel("How others see you").evaluate((element) => {
      const video = element as HTMLVideoElement;
      const stream = video.srcObject as MediaStream | null;
      return { devices: stream?.getTracks().map(({ label }) => label) ?? [], plays: !video.paused && video.videoWidth > 0 && video.currentTime > 0 };
    });
  await until(`the preview shows ${devices.join(" and ")}`, look, (seen) => seen.plays && devices.every((name) => seen.devices.includes(name)));
}

test("one chooses camera and microphone by their preview, before a call and in it: the choice is what is sent, without a new negotiation", async () => {
  const [ann, bob] = await pair(scene.browser, scene.server.url, "Choice");
  await ann.page.getByRole("button", { name: "Video call" }).click();
  const before = ann.page.getByRole("dialog", { name: /^Video call/ });
  await choose(before, "fake_device_2", "Fake Audio Input 2");
  await before.getByRole("button", { name: "Start video call" }).click();
  await bob.answer("Accept with video");
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  const first = await sent(ann);
  assert.deepEqual(first.devices, ["Fake Audio Input 2", "fake_device_2"]);

  await ann.press("Devices");
  const during = ann.page.getByRole("dialog", { name: "Camera and microphone" });
  await previews(during, "fake_device_2", "Fake Audio Input 2");
  await choose(during, "fake_device_0", "Fake Audio Input 1");
  await ann.person.shot("call-devices");
  await during.getByRole("button", { name: "Done" }).click();
  const later = await until("the other devices are sent", () => sent(ann), ({ devices }) => devices.join() === "Fake Audio Input 1,fake_device_0");
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  assert.deepEqual(later.negotiated, first.negotiated);

  // The browser remembers it for the next call; a camera that was unplugged since keeps nobody from it.
  await ann.page.evaluate(() => {
    const kept = JSON.parse(localStorage.getItem("secureconnect.calls")!) as object;
    localStorage.setItem("secureconnect.calls", JSON.stringify({ ...kept, camera: "unplugged" }));
  });
  await ann.press("Leave call");
  await bob.call.waitFor({ state: "detached" });
  await bob.person.open(ann.person.name);
  await bob.start("video");
  await ann.answer("Accept with video");
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)]);
  assert.deepEqual((await sent(ann)).devices, ["Fake Audio Input 1", "fake_device_0"]);
  await Promise.all([ann.leave(), bob.leave()]);
});
