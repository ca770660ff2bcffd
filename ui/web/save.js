// A quote that is opened in its abstract is in sight, however long that is.
document.addEventListener("toggle", ({ target, newState }) => {
  if (newState !== "open" || !target.matches?.(".aqa-compare-panel")) return;
  target.querySelector("mark")?.scrollIntoView({ block: "nearest" });
}, true);

// Text that the server made becomes a file of the visitor's.
const aqaSave = (name, type, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
