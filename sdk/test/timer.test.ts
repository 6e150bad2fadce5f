import assert from "node:assert/strict";
import { test } from "node:test";
import { workerTimer } from "../src/timer.ts";

/** A worker whose other side is the test. */
function worker() {
  const asked: { id: number; ms?: number }[] = [];
  let hear: (event: { data: number }) => void = () => undefined;
  const end = {
    postMessage: (message: { id: number; ms?: number }) => asked.push(message),
    addEventListener: (_: string, listener: typeof hear) => (hear = listener),
  };
  return { end: end as unknown as Worker, asked, ring: (id: number) => hear({ data: id }) };
}

test("the worker rings once, and a cancelled one not at all", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { end, asked, ring } = worker();
  const after = workerTimer(end);
  const rung: string[] = [];
  after(100_000, () => rung.push("first"));
  const cancel = after(200_000, () => rung.push("second"));
  cancel();
  ring(1);
  ring(1);
  ring(2);
  assert.deepEqual(rung, ["first"]);
  assert.deepEqual(asked, [{ id: 1, ms: 100_000 }, { id: 2, ms: 200_000 }, { id: 2 }]);
});

test("a worker that never comes to life does not keep time from passing", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { end, ring } = worker();
  let rung = 0;
  workerTimer(end)(50, () => (rung += 1));
  t.mock.timers.tick(50);
  ring(1);
  assert.equal(rung, 1);
});
