import assert from "node:assert/strict";
import { test } from "node:test";

import { Rest } from "../src/rest.ts";
import { exclusiveOverTabs, Session } from "../src/session.ts";
import { answering, grant } from "./helpers.ts";

const ended = { status: 401, body: { error: { code: "refresh_token_invalid", message: "log in" } } };

test("a login asks for the cookie, so that no refresh token reaches the page", async () => {
  const { requests, fetchWith } = answering({ body: grant("t1") });
  const session = new Session(new Rest("", fetchWith));
  const me = await session.login("ann", "secret", "Test");
  assert.equal(me.handle, "ann");
  assert.equal((JSON.parse(String(requests[0]!.init.body)) as { cookie: boolean }).cookie, true);
});

test("a reload goes on with the cookie's login, or knows that there is none", async () => {
  const there = answering({ body: grant("t1") });
  assert.equal((await new Session(new Rest("", there.fetchWith)).restore())?.handle, "ann");
  assert.equal(there.requests[0]!.init.body, "{}");
  const none = answering(ended);
  assert.equal(await new Session(new Rest("", none.fetchWith)).restore(), undefined);
});

test("a token is refreshed before it runs out, once for all who wait", async () => {
  let now = Date.now();
  const { requests, fetchWith } = answering({ body: grant("t1") }, { body: grant("t2", 600_000) });
  const session = new Session(new Rest("", fetchWith), exclusiveOverTabs(), () => now);
  await session.restore();
  assert.equal(await session.token(), "t1");
  now += 290_000;
  assert.deepEqual(await Promise.all([session.token(), session.token()]), ["t2", "t2"]);
  assert.equal(requests.length, 2);
});

test("a clock that is off does not make a fresh token look old", async () => {
  const payload = btoa(JSON.stringify({ iat: 1_000, exp: 1_300 }));
  const { requests, fetchWith } = answering({ body: grant(`h.${payload}.s`, -3_600_000) });
  const session = new Session(new Rest("", fetchWith));
  await session.restore();
  await session.token();
  assert.equal(requests.length, 1);
});

test("a login that took the cookie's place in another tab ends this page's, whoever's it is", async () => {
  const anothers = grant("t2");
  anothers.data.session = "44444444-4444-4444-8444-444444444444";
  const { requests, fetchWith } = answering({ body: grant("t1") }, { body: anothers });
  const session = new Session(new Rest("", fetchWith));
  await session.restore();
  await assert.rejects(session.refresh(), { code: "refresh_token_invalid" });
  assert.equal(session.user, undefined);
  // The answer replaces the cookie of all tabs: it is waited for by the browser, also without the page.
  assert.ok(requests.every(({ init }) => init.keepalive));
});

test("a command whose token ran out is repeated with a fresh one", async () => {
  const expired = { status: 401, body: { error: { code: "token_expired", message: "refresh" } } };
  const done = { body: { data: { sessions: [] }, meta: { request_id: "r" } } };
  const { requests, fetchWith } = answering({ body: grant("t1") }, expired, { body: grant("t2") }, done);
  const session = new Session(new Rest("", fetchWith));
  await session.restore();
  assert.deepEqual(await session.call("sessions.list"), { sessions: [] });
  assert.equal(requests.at(-1)!.init.headers["authorization"], "Bearer t2");
});
