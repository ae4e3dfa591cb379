// SPDX-License-Identifier: MIT
// What the published TypeScript client does, with the fetch of Node:
// node fetch.mjs CASE BASE SANDBOX GUARDED_BASE KEY (test_fetch.py).
import assert from "node:assert/strict";

const [name, base, box, guarded, key] = process.argv.slice(2);
const at = `/sandboxes/${box}`;
const spawn = { image: "alpine:latest", provider: "" };

async function call(method, path, body, status = 200, root = base, headers = {}) {
	const r = await fetch(root + path, {
		method,
		headers: body === undefined ? headers :
			{ "Content-Type": "application/json", ...headers },
		body: body === undefined ? undefined : JSON.stringify(body),
	});
	const text = await r.text();
	assert.equal(r.status, status, `${method} ${path}: ${text}`);
	assert.ok(r.statusText && r.headers.get("x-request-id"));
	if (r.headers.get("content-type") === "application/octet-stream")
		return text;
	const value = JSON.parse(text);
	if (!r.ok) {
		assert.ok(value.code && value.message);
		assert.equal(value.request_id, r.headers.get("x-request-id"));
	}
	return value;
}

const run = (command, fields = {}) =>
	call("POST", at + "/exec", { command, ...fields });

const gone = async (pid) => {
	while ((await run(`test -d /proc/${pid}`)).exit_code === 0)
		; // the caller has a deadline
};

async function begin(command, fields = {}) {
	const { signal, ...rest } = fields;
	const r = await fetch(base + at + "/exec", {
		method: "POST", signal,
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ command, stream: true, ...rest }),
	});
	assert.equal(r.status, 200);
	return r.body.getReader();
}

// As the client does it: lines across reads, blank ones dropped.
async function* lines(reader, blank = () => {}) {
	const decoder = new TextDecoder();
	let rest = "";
	for (;;) {
		const { done, value } = await reader.read();
		if (done)
			break;
		rest += decoder.decode(value, { stream: true });
		const parts = rest.split("\n");
		rest = parts.pop();
		for (const p of parts) {
			if (p.trim())
				yield JSON.parse(p);
			else
				blank();
		}
	}
	assert.equal(rest, "");
}

async function first(reader) {
	for await (const chunk of lines(reader))
		return chunk; // the reader is neither cancelled nor released
}

async function case_quick_start() {
	const b = await call("POST", "/sandboxes", spawn, 201);
	const here = `/sandboxes/${b.id}`;
	assert.equal(b.state, "running");
	assert.deepEqual(b.metadata, {});
	const content = "print('hello', 6 * 7)\n";
	assert.deepEqual(await call("POST", here + "/files",
		{ path: "/app/main.py", content }), { status: "written" });
	const r = await call("POST", here + "/exec",
		{ command: "python3 /app/main.py" });
	assert.equal(r.exit_code, 0);
	assert.equal(r.stdout, "hello 42\n");
	assert.equal(await call("GET", here + "/files?path=" +
		encodeURIComponent("/app/main.py")), content);
	for (let i = 0; i < 2; i++)
		assert.deepEqual(await call("DELETE", here),
			{ status: "destroyed" });
	assert.equal((await call("GET", here, undefined, 404)).code,
		"NOT_FOUND");
}

async function case_empty_bodies() {
	await call("POST", "/templates", { name: "node", image: "host" }, 201);
	const b = await call("POST", "/templates/node/spawn", undefined, 201);
	assert.equal(b.metadata.template, "node");
	await call("POST", "/providers/test");
	await call("DELETE", "/templates/node");
	await call("DELETE", `/sandboxes/${b.id}`);
	await call("DELETE", "/sandboxes");
}

async function case_lists() {
	for (const path of ["/sandboxes", "/templates", "/providers",
		"/snapshots", "/quotas", at + "/sessions", at + "/logs",
		at + "/files/list?path=/app", at + "/files/glob?pattern=/no/*"])
		assert.ok(Array.isArray(await call("GET", path)), path);
	assert.equal((await call("GET", "/pool/status")).enabled, false);
	assert.equal((await call("GET", "/health")).status, "ok");
}

async function case_files() {
	for (const n of ["a+b c", "50%", "100%2F", "q?x=1&y=2#z", "st*r",
		"ä€𝄞"]) {
		const path = `/workspace/node/${n}`;
		await call("POST", at + "/files", { path, content: n });
		for (const q of [new URLSearchParams({ path }).toString(),
			"path=" + encodeURIComponent(path)])
			assert.equal(await call("GET", at + "/files?" + q), n);
	}
	for (const q of [new URLSearchParams(
		{ pattern: "/workspace/node/s*" }), "pattern=" +
		encodeURIComponent("/workspace/node/s*")])
		assert.deepEqual(await call("GET", `${at}/files/glob?${q}`),
			["/workspace/node/st*r"]);
	const d = "path=%2Fworkspace%2Fnode";
	await call("DELETE", `${at}/files?${d}`, undefined, 409);
	await call("DELETE", `${at}/files?${d}&recursive=true`);
}

