// A cell of the comparison shows its quote where it stands: while one points at it, or from a press
// until the next one, Escape, or a press elsewhere.
(() => {
  const WAIT_MS = 150;
  let open = null; // {button, panel, kept}
  let timer;
  let closing = false; // focus goes back to a button whose quote was closed

  const place = (button, panel) => {
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = panel;
    const below = at.bottom + 6 + height <= innerHeight || at.top < height + 6;
    const top = below ? Math.min(at.bottom + 6, innerHeight - height - 8) : at.top - height - 6;
    panel.style.top = `${Math.max(8, top)}px`;
    panel.style.left = `${Math.max(12, Math.min(at.left, innerWidth - width - 12))}px`;
    panel.style.right = panel.style.bottom = "auto";
  };

  const hide = () => {
    clearTimeout(timer);
    if (!open) return;
    open.button.setAttribute("aria-expanded", "false");
    if (open.panel.isConnected && open.panel.matches(":popover-open")) open.panel.hidePopover();
    open = null;
  };

  const show = (button, kept) => {
    clearTimeout(timer);
    if (open?.button === button) {
      open.kept ||= kept;
      return;
    }
    hide();
    const panel = document.getElementById(button.getAttribute("aria-controls"));
    if (!panel) return;
    panel.showPopover();
    place(button, panel);
    const text = panel.querySelector(".aqa-compare-abstract");
    const mark = text.querySelector("mark");
    if (mark) text.scrollTop = mark.offsetTop - text.offsetTop - text.clientHeight / 3;
    button.setAttribute("aria-expanded", "true");
    open = { button, panel, kept };
  };

  const later = (what) => {
    clearTimeout(timer);
    timer = setTimeout(what, WAIT_MS);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".aqa-compare-quote");
    if (button) {
      const again = open?.button === button && open.kept;
      if (again) hide();
      else show(button, true);
    } else if (open && !open.panel.contains(event.target)) hide();
  });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const button = event.target.closest?.(".aqa-compare-quote");
    if (button && !open?.kept) later(() => show(button, false));
    else if (open?.panel.contains(event.target)) clearTimeout(timer);
    else if (open && !open.kept) later(hide);
    else if (!open) clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    if (closing) return;
    const button = event.target.closest?.(".aqa-compare-quote");
    if (button?.matches(":focus-visible")) show(button, false);
    else if (open && !open.panel.contains(event.target) && event.target !== open.button) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open) return;
    const { button, panel } = open;
    const inside = panel.contains(document.activeElement);
    hide();
    closing = inside;
    if (inside) button.focus();
    closing = false;
  });
  document.addEventListener("scroll", (event) => {
    if (!open || open.panel.contains(event.target)) return;
    const at = open.button.getBoundingClientRect();
    if (at.bottom < 0 || at.top > innerHeight) hide();
    else place(open.button, open.panel);
  }, { capture: true, passive: true });
  addEventListener("resize", hide);
})();
