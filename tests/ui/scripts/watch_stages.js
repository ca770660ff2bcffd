() => {
  window.log = [];
  const add = (said) => log.includes(said) || log.push(said);
  new MutationObserver(() => {
    const live = document.querySelector(".aqa-chat-writing");
    if (!live) return;
    const stage = live.querySelector(".aqa-chat-stages strong")?.textContent;
    if (stage) add(stage);
    if (document.querySelector("#aqa-chat-sources .aqa-chat-card")) add("cards");
    if (live.querySelector(".aqa-chat-text").textContent.trim()) add("words");
  }).observe(document, { subtree: true, childList: true, characterData: true });
}
