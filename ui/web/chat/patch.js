// Keeps a list of elements in step with what the server says, touching only what has changed, so
// that focus, open details and the reader's place survive.
window.aqaChat = window.aqaChat || {};
(() => {
  const readers = new Set(["open", "hidden", "aria-expanded"]); // what a reader opened stays open
  const drawn = new WeakMap(); // element → the HTML it was made from

  const copyAttributes = (old, now) => {
    for (const { name } of [...old.attributes]) {
      if (!now.hasAttribute(name) && !readers.has(name)) old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) {
      if (!readers.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  };

  const morph = (old, now) => {
    if (old.nodeName !== now.nodeName || (old.id || now.id) !== (now.id || old.id)) {
      old.replaceWith(now);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== now.data) old.data = now.data;
      return;
    }
    copyAttributes(old, now);
    const before = [...old.childNodes];
    const after = [...now.childNodes];
    after.forEach((child, at) => (before[at] ? morph(before[at], child) : old.append(child)));
    before.slice(after.length).forEach((child) => child.remove());
  };

  const parsed = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.firstElementChild;
  };

  // `order` names the children that `list` is to have; `make(id, html)` is the HTML of a new one.
  // Returns whether one of them is known neither here nor to `html`.
  aqaChat.patchList = (list, order, html, make) => {
    const there = new Map([...list.children].map((child) => [child.dataset.turn, child]));
    for (const [id, child] of there) if (!order.includes(id)) child.remove();
    let missing = false;
    let before = null;
    for (const id of order) {
      let child = there.get(id);
      const text = html[id] === undefined ? undefined : make(id, html[id]);
      if (!child && text === undefined) { missing = true; continue; }
      if (!child) child = parsed(text);
      else if (text !== undefined && drawn.get(child) !== text) {
        const now = parsed(text);
        if (child.nodeName === now.nodeName) morph(child, now);
      }
      if (text !== undefined) drawn.set(child, text);
      const next = before ? before.nextElementSibling : list.firstElementChild;
      if (child !== next) list.insertBefore(child, next);
      before = child;
    }
    return missing;
  };

  aqaChat.copy = async (button) => {
    const text = button.dataset.copy;
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else { // pages served over plain http to another machine have no clipboard object
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const name = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = name; }, 1500);
  };

  aqaChat.download = (element, props, trigger, watch) => {
    watch("value", () => {
      const file = props.value;
      if (!file) return;
      if (file.problem) {
        document.querySelector(".aqa-chat-notice").textContent = file.problem;
        return;
      }
      aqaSave(file.name, file.type, file.text);
    });
  };
})();