async function case_early_answer() {
	const body = { path: "/app/x", content: "x".repeat(8 << 20) };
	for (let i = 0; i < 3; i++) {
		let e = await call("POST", "/sandboxes/sb-00000000/files", body,
			401, guarded);
		assert.equal(e.code, "UNAUTHORIZED");
		e = await call("POST", "/sandboxes", body, 413, guarded,
			{ "X-API-Key": key });
		assert.equal(e.code, "TOO_LARGE");
	}
	await call("GET", "/health", undefined, 200, guarded,
		{ "X-API-Key": key });
}

async function case_stream() {
	const odd = String.raw`printf 'a\342'; sleep 0.2; printf '\202\254b\n';` +
		String.raw`printf 'x\342\200\250y\302\205z'; exit 3`;
	let text = "";
	for await (const c of lines(await begin(odd))) {
		assert.deepEqual(Object.keys(c).sort(), ["data", "stream"]);
		text += c.data;
	}
	assert.equal(text, "a€b\nx\u2028y\u0085z");
}

async function case_parked_streams() {
	const stop = new AbortController();
	const pids = [], open = []; // what nobody holds is collected, and cancelled
	for (let i = 0; i < 10; i++) {
		const reader = await begin("echo $$; exec yes",
			{ signal: stop.signal });
		open.push(reader);
		pids.push(parseInt((await first(reader)).data, 10));
	}
	// They stay open and unread; others are not disturbed.
	for (let i = 0; i < 10; i++)
		assert.equal((await run(`echo ${i}`)).stdout, `${i}\n`);
	for (const pid of pids)
		assert.equal((await run(`test -d /proc/${pid}`)).exit_code, 0);
	assert.equal(open.length, pids.length);
	stop.abort();
	for (const pid of pids)
		await gone(pid);
}

async function case_cancelled_stream() {
	const reader = await begin("echo $$; exec yes");
	const pid = parseInt((await first(reader)).data, 10);
	await reader.cancel();
	await gone(pid);
}

async function case_broken_stream() {
	const b = await call("POST", "/sandboxes", spawn, 201);
	const r = await fetch(`${base}/sandboxes/${b.id}/exec`, {
		method: "POST", body: JSON.stringify(
			{ command: "echo x; sleep 1000", stream: true }),
	});
	const reader = r.body.getReader();
	await reader.read();
	await call("DELETE", `/sandboxes/${b.id}`);
	await assert.rejects(async () => {
		while (!(await reader.read()).done)
			;
	}, TypeError);
}

async function case_silence() {
	let blanks = 0;
	const slow = async () => {
		let text = "";
		for await (const c of lines(await begin("sleep 6; echo done"),
			() => blanks++))
			text += c.data;
		return text;
	};
	const [text, r] = await Promise.all([slow(), run("sleep 6; echo done")]);
	assert.equal(text, "done\n");
	assert.equal(r.stdout, "done\n");
	assert.ok(blanks > 0);
	await call("GET", "/health"); // its pool has idled meanwhile
}

async function case_many_at_once() {
	const said = await Promise.all([...Array(20).keys()].map(
		async (i) => (await run(`echo ${i}`)).stdout));
	assert.deepEqual(said, [...Array(20).keys()].map((i) => `${i}\n`));
}

// The stream of events, as EventSource and its imitations read it.
async function case_events() {
	const stop = new AbortController();
	const r = await fetch(base + "/events?type=file.written",
		{ signal: stop.signal, headers: { Accept: "text/event-stream" } });
	assert.equal(r.status, 200);
	assert.match(r.headers.get("content-type"), /^text\/event-stream/);
	const path = "/tmp/event";
	await call("POST", at + "/files", { path, content: "x" });
	const decoder = new TextDecoder();
	let text = "";
	for await (const part of r.body) {
		text += decoder.decode(part, { stream: true });
		const data = text.match(/^data: (.*)\n\n/m);
		if (!data)
			continue;
		const e = JSON.parse(data[1]);
		assert.equal(e.type, "file.written");
		assert.equal(e.sandbox_id, box);
		assert.match(text, new RegExp(`^id: ${e.id}\n`, "m"));
		assert.doesNotMatch(text, /^event:/m);
		break;
	}
	stop.abort();
}

const cases = {
	quick_start: case_quick_start, empty_bodies: case_empty_bodies,
	lists: case_lists, files: case_files, early_answer: case_early_answer,
	stream: case_stream, parked_streams: case_parked_streams,
	cancelled_stream: case_cancelled_stream,
	broken_stream: case_broken_stream, silence: case_silence,
	many_at_once: case_many_at_once, events: case_events,
};

await cases[name]();
console.log(`ok ${name}`);
process.exit(0);
