// A cell of the comparison shows its quote where it stands: while one points at it or comes to it by
// the keyboard, or from a press until the next one, Escape, or a press elsewhere.
(() => {
  const WAIT_MS = 150;
  let open = null; // {button, panel, kept}
  let timer;
  let closing = false; // focus goes back to a button whose quote was closed

  const quoteOf = (event) => event.target.closest?.(".aqa-compare-quote");
  const isInside = (event) => open.panel.contains(event.target);

  const place = () => {
    const { button, panel } = open;
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = panel;
    const below = at.bottom + 6 + height <= innerHeight || at.top < height + 6;
    const top = below ? Math.min(at.bottom + 6, innerHeight - height - 8) : at.top - height - 6;
    panel.style.inset = `${Math.max(8, top)}px auto auto ${Math.max(12, Math.min(at.left, innerWidth - width - 12))}px`;
  };
  const hide = () => {
    clearTimeout(timer);
    if (!open) return;
    open.button.setAttribute("aria-expanded", "false");
    if (open.panel.isConnected) open.panel.hidePopover();
    open = null;
  };
  const show = (button, kept) => {
    clearTimeout(timer);
    if (open?.button === button) {
      open.kept ||= kept;
      return;
    }
    hide();
    open = { button, panel: document.getElementById(button.getAttribute("aria-controls")), kept };
    open.panel.showPopover();
    place();
    const text = open.panel.querySelector(".aqa-compare-abstract");
    const mark = text.querySelector("mark");
    if (mark) text.scrollTop = mark.offsetTop - text.offsetTop - text.clientHeight / 3;
    button.setAttribute("aria-expanded", "true");
  };
  const later = (what) => {
    clearTimeout(timer);
    timer = setTimeout(what, WAIT_MS);
  };

  document.addEventListener("click", (event) => {
    const button = quoteOf(event);
    const example = event.target.closest?.(".aqa-compare-example");
    if (example) {
      const detail = { question: example.textContent };
      example.dispatchEvent(new CustomEvent("aqa_example", { bubbles: true, detail }));
    }
    if (button && !(open?.button === button && open.kept)) show(button, true);
    else if (button || (open && !isInside(event))) hide();
  });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const button = quoteOf(event);
    if (button && !open?.kept) later(() => show(button, false));
    else if (open && !open.kept && !isInside(event)) later(hide);
    else clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    if (closing) return;
    const button = quoteOf(event);
    if (button?.matches(":focus-visible")) show(button, false);
    else if (open && !isInside(event) && event.target !== open.button) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open) return;
    const { button } = open;
    closing = open.panel.contains(document.activeElement);
    hide();
    if (closing) button.focus();
    closing = false;
  });
  document.addEventListener("scroll", (event) => {
    if (!open || isInside(event)) return;
    const at = open.button.getBoundingClientRect();
    if (at.bottom < 0 || at.top > innerHeight) hide();
    else place();
  }, { capture: true, passive: true });
  addEventListener("resize", hide);
})();
