// A cell of the comparison opens its quote beside itself; the browser closes it again.
document.addEventListener("toggle", (event) => {
  const panel = event.target;
  if (!panel.matches(".aqa-compare-panel") || event.newState !== "open") return;
  const at = document.querySelector(`[popovertarget="${panel.id}"]`).getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const isBelow = at.bottom + 6 + height <= innerHeight || at.top < height + 6;
  const top = isBelow ? Math.min(at.bottom + 6, innerHeight - height - 8) : at.top - height - 6;
  panel.style.top = `${Math.max(8, top)}px`;
  panel.style.left = `${Math.max(12, Math.min(at.left, innerWidth - width - 12))}px`;
  const text = panel.querySelector(".aqa-compare-abstract");
  const mark = text.querySelector("mark");
  if (mark) text.scrollTop = mark.offsetTop - text.offsetTop - text.clientHeight / 3;
}, true);
