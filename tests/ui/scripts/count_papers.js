async () => {
  const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
  return (await (await fetch("/api/papers", sent)).json()).total;
}
