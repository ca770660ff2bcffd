async (sent) => (await fetch("/login", { method: "POST", body: new URLSearchParams(sent) })).ok
