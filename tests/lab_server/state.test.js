// The page's state, without a page: run with `node --test`.
"use strict";
const test = require("node:test");
const assert = require("node:assert");
const path = require("node:path");
const { LotState, centsOf, untilThen, freshId } = require(
  path.join(__dirname, "..", "..", "lab_server", "static", "state.js"),
);

const LOT = { opening_cents: 1000, increment_cents: 50 };
const BIDS = Array.from({ length: 8 }, (_, index) => ({ number: index + 1, cents: 1000 + 50 * index }));

function shuffled(values) {
  const copy = [...values];
  for (let index = copy.length - 1; index > 0; index -= 1) {
    const other = Math.floor(Math.random() * (index + 1));
    [copy[index], copy[other]] = [copy[other], copy[index]];
  }
  return copy;
}

test("bids in any order, any number of times, come out the same", () => {
  for (let round = 0; round < 200; round += 1) {
    const state = new LotState(LOT);
    for (const bid of shuffled([...BIDS, ...BIDS])) {
      state.merge([bid]);
      assert.ok(state.highest.number >= bid.number);
    }
    assert.deepStrictEqual(state.latestFirst, [...BIDS].reverse());
    assert.strictEqual(state.known, 8);
    assert.strictEqual(state.hasGap, false);
    assert.strictEqual(state.minimum, 1400);
  }
});

test("a gap is seen, and what is asked for starts before it", () => {
  const state = new LotState(LOT);
  state.merge([BIDS[0], BIDS[1], BIDS[4]]);
  assert.strictEqual(state.hasGap, true);
  assert.strictEqual(state.known, 2);
  assert.deepStrictEqual(state.merge(BIDS), [BIDS[2], BIDS[3], BIDS[5], BIDS[6], BIDS[7]]);
  assert.strictEqual(state.hasGap, false);
});

test("before the first bid the opening price is the least", () => {
  assert.strictEqual(new LotState(LOT).minimum, 1000);
  assert.strictEqual(new LotState(LOT).highest, null);
});

test("sums are read exactly, or not at all", () => {
  const sums = { 1: 100, "0.1": 10, "12,34": 1234, " 5 ": 500, "19.99": 1999, "1.1": 110, 999999999: 99999999900 };
  for (const [text, cents] of Object.entries(sums)) assert.strictEqual(centsOf(text), cents, text);
  for (const text of ["", "-1", "1e3", "1.234", "NaN", "1,2,3", "١", "0x10", "1 000", ".5", "<b>"]) {
    assert.strictEqual(centsOf(text), null, text);
  }
});

test("times are told as people tell them", () => {
  assert.strictEqual(untilThen(-5), "0 s");
  assert.strictEqual(untilThen(9001), "10 s");
  assert.strictEqual(untilThen(60_000), "1:00");
  assert.strictEqual(untilThen(3_600_000 * 3 + 61_000), "3:01:01");
});

test("ids are UUIDs of version 4, and fresh", () => {
  const ids = new Set(Array.from({ length: 1000 }, freshId));
  assert.strictEqual(ids.size, 1000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
