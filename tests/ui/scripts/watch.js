// Note when a question is sent, its first source is shown, and its first word.
() => {
  const now = () => performance.timeOrigin + performance.now();
  window.seen = {};
  new MutationObserver(() => {
    const cards = document.querySelector("#aqa-chat-sources section:last-child .aqa-chat-card");
    const turn = cards?.closest("section").dataset.turn;
    if (turn && turn !== window.before && !seen.cards) seen.cards = now();
    const text = document.querySelector(".aqa-chat-writing .aqa-chat-text");
    if (text?.textContent.trim() && !seen.word) seen.word = now();
  }).observe(document, { subtree: true, childList: true, characterData: true });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".submit-button")) return;
    window.before = document.querySelector("#aqa-chat-sources section:last-child")?.dataset.turn;
    window.seen = { sent: now() };
  }, true);
}
