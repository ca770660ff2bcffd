// The list of conversations: opened, renamed in place, deleted.
window.aqaChat = window.aqaChat || {};
aqaChat.list = (element, props, trigger) => {
  const rename = (item) => {
    const open = item.querySelector(".aqa-chat-open");
    const input = Object.assign(document.createElement("input"), {
      value: open.textContent, className: "aqa-chat-rename", maxLength: 120,
    });
    input.setAttribute("aria-label", "New name");
    let over = false;
    const leave = (keep) => {
      if (over) return;
      over = true;
      const title = input.value.trim();
      if (keep && title && title !== open.textContent) {
        trigger("aqa_list", { do: "rename", id: item.dataset.id, title });
        open.textContent = title;
      }
      input.replaceWith(open);
      open.focus();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") leave(true);
      if (event.key === "Escape") { event.stopPropagation(); leave(false); }
    });
    input.addEventListener("blur", () => leave(true));
    open.replaceWith(input);
    input.focus();
    input.select();
  };

  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    const item = button.closest("li");
    const id = button.dataset.id || item.dataset.id;
    if (button.dataset.do === "open") {
      trigger("aqa_open", { id });
      if (innerWidth < 900) aqaChat.closeSidebar();
    } else if (button.dataset.do === "rename") rename(item);
    else trigger("aqa_list", { do: button.dataset.do, id });
  });
};
