import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../src/errors.ts";
import { Rest } from "../src/rest.ts";
import { answering, CONVERSATION, ME } from "./helpers.ts";

const ok = { body: { data: {}, meta: { request_id: "r" } } };

test("parameters go where the command's REST form wants them", async () => {
  const { requests, fetchWith } = answering(ok);
  const rest = new Rest("https://chat.example/", fetchWith);
  await rest.call("messages.list", { to: CONVERSATION, body: { before: 7, limit: 50 }, token: "t" });
  await rest.call("messages.edit", { to: CONVERSATION, body: { seq: 7, text: "x", client_id: ME }, token: "t" });
  await rest.call("users.find", { body: { ids: [ME, CONVERSATION] }, token: "t" });
  await rest.call("members.kick", { to: CONVERSATION, body: { user: ME }, token: "t" });
  const seen = requests.map(({ url, init }) => [init.method, url.replace("https://chat.example", ""), init.body ?? null]);
  assert.deepEqual(seen, [
    ["GET", `/v1/conversations/${CONVERSATION}/messages?before=7&limit=50`, null],
    ["PATCH", `/v1/conversations/${CONVERSATION}/messages/7`, JSON.stringify({ text: "x", client_id: ME })],
    ["GET", `/v1/users?ids=${ME}%2C${CONVERSATION}`, null],
    ["DELETE", `/v1/conversations/${CONVERSATION}/members/${ME}`, "{}"],
  ]);
  assert.equal(requests[0]!.init.headers["authorization"], "Bearer t");
});

test("creating requests carry an idempotency key of their own, others none", async () => {
  const { requests, fetchWith } = answering(ok);
  const rest = new Rest("", fetchWith);
  await rest.call("conversations.create", { body: { kind: "group", title: "x" } });
  await rest.call("conversations.create", { body: { kind: "group", title: "x" } });
  await rest.call("me.get");
  const keys = requests.map(({ init }) => init.headers["idempotency-key"]);
  assert.match(keys[0]!, /^[0-9a-f-]{36}$/);
  assert.notEqual(keys[0], keys[1]);
  assert.equal(keys[2], undefined);
});

test("a refusal carries the code, the request and how long to wait", async () => {
  const body = { error: { code: "rate_limited", message: "slow down", request_id: "r9" } };
  const { fetchWith } = answering({ status: 429, body, headers: { "retry-after": "7" } });
  const error = await new Rest("", fetchWith).call("me.get").catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.code, error.requestId, error.retryAfterMs, error.retry], ["rate_limited", "r9", 7_000, "after"]);
});

test("a server that can't be reached is a code too", async () => {
  const rest = new Rest("", async () => {
    throw new TypeError("fetch failed");
  });
  await assert.rejects(rest.call("me.get"), (error: ApiError) => error.code === "offline" && error.retry === "after");
});

test("what is missing for the path is refused before anything is sent", async () => {
  const { requests, fetchWith } = answering(ok);
  await assert.rejects(new Rest("", fetchWith).call("messages.list", {}), (error: ApiError) => error.code === "invalid_request");
  assert.equal(requests.length, 0);
});
