// Scroll an opened quote into view, however long its abstract is.
document.addEventListener("toggle", ({ target, newState }) => {
  if (newState !== "open" || !target.matches?.(".aqa-compare-panel")) return;
  target.querySelector("mark")?.scrollIntoView({ block: "nearest" });
}, true);

// Save text from the server as a file on the visitor's machine.
const aqaSave = (name, type, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
