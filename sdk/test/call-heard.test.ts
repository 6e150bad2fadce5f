import assert from "node:assert/strict";
import { test } from "node:test";
import { Heard } from "../src/calls/heard.ts";
import { Random } from "../src/core/random.ts";
import { signal } from "./call-helpers.ts";

test("whatever the order and however often, each is heard once and in order", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Random(seed);
    const count = 1 + random.below(40);
    const sent = Array.from({ length: count }, (_, index) => index + 1);
    // Shuffled, with repetitions; then everything once more, as a replay does.
    const came = [...sent, ...sent.filter(() => random.below(3) === 0)];
    for (let at = came.length - 1; at > 0; at -= 1) {
      const other = random.below(at + 1);
      [came[at], came[other]] = [came[other]!, came[at]!];
    }
    const heard = new Heard();
    const got = [...came, ...sent].flatMap((number) => heard.arrive(signal(number, 1)).map((one) => one.number));
    assert.deepEqual(got, sent, `seed ${seed}`);
    assert.deepEqual([heard.gap, heard.last], [false, count]);
  }
});

test("a replay leaves out what was superseded; what came too early fits in or is known", () => {
  const heard = new Heard();
  const numbers = (signals: { number: number }[]) => signals.map(({ number }) => number);
  assert.deepEqual(numbers(heard.arrive(signal(1, 1))), [1]);
  assert.deepEqual(numbers([...heard.arrive(signal(4, 1)), ...heard.arrive(signal(6, 1))]), []);
  assert.deepEqual(numbers(heard.replay([signal(3, 1), signal(5, 1)])), [3, 4, 5, 6]);
  assert.deepEqual([heard.gap, heard.last], [false, 6]);
  heard.restart();
  assert.deepEqual(numbers(heard.replay([signal(2, 1), signal(3, 1)])), [2, 3]);
});
