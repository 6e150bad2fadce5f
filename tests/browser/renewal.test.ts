import assert from "node:assert/strict";
import { test } from "node:test";
import type { WebSocket } from "playwright-core";
import { Scene } from "./scene.ts";

// The server warns a minute before a token runs out: these are warned of two seconds after they were given.
const scene = new Scene({ SECURECONNECT_AUTH__ACCESS_TOKEN_S: "62" });

test("before its token runs out the page renews it in place, on the socket that it has", async () => {
  const ann = await scene.person("Ann Renewal", "ann.renewal");
  const [socket, answer] = await new Promise<[WebSocket, string]>((resolve) => {
    ann.page.on("websocket", (opened) => {
      let id: number | undefined;
      opened.on("framesent", ({ payload }) => {
        const frame = JSON.parse(String(payload)) as { id: number; type: string };
        if (frame.type === "renew") id = frame.id;
      });
      opened.on("framereceived", ({ payload }) => {
        if (id !== undefined && String(payload).includes(`"id":${id},`)) resolve([opened, String(payload)]);
      });
    });
    void ann.page.reload();
  });
  const { ok } = JSON.parse(answer) as { ok: { expires_at: number } };
  assert.ok(ok.expires_at > Date.now() + 55_000);
  assert.equal(socket.isClosed(), false);
  await ann.live();
  await ann.leave();
});
