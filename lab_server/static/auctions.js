// The auction's page: state.js on the one side, the Socket.IO client on the other.
// Whatever came from the network is shown with textContent only.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const states = new Map(); // lot's id → LotState
const cards = new Map(); // lot's id → its <article>
const pending = new Map(); // bid's id → { bid, answered }: sent until there is an answer
const HISTORY = 8; // bids shown on a card
const PATIENCE = 5000; // ms until a bid without an answer is sent again
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
let serverAhead = 0; // the server's clock less ours, in ms

const socket = io({ reconnectionDelayMax: 2000 });

// ── connection ─────────────────────────────────────────────────────────────

function showConnection(state) {
  $("#connection").dataset.state = state;
  $("#state").textContent = state;
  const transport = state === "connected" ? socket.io.engine.transport.name : "";
  $("#transport").textContent = transport && ` by ${transport}`;
}

socket.on("connect", () => {
  showConnection("connected");
  socket.io.engine.on("upgrade", () => showConnection("connected"));
  socket.emit("lots", {}, (answer) => {
    if (!answer.ok) return;
    setClock(answer.now);
    for (const lot of answer.lots) update(lot);
    for (const lot of answer.lots) join(lot.id);
    for (const lot of answer.lots) $("#lots").append(cards.get(lot.id)); // in the server's order
  });
  for (const entry of pending.values()) send(entry);
});
socket.on("disconnect", () => showConnection("reconnecting"));
socket.on("connect_error", () => showConnection("reconnecting"));

/** Follow a lot, and get what was missed of it. */
function join(id) {
  socket.emit("join", { lot: id, after: states.get(id).known }, (answer) => {
    if (!answer.ok) return;
    setClock(answer.now);
    update(answer.lot);
    merge(id, answer.bids, false);
  });
}

function setClock(now) {
  serverAhead = now - Date.now();
}

// ── news ───────────────────────────────────────────────────────────────────

socket.on("bids placed", ({ lot, bids }) => {
  if (!states.has(lot)) return;
  merge(lot, bids, true);
  if (states.get(lot).hasGap) join(lot);
});
socket.on("lot opened", ({ lot }) => {
  update(lot);
  join(lot.id);
  announce(`New: ${lot.title}`);
});
socket.on("lot changed", ({ now, lot }) => {
  setClock(now);
  update(lot);
});
socket.on("lot closed", ({ lot }) => {
  update(lot);
  const highest = lot.highest;
  announce(`${lot.title}: ${highest ? `sold to ${highest.bidder} for € ${inWords(highest.cents)}` : "not sold"}`);
});
socket.on("countdown", ({ lot, seconds }) => {
  if (cards.has(lot) && seconds <= 3) announce(`${states.get(lot).lot.title}: ${seconds}`);
});
socket.on("picture", ({ lot, type, content }) => {
  if (!cards.has(lot)) return;
  const image = $("img", cards.get(lot));
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(new Blob([content], { type }));
  image.alt = `Picture of ${states.get(lot).lot.title}`;
});

function update(lot) {
  if (!states.has(lot.id)) {
    states.set(lot.id, new LotState(lot));
    cards.set(lot.id, newCard(lot.id));
    $("#lots").append(cards.get(lot.id));
  }
  states.get(lot.id).lot = lot;
  render(lot.id);
}

function merge(id, bids, live) {
  const state = states.get(id);
  const before = state.highest;
  const fresh = state.merge(bids);
  if (!fresh.length) return;
  render(id);
  if (!live) return;
  const price = $(".price", cards.get(id));
  price.classList.remove("news");
  void price.offsetWidth; // lets the animation begin anew
  price.classList.add("news");
  const now = state.highest;
  if (before && isMe(before.bidder) && !isMe(now.bidder)) {
    answerIn(cards.get(id), `${now.bidder} has outbid you.`, "outbid");
  }
}

function announce(text) {
  $("#announcement").textContent = text;
}

// ── cards ──────────────────────────────────────────────────────────────────

function newCard(id) {
  const card = $("#lot").content.firstElementChild.cloneNode(true);
  card.dataset.lot = id;
  const heading = $("h2", card);
  heading.id = `lot-${id}`;
  card.setAttribute("aria-labelledby", heading.id);
  $(".bid", card).addEventListener("submit", (event) => {
    event.preventDefault();
    placeBid(id, $("input", card));
  });
  setUpHammer(id, card);
  return card;
}

function render(id) {
  const state = states.get(id);
  const card = cards.get(id);
  const { lot, highest } = state;
  card.classList.toggle("closed", lot.closed);
  card.classList.toggle("mine", Boolean(highest) && isMe(highest.bidder));
  $("h2", card).textContent = lot.title;
  $(".description", card).textContent = lot.description;
  $(".price dt", card).textContent = lot.closed ? (highest ? "Sold for" : "Not sold") : highest ? "Highest bid" : "Opens at";
  $(".price dd", card).textContent = `€ ${inWords(highest ? highest.cents : lot.opening_cents)}`;
  $(".leader dt", card).textContent = lot.closed ? "To" : "Leads";
  $(".leader dd", card).textContent = highest ? (isMe(highest.bidder) ? `${highest.bidder} (you)` : highest.bidder) : "nobody yet";
  for (const control of $(".bid", card).elements) control.disabled = lot.closed;
  $(".bid input", card).placeholder = inWords(state.minimum);
  const rows = state.latestFirst.slice(0, HISTORY).map((bid) => {
    const row = document.createElement("li");
    row.value = bid.number;
    const parts = [bid.bidder, `€ ${inWords(bid.cents)}`, new Date(bid.placed_at).toLocaleTimeString([], CLOCK)];
    for (const text of parts) row.append(Object.assign(document.createElement("span"), { textContent: text }));
    row.classList.toggle("mine", isMe(bid.bidder));
    return row;
  });
  $(".history", card).replaceChildren(...rows);
  renderTime(id);
}

