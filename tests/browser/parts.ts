// Which roles run in which process of a server, in the order in which they start: the gateway comes last.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";

export const ROLES = ["gateway", "auth", "chat", "signaling", "storage", "turn"];

export interface Part {
  name: string;
  roles: string[];
  /** Its own data directory, where it has one; the folder is the one that the server's processes share. */
  home?: (folder: string) => string;
  /** What it is told beside what all are told. */
  settings?: (folder: string) => Record<string, string>;
}

const part = (name: string, ...roles: string[]): Part => ({ name, roles });

export const ONE_PROCESS: Part[] = [part("core", ...ROLES)];

/** These roles run in a process of their own, which outlives the other one. */
export function apart(...roles: string[]): Part[] {
  return [part("apart", ...roles), part("core", ...ROLES.filter((role) => !roles.includes(role)))];
}

/** Where TURN is signaling learns when it starts. */
export const FIVE_PROCESSES: Part[] = [part("storage", "storage", "turn"), part("auth", "auth"), part("chat", "chat"), part("signaling", "signaling"), part("gateway", "gateway")];

const socket = (folder: string, role: string) => `unix:${path.join(folder, "link", `${role}.sock`)}`;
const second = (folder: string) => path.join(folder, "second");

/** What each signaling process is called by all who choose among them. */
const instances = (folder: string) => ({
  SECURECONNECT_LINK__PEERS__SIGNALING: JSON.stringify([`signaling=${socket(folder, "signaling")}`, `signaling-2=${socket(second(folder), "signaling")}`]),
});

const FIRST_SIGNALING: Part = { ...part("signaling", "signaling"), settings: (folder) => ({ SECURECONNECT_LINK__NAME: "signaling", ...instances(folder) }) };

/** It has a store of its own, and shares all secrets; it is told where the others and the relay are. */
const SECOND_SIGNALING: Part = {
  ...part("signaling-2", "signaling"),
  home: second,
  settings: (folder) => {
    mkdirSync(second(folder), { recursive: true });
    for (const secret of ["link.key", "turn.secret"]) copyFileSync(path.join(folder, secret), path.join(second(folder), secret));
    const { turn } = JSON.parse(readFileSync(path.join(folder, "turn", "addresses.json"), "utf8")) as { turn: string };
    return {
      SECURECONNECT_LINK__NAME: "signaling-2",
      SECURECONNECT_LINK__PEERS__AUTH: socket(folder, "auth"),
      SECURECONNECT_LINK__PEERS__CHAT: socket(folder, "chat"),
      SECURECONNECT_TURN__URLS: JSON.stringify([`turn:${turn}?transport=udp`]),
      ...instances(folder),
    };
  },
};

/** Calls are spread over two signaling processes. */
export const TWO_SIGNALING: Part[] = [
  ...FIVE_PROCESSES.slice(0, 3),
  FIRST_SIGNALING,
  SECOND_SIGNALING,
  { ...part("gateway", "gateway"), settings: instances },
];
