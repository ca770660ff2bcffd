// What the page does itself when a visitor searches their conversations.
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
