/**
 * The deck: reveal.js, and what a class needs of it.
 *
 * The rule kept here: a slide may be longer than the screen, but nothing of it
 * is passed over: what has just come up is brought into sight, and the keys of
 * a presenter's clicker scroll a slide to its end before they leave it.
 */

{
  /** What takes keys for itself; Escape gives them back to the deck. */
  const OWN_KEYS = ".live, a, button, input, select, summary";

  const slide = () => Reveal.getCurrentSlide();

  const page = (way) => {
    const { scrollTop, scrollHeight, clientHeight } = slide();
    const more = way > 0 ? scrollHeight - clientHeight - scrollTop : scrollTop;
    if (more > 1) slide().scrollBy({ top: way * clientHeight * 0.85, behavior: "instant" });
    else if (way > 0) Reveal.next();
    else Reveal.prev();
  };

  // ── the speaker's window ───────────────────────────────────────────────────

  let speaker = null;

  const headingOf = (section) => section?.querySelector("h1, h2, h3")?.textContent.trim() ?? "";

  /** What the speaker is told: a slide without a heading goes by the one of the slide before it. */
  const tell = () => {
    if (!speaker || speaker.closed) return;
    const slides = Reveal.getSlides();
    const here = slides.indexOf(slide());
    const titled = slides.slice(0, here + 1).findLast(headingOf);
    const following = slides.slice(here + 1, here + 2);
    const notes = [...slide().querySelectorAll("aside.notes")].map((note) => note.innerHTML).join("");
    const place = `${here + 1} / ${slides.length}`;
    const next = following.map((one) => headingOf(one) || "(the same, continued)")[0] ?? "";
    speaker.postMessage({ slide: { title: headingOf(titled), place, notes, next } }, "*");
  };

  const moves = { ready: tell, next: () => Reveal.next(), previous: () => Reveal.prev(), onward: () => page(1), back: () => page(-1) };
  window.addEventListener("message", ({ source, data }) => {
    if (speaker && source === speaker) moves[data.speaker]?.();
  });
  const openSpeaker = () => {
    speaker = window.open("assets/speaker.html", "speaker", "width=900,height=700");
  };

  // ── the deck ───────────────────────────────────────────────────────────────

  Reveal.initialize({
    disableLayout: true,
    center: false,
    hash: true,
    transition: "none",
    slideNumber: "c/t",
    keyboard: { 34: () => page(1), 33: () => page(-1), 83: openSpeaker },
    keyboardCondition: (event) => !event.target.closest(OWN_KEYS),
  });

  Reveal.on("fragmentshown", ({ fragment }) => {
    (fragment.querySelector(".widget") ?? fragment).scrollIntoView({ block: "nearest" });
  });
  Reveal.on("slidechanged", ({ currentSlide }) => {
    currentSlide.scrollTop = 0;
    tell();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest(OWN_KEYS)) {
      event.target.blur();
      event.stopPropagation();
    }
  }, true);
}
