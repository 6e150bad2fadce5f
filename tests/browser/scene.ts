// What every scenario stands on: a server and a browser, ended with it.
import { after, before } from "node:test";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { openBrowser, Person } from "./people.ts";
import { Server } from "./server.ts";

export class Scene {
  server!: Server;
  browser!: Browser;

  /** Starts before the tests of a file and ends after them; the roles in `apart` run in a process of their own. */
  constructor(settings: Record<string, string> = {}, browserArguments: string[] = [], apart: string[] = []) {
    before(async () => {
      [this.server, this.browser] = await Promise.all([Server.start(settings, apart), openBrowser(browserArguments)]);
    });
    after(async () => {
      await this.browser?.close();
      await this.server?.end();
    });
  }

  person(name: string, handle: string, options: BrowserContextOptions = {}): Promise<Person> {
    return Person.new(this.browser, this.server.url, name, handle, options);
  }
}
