// A second machine in this one's network: a network namespace of the kernel with a cable to this one, which has no other way out, and a
// browser in it. Where the kernel or its administrator gives none, the second machine is this one by another address of its own.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser } from "playwright-core";
import { CHROMIUM, openBrowser } from "./people.ts";

export class SecondMachine {
  /** By this address the first machine is known in the network. */
  readonly first: string;
  /** Its own address, where it is no other one of the first machine's. */
  readonly second: string | undefined;
  readonly #name: string | undefined;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "secureconnect-machine-"));

  private constructor(first: string, second?: string, name?: string) {
    this.first = first;
    this.second = second;
    this.#name = name;
  }

  static start(): SecondMachine {
    const name = `sc${process.pid}`;
    // Addresses for the tests of networks (RFC 2544), so that no real network has them; which of them is told by the process.
    const network = `198.${18 + ((process.pid >> 14) & 1)}.${(process.pid >> 6) & 255}`;
    const host = (process.pid & 63) * 4;
    const [first, second] = [`${network}.${host + 1}`, `${network}.${host + 2}`];
    try {
      run("netns", "add", name);
    } catch {
      return new SecondMachine("127.0.0.2");
    }
    const machine = new SecondMachine(first, second, name);
    try {
      run("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name);
      // No addresses of IPv6: they come a second later by themselves, and a browser breaks off what it loads when its network changes.
      run("link", "set", name, "addrgenmode", "none");
      run("-n", name, "link", "set", "eth0", "addrgenmode", "none");
      run("address", "add", `${first}/30`, "dev", name);
      run("link", "set", name, "up");
      run("-n", name, "address", "add", `${second}/30`, "dev", "eth0");
      for (const device of ["lo", "eth0"]) run("-n", name, "link", "set", device, "up");
    } catch (error) {
      machine.end();
      throw error;
    }
    return machine;
  }

  /** What it is, for who reads the tests' output. */
  get kind(): string {
    return this.#name === undefined ? "this machine by another address" : "a network namespace";
  }

  async browser(more: string[]): Promise<Browser> {
    if (this.#name === undefined) return openBrowser(more);
    const inside = path.join(this.#folder, "chromium");
    writeFileSync(inside, `#!/bin/sh\nexec ip netns exec ${this.#name} ${CHROMIUM} "$@"\n`, { mode: 0o755 });
    return openBrowser(more, inside);
  }

  end(): void {
    if (this.#name !== undefined) run("netns", "delete", this.#name);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function run(...parameters: string[]): void {
  execFileSync("ip", parameters, { stdio: ["ignore", "ignore", "pipe"] });
}
