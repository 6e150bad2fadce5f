// Frames of the client. What is absent is left out: the server refuses unknown fields, and `null` is not "absent".
import type { ClientFrame, Epoch, Hello } from "../generated.ts";
import type { Command } from "./output.ts";

export function commandFrame(id: number, { name, to, key, body }: Command): ClientFrame {
  return { id, type: name, ...present("to", to), ...present("key", key), ...present("body", body) };
}

export function helloBody(token?: string, epoch?: Epoch, resume?: string, client?: string): Hello {
  return { ...present("token", token), ...present("epoch", epoch), ...present("resume", resume), ...present("client", client) };
}

function present<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };
}
