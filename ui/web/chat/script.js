// The Chat tab. Buttons have `data-do`; the server answers with what has changed.

const aqaSay = (button, text) => { // for a moment
  const name = button.textContent;
  button.textContent = text;
  setTimeout(() => { button.textContent = name; }, 1500);
};
const aqaCopy = async (button, text) => {
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else { // there is no clipboard object over plain http from another machine
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  aqaSay(button, "Copied");
};

(() => {
  const $ = (selector) => document.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const box = () => $("#aqa-question textarea");
  const isNarrow = () => innerWidth < 900;
  const send = (name, detail, from = $(".aqa-chat-turns")) => {
    from.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  };

  // Update lists of elements from the server. Only what has changed is touched, so that the focus,
  // open details and the scroll position survive.

  const readers = new Set(["open", "hidden", "aria-expanded"]); // attributes that the reader changes: never overwritten
  const drawn = new WeakMap(); // element → the HTML that it was made from

  const morph = (old, now) => {
    if (old.nodeName !== now.nodeName || old.id !== now.id) {
      old.replaceWith(now);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== now.data) old.data = now.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!now.hasAttribute(name) && !readers.has(name)) old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) {
      if (!readers.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const [before, after] = [[...old.childNodes], [...now.childNodes]];
    after.forEach((child, at) => (before[at] ? morph(before[at], child) : old.append(child)));
    before.slice(after.length).forEach((child) => child.remove());
  };

  // `order` has the ids of all children of `list`, `html` the HTML of those that are new or changed.
  // Return whether a child is missing: in `order`, but neither in the list nor in `html`.
  const patch = (list, order, html) => {
    const there = new Map([...list.children].map((child) => [child.dataset.turn, child]));
    for (const [id, child] of there) if (!order.includes(id)) child.remove();
    const template = document.createElement("template");
    let next = list.firstElementChild;
    for (const id of order) {
      let child = there.get(id);
      if (html[id] !== undefined && (!child || drawn.get(child) !== html[id])) {
        template.innerHTML = html[id];
        if (child) morph(child, template.content.firstElementChild);
        else child = template.content.firstElementChild;
        drawn.set(child, html[id]);
      }
      if (!child) continue;
      if (child === next) next = next.nextElementSibling;
      else list.insertBefore(child, next);
    }
    return list.children.length < order.length;
  };

  // Turns

  const writing = () => $("#aqa-chat-live .aqa-chat-turn")?.dataset.turn;
  const toTop = (turn) => {
    const scroller = $("#aqa-chat-scroll");
    scroller.scrollTop += turn.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  };

  // Never overwrite what the reader typed: fill only an empty question box.
  const fillBox = ({ refill, withdraw }) => {
    const there = box().value.trim();
    if (refill && !there) box().value = refill;
    else if (withdraw && there === withdraw.trim()) box().value = "";
    else return;
    box().dispatchEvent(new Event("input", { bubbles: true }));
  };

  // The address has the conversation, the filters, and a question that is not asked yet.

  const keepAddress = (change, isPlace) => {
    const address = new URL(location.href);
    change(address.searchParams);
    if (address.href === location.href) return;
    history[isPlace ? "pushState" : "replaceState"](history.state, "", address);
  };
  const LONGEST_QUERY = 24_000; // leaves room for the headers of a request (own_host.py)
  let isFiltered = false; // until the first chip the address sets the filters
  const keepFilters = () => {
    const chips = $$("#aqa-chat-chosen [data-kind]");
    if (!chips.length && !isFiltered) return;
    isFiltered = true;
    keepAddress((query) => {
      for (const kind of ["digest", "since", "until", "title", "papers"]) query.delete(kind);
      for (const { dataset: { kind, value } } of chips) {
        for (const each of value.split("\n")) {
          const more = kind.length + encodeURIComponent(each).length + 2;
          if (`${query}`.length + more <= LONGEST_QUERY) query.append(kind, each);
        }
      }
    });
  };
  addEventListener("popstate", () => {
    const id = new URLSearchParams(location.search).get("c") ?? "";
    if (id !== shown) open(id);
  });

  let shown = ""; // the id of the conversation that is shown
  // The conversations that the reader has left. What still arrives of them is not drawn: Gradio sends
  // on for a moment what an answer had written when it was cancelled.
  const left = new Set();
  let wanted = ""; // the conversation that was opened last, until it is drawn
  const open = (id, from) => {
    wanted = id;
    left.delete(id);
    send("aqa_open", { id }, from);
  };
  let told = 0; // the server time of the last update
  let following = ""; // the turn being written that was scrolled to the top
  const showTurns = (value) => {
    if (value.at && value.at <= told) return;
    told = value.at ?? told;
    const list = $(".aqa-chat-turns");
    const id = value.conversation;
    const known = new Set([following, ...[...list.children].map((child) => child.dataset.turn)]);
    if (patch(list, value.order, value.html) && id) send("aqa_open", { id, writing: writing() });
    $(".aqa-chat-notice").innerHTML = value.notice;
    $(".aqa-chat-announce").textContent = value.announced;
    fillBox(value);
    keepAddress((query) => {
      if (id) query.set("c", id); else query.delete("c");
      if (id !== shown) query.delete("q");
    }, shown && id !== shown);
    const last = list.lastElementChild;
    if (last && (id !== shown || !known.has(last.dataset.turn))) toTop(last);
    else if (value.notice && !Object.keys(value.html).length) { // the notice is the result of a button
      $(".aqa-chat-notice").scrollIntoView({ block: "nearest" });
    }
    if (shown && ![id, wanted].includes(shown)) left.add(shown);
    if (id === wanted) wanted = "";
    shown = id;
    setTimeout(() => send("aqa_list", {})); // the list shows it, too
  };

  const unfold = (mark, open) => {
    mark.setAttribute("aria-expanded", open);
    document.getElementById(mark.getAttribute("aria-controls")).hidden = !open;
  };

  // Source cards: show those of one turn; a citation leads to its sentence.

  let followed = null; // the link or button that opened the sources last
  const side = () => $("#aqa-chat-side");

  const showSources = (turn) => {
    const sections = $$(".aqa-chat-sections > section");
    const seen = sections.find((section) => section.dataset.turn === turn) || sections.at(-1);
    sections.forEach((section) => { section.hidden = section !== seen; });
    $("#aqa-chat-sources .aqa-chat-panel-head + .aqa-chat-none").hidden = Boolean(seen);
    const question = seen && seen !== sections.at(-1)
      && document.getElementById(`aqa-asked-${seen.dataset.turn}`)?.innerText;
    $("#aqa-chat-sources h2").textContent = question ? `Sources of “${question}”` : "Sources";
    const count = seen ? $$(".aqa-chat-card", seen).length : 0;
    const opener = $(".aqa-chat-show-sources");
    if (opener) opener.textContent = count ? `Sources (${count})` : "Sources";
  };
  const patchSources = ({ order, html, show }) => {
    const list = $(".aqa-chat-sections");
    const all = html[show] === undefined || order.includes(show) ? order : [...order, show];
    const sections = Object.entries(html).map(([id, cards]) => [
      id, `<section data-turn="${id}" aria-label="Papers">${cards}</section>`,
    ]);
    patch(list, all, Object.fromEntries(sections));
    const other = [...list.children].find((child) => !child.hidden)?.dataset.turn;
    showSources(show);
    if (other !== show) side().scrollTop = 0;
  };
  const openSide = (turn, from) => {
    if (turn) showSources(turn);
    followed = from;
    side().dataset.open = "true";
  };
  const openSources = (turn, from) => {
    openSide(turn, from);
    if (isNarrow()) $("#aqa-chat-sources .aqa-chat-panel-head .aqa-chat-back").focus();
    else side().scrollTop = 0;
  };
  const reveal = (link) => {
    const id = link.getAttribute("href").slice(1);
    const target = document.getElementById(id) || document.getElementById(id.replace(/-\d+$/, ""));
    if (!target) return;
    const card = target.closest(".aqa-chat-card");
    openSide(link.dataset.turn, link);
    card.querySelector("details").open = true;
    $$(".aqa-chat-target").forEach((old) => old.classList.remove("aqa-chat-target"));
    card.classList.add("aqa-chat-target");
    target.classList.add("aqa-chat-target");
    // Scroll to the card or, if it is too high, put the sentence in the middle.
    const height = target.getBoundingClientRect().bottom - card.getBoundingClientRect().top;
    if (height < side().clientHeight - 80) card.scrollIntoView({ block: "start" });
    else target.scrollIntoView({ block: "center" });
    card.focus({ preventScroll: true });
  };
  const backToAnswer = () => {
    delete side().dataset.open;
    if (!followed?.isConnected) { box()?.focus(); return; }
    followed.scrollIntoView({ block: "nearest" });
    followed.focus({ preventScroll: true });
  };

  // The list of conversations

  const sidebar = () => $("#aqa-chat-sidebar");
  const turnSidebar = () => {
    const open = sidebar().classList.contains("open");
    sidebar().querySelector(".toggle-button").click();
    if (!isNarrow()) localStorage.setItem("abstractqa-sidebar", open ? "closed" : "open");
    // After the change of its class, which makes it visible.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      $(open ? "#aqa-chat-tools [data-sidebar]"
        : "#aqa-chat-sidebar textarea, #aqa-chat-sidebar input")?.focus();
    }));
  };
  const closeSidebar = () => { if (sidebar()?.classList.contains("open")) turnSidebar(); };

  // Buttons

  const vote = (form, turn, reason) => {
    if (reason) send("aqa_change", { do: "vote", turn, vote: form.dataset.vote, reason });
  };
  // Gradio cannot cancel a question that is still on its way to the server. Opening another chat waits
  // until its turn has arrived; else the turn would replace the other chat on arrival.
  let asking; // a timer while a question is on its way
  let leaving; // the selector of the button pressed meanwhile
  const arrived = () => {
    clearTimeout(asking);
    asking = undefined;
    const pressed = leaving && $(leaving);
    leaving = undefined;
    if (pressed) setTimeout(() => pressed.click(), 100); // after the updates that came with the turn
  };
  const asked = () => {
    clearTimeout(asking);
    asking = setTimeout(arrived, 3000); // the question may have been refused
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#aqa-chat-new, #aqa-chat-list .aqa-chat-open");
    if (event.target.closest?.("#aqa-question .submit-button") && box().value.trim()) asked();
    if (!asking || !button) return;
    event.stopImmediatePropagation();
    const id = button.closest("li")?.dataset.id;
    leaving = id ? `#aqa-chat-list [data-id="${CSS.escape(id)}"] .aqa-chat-open` : "#aqa-chat-new";
  }, true);
  document.addEventListener("keydown", ({ target, key, shiftKey }) => {
    if (target === box() && key === "Enter" && !shiftKey && target.value.trim()) asked();
  }, true);

  const answer = (button, turn, told) => {
    asked();
    send("aqa_answer", { ...told, turn, question: button.textContent });
  };
  const change = (button, turn, told) => {
    button.closest(".aqa-chat-menu")?.removeAttribute("open");
    send("aqa_change", { ...told, turn, writing: writing() });
  };
  const arrange = (button, _, told) => {
    send("aqa_change", { ...told, id: button.closest("li")?.dataset.id }, button);
  };
  const acts = {
    ask: answer, retry: answer, restore: change, vote: change, share: change, unshare: change,
    undo: (button, turn, told) => {
      change(button, turn, told);
      box().focus(); // the question returns to it
    },
    reason: (button, turn) => vote(button.closest("form"), turn, button.textContent),
    export: (button, turn, { what, format }) => {
      button.closest("details").open = false;
      send("aqa_export", { what, format, turn });
    },
    sources: (button, turn) => openSources(turn, button),
    unfilter: (button, _, { kind, value }) => {
      send("aqa_unfilter", { kind, value }, button);
      box().focus();
    },
    open: (button) => {
      open(button.closest("li").dataset.id, button);
      if (isNarrow()) closeSidebar();
    },
    rename: (button, _, told) => {
      const open = button.parentElement.querySelector(".aqa-chat-open");
      const title = prompt("New name", open.textContent)?.trim();
      if (!title || title === open.textContent) return;
      arrange(button, _, { ...told, title });
      open.textContent = title;
    },
    delete: arrange, undelete: arrange,
  };

  // Open and close the filters, the settings, menus and notes of a check.

  const popups = () => $$(".aqa-chat-popup");
  const toggle = (popup, open) => {
    if (open) popup.dataset.open = "true"; else delete popup.dataset.open;
    $(`[data-panel="${popup.id}"]`)?.setAttribute("aria-expanded", open);
    popup.tabIndex = -1;
    if (open) popup.focus({ preventScroll: true }); // not its first field, which may open a list
  };

  document.addEventListener("click", (event) => {
    const at = event.target;
    if (!at.isConnected || !at.closest) return; // a chip that was just removed
    const panel = at.closest("[data-panel]")?.dataset.panel;
    for (const popup of popups()) {
      const open = Boolean(popup.dataset.open);
      if (panel === popup.id) toggle(popup, !open);
      else if (open && !popup.contains(at) && !at.closest("ul.options, #aqa-chat-chosen")) toggle(popup, false);
    }
    $$(".aqa-chat-menu[open]").forEach((menu) => { if (!menu.contains(at)) menu.open = false; });

    // The list of chats is only shown in the Chat tab.
    if (at.closest("[data-sidebar]")) turnSidebar();
    if (at.closest('[role="tab"]:not(#aqa-chat-tab-button)')) closeSidebar();
    if (at.closest("[data-new]")) $("#aqa-chat-new").click();
    if (at.closest("#aqa-chat-new")) {
      if (isNarrow()) closeSidebar();
      box().focus();
    }
    if (!at.closest("#aqa-chat-main, #aqa-chat-sidebar")) return;
    const link = at.closest('a[href^="#aqa-"]');
    const mark = at.closest(".aqa-chat-mark");
    const copied = at.closest("[data-copy]");
    const button = at.closest("[data-do]");
    if (link) {
      event.preventDefault();
      reveal(link);
    } else if (mark) unfold(mark, mark.getAttribute("aria-expanded") !== "true");
    else if (copied) aqaCopy(copied, copied.dataset.copy || copied.previousElementSibling.href);
    else if (at.closest(".aqa-chat-back")) backToAnswer();
    else if (at.closest(".aqa-chat-show-sources")) openSources("", at);
    else if (at.closest("#aqa-question .submit-button") && !box().value.trim()) box().focus();
    else if (button && event.detail < 2) { // ignore the second click of a double click
      acts[button.dataset.do](button, button.closest("[data-turn]")?.dataset.turn, button.dataset);
    }
  });

  document.addEventListener("submit", (event) => { // the only form says why a vote was given
    const form = event.target;
    const turn = form.closest("#aqa-chat-transcript [data-turn]")?.dataset.turn;
    if (!turn) return;
    event.preventDefault();
    vote(form, turn, form.querySelector("input").value.trim());
  });

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    // An open dropdown closes by itself.
    if (event.key !== "Escape" || at.matches?.('input[aria-expanded="true"]')) return;
    if (sidebar()?.contains(at)) closeSidebar();
    if (side()?.dataset.open && (isNarrow() || side().contains(at))) backToAnswer();
    for (const popup of popups().filter((each) => each.dataset.open)) {
      toggle(popup, false);
      $(`[data-panel="${popup.id}"]`).focus();
    }
    $$(".aqa-chat-menu[open]").forEach((menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    $$('.aqa-chat-mark[aria-expanded="true"]').forEach((mark) => unfold(mark, false));
  }, true);

  // Updates from the server

  const values = {
    "aqa-chat-transcript": showTurns,
    "aqa-chat-live": ({ html }) => { $("#aqa-chat-live .aqa-chat-now").innerHTML = html; },
    "aqa-chat-sources": patchSources,
    "aqa-chat-download": (file) => {
      if (file.problem) $(".aqa-chat-notice").textContent = file.problem;
      else aqaSave(file.name, file.type, file.text);
    },
  };
  document.addEventListener("aqa-value", ({ target, detail }) => {
    const from = target.closest('[id^="aqa-chat-"]')?.id;
    if (detail && !left.has(detail.conversation)) values[from]?.(detail);
    if (from === "aqa-chat-chosen") requestAnimationFrame(keepFilters);
  });

  // The chat fills the window below the page's heading, whatever its height.
  const fit = () => {
    const main = $("#aqa-chat-main");
    if (main?.offsetParent) main.style.setProperty("--aqa-chat-top", `${main.getBoundingClientRect().top + scrollY}px`);
  };
  addEventListener("resize", fit);

  let opened = false;
  new MutationObserver(() => {
    fit();
    const turn = $("#aqa-chat-live .aqa-chat-turn");
    if (turn && turn.dataset.turn !== following) {
      following = turn.dataset.turn;
      toTop(turn);
      arrived();
    }
    const handle = sidebar()?.querySelector(".toggle-button");
    const button = $("#aqa-chat-tools [data-sidebar]");
    if (!box() || !handle || !button) return;
    const open = String(sidebar().classList.contains("open"));
    if (button.getAttribute("aria-expanded") !== open) button.setAttribute("aria-expanded", open);
    $$('#aqa-chat-dates input[type="text"]').forEach((input) => { input.type = "date"; });
    if (opened) return;
    opened = true; // once; on narrow screens without focus, which would open a keyboard
    fillBox({ refill: new URLSearchParams(location.search).get("q") });
    if (isNarrow()) return;
    if (localStorage.getItem("abstractqa-sidebar") === "open") handle.click();
    box().focus();
  }).observe(document, { subtree: true, childList: true, attributeFilter: ["class"] });
})();
