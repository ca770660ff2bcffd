// Keep each value that reaches the chat; `aqaLate()` has all of them arrive once more, as if new.
() => {
  const kept = [];
  const keep = ({ target, detail }) => {
    if (target.closest("#aqa-chat-main, #aqa-chat-side") && detail?.conversation) kept.push([target, detail]);
  };
  document.addEventListener("aqa-value", keep);
  window.aqaLate = () => {
    document.removeEventListener("aqa-value", keep);
    for (const [target, detail] of kept) {
      target.dispatchEvent(new CustomEvent("aqa-value", { bubbles: true, detail: { ...detail, at: Date.now() } }));
    }
    return new Set(kept.map(([target]) => target.closest('[id^="aqa-chat-"]').id)).size;
  };
}
