// Ask every address, with the rights of a page and without.
async ({ target, routes }) => {
    const read = [];
    for (const [method, path] of routes) {
        for (const mode of ["cors", "no-cors"]) {
            const body = method === "POST" ? '{"question": "What is OSWorld?"}' : undefined;
            try {
                const sent = { method, mode, body, credentials: "include" };
                const reply = await fetch(target + path, sent);
                if (reply.type !== "opaque") read.push(path);
            } catch { /* refused */ }
        }
    }
    return read;
}
