/**
 * The speaker's window: what the deck tells of its slide, the time, and keys that reach the deck.
 *
 * The rule kept here: pages opened from files may not look into each other, so
 * the two only send messages; and only those of the deck that opened this are read.
 */

{
  const part = (id) => document.getElementById(id);
  const send = (move) => window.opener?.postMessage({ speaker: move }, "*");
  const began = Date.now();

  window.addEventListener("message", ({ source, data }) => {
    if (source !== window.opener || !data.slide) return;
    const { title, place, notes, next } = data.slide;
    part("title").textContent = title;
    part("place").textContent = place;
    part("notes").innerHTML = notes || "<p>No notes.</p>";
    part("next").textContent = next ? `Next: ${next}` : "This is the last slide.";
  });

  part("previous").addEventListener("click", () => send("previous"));
  part("onward").addEventListener("click", () => send("next"));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("button") && [" ", "Enter"].includes(event.key)) return;
    const moves = { ArrowRight: "next", " ": "next", ArrowLeft: "previous", PageDown: "onward", PageUp: "back" };
    if (!(event.key in moves)) return;
    send(moves[event.key]);
    event.preventDefault();
  });

  const tick = () => {
    const seconds = Math.floor((Date.now() - began) / 1000);
    part("elapsed").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    part("clock").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  };
  tick();
  setInterval(tick, 1000);
  send("ready");
}
