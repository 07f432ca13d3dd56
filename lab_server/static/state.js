// What the page knows, and how news changes it. No socket and no document here: so it can be tested alone.
"use strict";

/** A lot and its bids by number. Bids may come twice, or late; the numbers put them right. */
class LotState {
  constructor(lot) {
    this.lot = lot;
    this.bids = new Map();
  }

  /** The number of the last bid before the first gap: what to ask for when something was missed. */
  get known() {
    let number = 0;
    while (this.bids.has(number + 1)) number += 1;
    return number;
  }

  /** The highest bid that is known, or null. Numbers rise with prices. */
  get highest() {
    return this.bids.size ? this.bids.get(Math.max(...this.bids.keys())) : null;
  }

  /** The least that the next bid must offer, in cents. */
  get minimum() {
    return this.highest ? this.highest.cents + this.lot.increment_cents : this.lot.opening_cents;
  }

  /** Take bids in; returns those that were new. */
  merge(bids) {
    const fresh = bids.filter((bid) => !this.bids.has(bid.number));
    for (const bid of fresh) this.bids.set(bid.number, bid);
    return fresh;
  }

  /** Whether a bid is missing between those that are known. */
  get hasGap() {
    return this.bids.size > this.known;
  }

  /** All bids, the latest first. */
  get latestFirst() {
    return [...this.bids.values()].sort((a, b) => b.number - a.number);
  }
}

/** "1234.5" or "1234,50" in cents, exactly; null if it is no sum of money. */
function centsOf(text) {
  const match = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  if (!match) return null;
  return Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
}

/** 1234567 as "12,345.67", in the reader's own manner. */
function inWords(cents) {
  return (cents / 100).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** Milliseconds as "2:03:04", "3:04" or "9 s". */
function untilThen(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A UUID of version 4. (crypto.randomUUID exists only on https and on this machine.) */
function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

if (typeof module !== "undefined") module.exports = { LotState, centsOf, inWords, untilThen, freshId };
