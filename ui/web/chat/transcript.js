// The finished turns and what can be done with them; everything a reader may press has `data-do`.
window.aqaChat = window.aqaChat || {};
(() => {
  const column = () => document.getElementById("aqa-chat-column");
  const scroller = () => document.getElementById("aqa-chat-scroll");
  let send = () => {}; // sends an event to the server

  const remember = (id) => {
    const address = new URL(location.href);
    if (id) address.searchParams.set("c", id); else address.searchParams.delete("c");
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  };

  const toTop = (turn) => {
    const box = scroller();
    box.scrollTop += turn.getBoundingClientRect().top - box.getBoundingClientRect().top;
  };

  const writing = () => document.querySelector("#aqa-chat-live .aqa-chat-turn")?.dataset.turn;

  // What stands in the question box is the reader's: only an empty one is filled.
  const fillBox = ({ refill, withdraw }) => {
    const box = document.querySelector("#aqa-question textarea");
    const there = box.value.trim();
    if (refill && !there) box.value = refill;
    else if (withdraw && there === withdraw.trim()) box.value = "";
    else return;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  aqaChat.transcript = (element, props, trigger, watch) => {
    send = trigger;
    const list = element.querySelector(".aqa-chat-turns");
    const notice = element.querySelector(".aqa-chat-notice");
    const said = element.querySelector(".aqa-chat-announce");
    let shown = "";
    const render = () => {
      const value = props.value;
      if (!value || !value.order) return;
      const missing = aqaChat.patchList(list, value.order, value.html, (_, html) => html);
      if (missing && value.conversation) trigger("aqa_open", { id: value.conversation, writing: writing() });
      notice.innerHTML = value.notice;
      said.textContent = value.said;
      fillBox(value);
      remember(value.conversation);
      if (value.conversation !== shown && list.lastElementChild) toTop(list.lastElementChild);
      shown = value.conversation;
    };
    watch("value", render);
    render();
  };

  // Where the turn being written begins, the reader begins: its question moves to the top, once.
  let following = "";
  new MutationObserver(() => {
    const turn = document.querySelector("#aqa-chat-live .aqa-chat-turn");
    if (turn && turn.dataset.turn !== following) {
      following = turn.dataset.turn;
      toTop(turn);
    }
  }).observe(document, { subtree: true, childList: true });

  const edit = (turn, open) => {
    const form = turn.querySelector(".aqa-chat-edit");
    form.hidden = !open;
    if (!open) { turn.querySelector('[data-do="edit"]').focus(); return; }
    const area = form.querySelector("textarea");
    area.value = area.defaultValue;
    area.focus();
    area.select();
  };

  const act = (button) => {
    const turn = button.closest("[data-turn]");
    const { do: does, kind, value, vote, what, format } = button.dataset;
    const id = turn?.dataset.turn;
    if (does === "edit" || does === "leave") edit(turn, does === "edit");
    else if (does === "ask") send("aqa_answer", { do: does, question: button.textContent });
    else if (does === "retry" || does === "without") send("aqa_answer", { do: does, turn: id, kind, value });
    else if (does === "undo" || does === "restore") send("aqa_change", { do: does, turn: id, writing: writing() });
    else if (does === "vote") send("aqa_change", { do: does, turn: id, vote });
    else if (does === "reason") {
      const given = button.closest("form").dataset.vote;
      send("aqa_change", { do: "vote", turn: id, vote: given, reason: button.textContent });
    } else if (does === "export") {
      button.closest("details").open = false;
      send("aqa_export", { what, format, turn: id, number: Date.now() });
    } else if (does === "sources") aqaChat.openSources(id, button);
  };

  document.addEventListener("click", (event) => {
    const at = event.target;
    if (!at.closest?.("#aqa-chat-main")) return;
    const link = at.closest('a[href^="#aqa-"]');
    const mark = at.closest(".aqa-chat-mark");
    const copied = at.closest("[data-copy]");
    const button = at.closest("#aqa-chat-column [data-do]");
    const box = document.querySelector("#aqa-question textarea");
    if (link) {
      event.preventDefault();
      aqaChat.reveal(link);
    } else if (mark) aqaChat.unfold(mark, mark.getAttribute("aria-expanded") !== "true");
    else if (copied) aqaChat.copy(copied);
    else if (at.closest("#aqa-question .submit-button") && !box.value.trim()) box.focus();
    else if (button && !button.closest("#aqa-chat-chosen") && event.detail < 2) act(button); // not twice
  });

  aqaChat.unfold = (mark, open) => {
    mark.setAttribute("aria-expanded", open);
    document.getElementById(mark.getAttribute("aria-controls")).hidden = !open;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const turn = form.closest("#aqa-chat-transcript [data-turn]");
    if (!turn) return;
    event.preventDefault();
    if (form.matches(".aqa-chat-edit")) {
      const question = form.querySelector("textarea").value;
      if (!question.trim()) return;
      form.hidden = true;
      send("aqa_answer", { do: "edit", turn: turn.dataset.turn, question });
    } else if (form.matches(".aqa-chat-reason")) {
      const reason = form.querySelector("input").value.trim();
      if (reason) send("aqa_change", { do: "vote", turn: turn.dataset.turn, vote: form.dataset.vote, reason });
    }
  });

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.(".aqa-chat-edit");
    if (form && event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
      event.preventDefault();
      form.requestSubmit();
    } else if (form && event.key === "Escape") edit(form.closest("[data-turn]"), false);
  });
})();
