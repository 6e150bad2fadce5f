// What every scenario stands on: a server and a browser, ended with it.
import { after, before } from "node:test";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { ONE_PROCESS, type Part } from "./parts.ts";
import { openBrowser, Person } from "./people.ts";
import { Redis } from "./redis.ts";
import { Server } from "./server.ts";

/** Which processes there are, and whether they share a Redis. */
interface Ground {
  parts?: Part[];
  redis?: boolean;
}

export class Scene {
  server!: Server;
  browser!: Browser;

  /** Starts before the tests of a file and ends after them. */
  constructor(settings: Record<string, string> = {}, browserArguments: string[] = [], { parts = ONE_PROCESS, redis = false }: Ground = {}) {
    let shared: Redis | undefined;
    before(async () => {
      shared = redis ? await Redis.start() : undefined;
      const all = shared ? { ...settings, SECURECONNECT_REDIS__URL: shared.url } : settings;
      [this.server, this.browser] = await Promise.all([Server.start(all, parts), openBrowser(browserArguments)]);
    });
    after(async () => {
      await this.browser?.close();
      await this.server?.end();
      await shared?.end();
    });
  }

  person(name: string, handle: string, options: BrowserContextOptions = {}): Promise<Person> {
    return Person.new(this.browser, this.server.url, name, handle, options);
  }
}
