// What opens and closes: the filters, the settings, menus, notes of a check, and the sidebar.
window.aqaChat = window.aqaChat || {};
(() => {
  const popups = () => [...document.querySelectorAll(".aqa-chat-popup")];
  const opener = (popup) => document.querySelector(`[data-panel="${popup.id}"]`);

  const toggle = (popup, open) => {
    if (open) popup.dataset.open = "true"; else delete popup.dataset.open;
    opener(popup)?.setAttribute("aria-expanded", open);
    popup.tabIndex = -1;
    if (open) popup.focus({ preventScroll: true }); // its first field may open a list of its own
  };

  aqaChat.chosen = (element, props, trigger) => {
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (!button) return;
      const { kind, value } = button.dataset;
      trigger("aqa_unfilter", { kind, value });
      document.querySelector("#aqa-question textarea").focus();
    });
  };

  document.addEventListener("click", (event) => {
    const at = event.target;
    if (!at.isConnected) return; // a chip that was just taken away
    const button = at.closest?.("[data-panel]");
    for (const popup of popups()) {
      const open = Boolean(popup.dataset.open);
      if (button?.dataset.panel === popup.id) toggle(popup, !open);
      else if (open && !popup.contains(at) && !at.closest("ul.options, #aqa-chat-chosen")) toggle(popup, false);
    }
    document.querySelectorAll(".aqa-chat-menu[open]").forEach((menu) => {
      if (!menu.contains(at)) menu.open = false;
    });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (event.target.matches?.('input[aria-expanded="true"]')) return; // a list of its own
    for (const popup of popups()) {
      if (!popup.dataset.open) continue;
      toggle(popup, false);
      opener(popup).focus();
    }
    document.querySelectorAll(".aqa-chat-menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.querySelectorAll('.aqa-chat-mark[aria-expanded="true"]').forEach((mark) => aqaChat.unfold(mark, false));
  }, true);

  // The chat fills the window below the page's heading, however high that is.
  const fit = () => {
    const main = document.getElementById("aqa-chat-main");
    if (main?.offsetParent) main.style.setProperty("--aqa-chat-top", `${main.getBoundingClientRect().top + scrollY}px`);
  };
  addEventListener("resize", fit);

  const sidebar = () => document.getElementById("aqa-chat-sidebar");
  const kept = "abstractqa-sidebar";
  const turnSidebar = () => {
    const open = sidebar().classList.contains("open");
    sidebar().querySelector(".toggle-button").click();
    if (innerWidth >= 900) localStorage.setItem(kept, open ? "closed" : "open");
    // Behind the change of its class, which makes it visible.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const to = open ? "#aqa-chat-tools [data-sidebar]" : "#aqa-chat-sidebar textarea, #aqa-chat-sidebar input";
      document.querySelector(to)?.focus();
    }));
  };
  aqaChat.closeSidebar = () => { if (sidebar()?.classList.contains("open")) turnSidebar(); };

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-sidebar]")) turnSidebar();
    // The list stands beside the chat, not beside the other tabs.
    if (event.target.closest?.('[role="tab"]:not(#aqa-chat-tab-button)')) aqaChat.closeSidebar();
    if (event.target.closest?.("[data-new]")) document.getElementById("aqa-chat-new").click();
    if (event.target.closest?.("#aqa-chat-new")) {
      if (innerWidth < 900) aqaChat.closeSidebar();
      document.querySelector("#aqa-question textarea").focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && sidebar()?.contains(event.target)) aqaChat.closeSidebar();
  });

  let opened = false;
  new MutationObserver(() => {
    fit();
    const box = document.querySelector("#aqa-question textarea");
    const handle = sidebar()?.querySelector(".toggle-button");
    const button = document.querySelector("#aqa-chat-tools [data-sidebar]");
    if (!box || !handle || !button) return;
    const open = String(sidebar().classList.contains("open"));
    if (button.getAttribute("aria-expanded") !== open) button.setAttribute("aria-expanded", open);
    document.querySelectorAll('#aqa-chat-dates input[type="text"]').forEach((input) => { input.type = "date"; });
    if (opened) return;
    opened = true; // once, and not where it would open a keyboard
    if (innerWidth >= 900 && localStorage.getItem(kept) === "open") handle.click();
    if (matchMedia("(min-width: 900px)").matches) box.focus();
  }).observe(document, { subtree: true, childList: true, attributeFilter: ["class"] });
})();
