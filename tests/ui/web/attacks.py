"""What a page of another origin tries: scripts that run in it, and the addresses they ask."""

LIST_CONVERSATIONS = """
async ({ target, headers }) => {
    const send = async (path, sent) => {
        const reply = await fetch(target + path, {
            credentials: "include",
            signal: AbortSignal.timeout(15_000),
            headers: { "Content-Type": "application/json", ...headers },
            ...(sent && { method: "POST", body: JSON.stringify(sent) }),
        });
        return reply.text();
    };
    try {
        const { components, dependencies } = JSON.parse(await send("/config"));
        const list = components.find((each) => each.props.elem_id === "aqa-chat-list").id;
        const search = dependencies.find((each) => each.outputs.join() === String(list));
        const call = { data: ["", ""], fn_index: search.id, session_hash: "foreign" };
        await send("/gradio_api/queue/join", call);
        return await send("/gradio_api/queue/data?session_hash=foreign");
    } catch (problem) {
        return `refused: ${problem}`;
    }
}
"""
"""What the page does itself when a visitor searches their conversations."""
ASKED_FOR = ("/config", "/gradio_api/queue/join", "/gradio_api/queue/data?session_hash=foreign")
ROUTES = (
    ("GET", "/config"),
    ("GET", "/logout"),
    ("GET", "/api/openapi.json"),
    ("POST", "/api/ask"),
    ("POST", "/api/papers"),
    ("POST", "/mcp"),
    ("POST", "/login"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/upload"),
)
TRY_ALL = """
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
"""