function renderTime(id) {
  const { lot } = states.get(id);
  const left = lot.closes_at - (Date.now() + serverAhead);
  const time = $(".time", cards.get(id));
  $("dt", time).textContent = lot.closed ? "Closed at" : "Closes in";
  $("dd", time).textContent = lot.closed ? new Date(lot.closes_at).toLocaleTimeString([], CLOCK) : untilThen(left);
  time.classList.toggle("soon", !lot.closed && left <= 10_000);
}

setInterval(() => {
  for (const id of states.keys()) renderTime(id);
}, 250);

// ── bidding ────────────────────────────────────────────────────────────────

const nameField = $("#name");
nameField.value = localStorage.getItem("bidder") ?? "";
nameField.addEventListener("input", () => {
  localStorage.setItem("bidder", nameField.value.trim());
  for (const id of states.keys()) render(id);
});
$("#who").addEventListener("submit", (event) => event.preventDefault());

function isMe(bidder) {
  return bidder.toLocaleLowerCase() === nameField.value.trim().toLocaleLowerCase();
}

function placeBid(id, field) {
  const card = cards.get(id);
  if (!nameField.reportValidity()) return;
  const cents = centsOf(field.value);
  if (cents === null) {
    answerIn(card, "A sum in euros, please, such as 120 or 120.50.", "refused");
    return;
  }
  field.value = "";
  answerIn(card, `€ ${inWords(cents)} …`, "sent");
  const entry = { bid: { id: freshId(), lot: id, bidder: nameField.value.trim(), cents } };
  pending.set(entry.bid.id, entry);
  if (socket.connected) send(entry);
}

/** Send a bid, again if need be: the id keeps it one bid. */
function send(entry) {
  const { bid } = entry;
  socket.timeout(PATIENCE).emit("bid", bid, (failure, answer) => {
    if (!pending.has(bid.id)) return;
    if (failure || answer.error?.code === "unavailable") {
      if (socket.connected) setTimeout(() => pending.has(bid.id) && send(entry), 500);
      return; // when not connected, the next "connect" sends it
    }
    pending.delete(bid.id);
    const card = cards.get(bid.lot);
    if (answer.ok) {
      merge(bid.lot, [answer.bid], true);
      answerIn(card, `Your bid of € ${inWords(bid.cents)} stands.`, "accepted");
    } else {
      answerIn(card, `€ ${inWords(bid.cents)} was refused. ${answer.error.message}`, "refused");
    }
  });
}

function answerIn(place, text, kind) {
  const answer = $(".answer", place);
  answer.textContent = text;
  answer.dataset.kind = kind;
}

// ── the seed's pair, when its lesson is on ─────────────────────────────────

$("#seed")?.addEventListener("submit", (event) => {
  event.preventDefault();
  socket.emit("replace old value", { value: event.target.elements.value.value });
});
socket.on("replaced values", (message) => {
  const shown = $("#replaced");
  if (shown) shown.textContent = JSON.stringify(message);
});

// ── the auctioneer, who came with a token ──────────────────────────────────

const token = new URLSearchParams(location.hash.slice(1)).get("auctioneer") ?? sessionStorage.getItem("auctioneer");
let podium = null;

if (token) {
  sessionStorage.setItem("auctioneer", token);
  history.replaceState(null, "", location.pathname); // a token has no place on a projector
  podium = io("/auctioneer", { auth: { token } });
  podium.on("connect", () => showPodium(true));
  podium.on("connect_error", (error) => {
    showPodium(false);
    announce(error.message);
    if (!podium.active) sessionStorage.removeItem("auctioneer"); // refused, not out of reach
  });
}

function showPodium(shown) {
  $("#auctioneer").hidden = !shown;
  document.body.classList.toggle("podium", shown);
}

function setUpHammer(id, card) {
  const hammer = $(".hammer", card);
  const answer = (reply) => answerIn(card, reply.ok ? "Done." : reply.error.message, reply.ok ? "accepted" : "refused");
  hammer.hidden = !token;
  for (const button of hammer.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      podium.emit("close", { lot: id, in_seconds: Number(button.dataset.seconds) }, answer);
    });
  }
  $("input", hammer).addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (file) podium.emit("picture", { lot: id, content: await file.arrayBuffer() }, answer);
  });
}

$("#auctioneer").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const { title, opening, increment, minutes } = form.elements;
  const lot = {
    title: title.value.trim(),
    opening_cents: centsOf(opening.value) ?? 0,
    increment_cents: centsOf(increment.value) ?? 0,
    open_for_seconds: 60 * Number(minutes.value),
  };
  podium.emit("open", lot, (reply) => {
    answerIn(form, reply.ok ? `“${reply.lot.title}” is open.` : reply.error.message, reply.ok ? "accepted" : "refused");
    if (reply.ok) title.value = "";
  });
});
