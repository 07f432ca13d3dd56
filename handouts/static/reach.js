/**
 * Lets the keyboard reach whatever scrolls.
 *
 * The rule kept here: a box is in the keyboard's way only while there is more
 * of it than is shown.
 */

{
  const boxes = "pre, .shown, .shown [style*=overflow], .source, section.slide";
  const measure = (box) => {
    const style = getComputedStyle(box);
    const scrolls = (more, how) => more > 1 && (how === "auto" || how === "scroll");
    const reached =
      scrolls(box.scrollWidth - box.clientWidth, style.overflowX) ||
      scrolls(box.scrollHeight - box.clientHeight, style.overflowY);
    if (reached) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const observer = new ResizeObserver((entries) => entries.forEach((entry) => measure(entry.target)));
  for (const box of document.querySelectorAll(boxes)) observer.observe(box);
}
