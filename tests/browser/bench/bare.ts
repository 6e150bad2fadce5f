// The floor: two connections in one page, which hand each other what they have to say. No server, no socket, no other process.
import type { Caller } from "../calling.ts";

/** Milliseconds since the first thing was done, at the side that offers. */
export interface Bare {
  negotiated: number;
  ice: number;
  dtls: number;
  frame: number;
}

export function bare({ page }: Caller): Promise<Bare> {
  return page.evaluate(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: { ideal: 1280 }, height: { ideal: 720 } } });
    const began = performance.now();
    const [one, other] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const since = (happened: (then: () => void) => void) => new Promise<number>((resolve) => happened(() => resolve(performance.now() - began)));
    one.onicecandidate = ({ candidate }) => void other.addIceCandidate(candidate ?? undefined);
    other.onicecandidate = ({ candidate }) => void one.addIceCandidate(candidate ?? undefined);
    const video = document.createElement("video");
    video.muted = true;
    document.body.append(video);
    one.ontrack = ({ track }) => {
      if (track.kind !== "video") return;
      video.srcObject = new MediaStream([track]);
      void video.play();
    };
    const ice = since((then) => one.addEventListener("iceconnectionstatechange", () => one.iceConnectionState === "connected" && then()));
    const frame = since((then) => video.addEventListener("loadeddata", then, { once: true }));
    for (const connection of [one, other]) for (const track of stream.getTracks()) connection.addTrack(track, stream);
    await one.setLocalDescription();
    const transport = one.getTransceivers()[0]!.sender.transport!;
    const dtls = since((then) => transport.addEventListener("statechange", () => transport.state === "connected" && then()));
    await other.setRemoteDescription(one.localDescription!);
    await other.setLocalDescription();
    await one.setRemoteDescription(other.localDescription!);
    const negotiated = performance.now() - began;
    const times = { negotiated, ice: await ice, dtls: await dtls, frame: await frame };
    for (const connection of [one, other]) connection.close();
    for (const track of stream.getTracks()) track.stop();
    video.remove();
    return times;
  });
}
