"use strict";
// Whatever the agent sends is put in as text: a bridge may have any name.
const STALE = 5000; // ms without an answer, after which the page is out of date
const BEAT = 2000;
const HISTORY_EVERY = 30000;
const BY_SEVERITY = ["failed", "slow", "unknown", "ok", "skipped"];
const SIGNS = { ready: "✔", degraded: "▲", starting: "…", "not-ready": "✖", ok: "✔", slow: "▲", unknown: "?", failed: "✖", skipped: "–" };
const BACKOFFS = ["controller-no-openflow", "no-database"];
const COUNTED = /\.(ports|devices|tunnels|bfd|storage|compaction|cluster|clients)$/;
const DAEMONS = {
  ovsdb: "ovsdb-server", vswitchd: "ovs-vswitchd", openflow: "ovs-vswitchd", controller: "ovn-controller",
  southbound: "southbound", nb: "ovnnb_db", sb: "ovnsb_db", northd: "ovn-northd",
};

let status = null, history = null, skew = 0, heardAt = -Infinity, lastAt = null;
let stream = null, poll = null, triedAt = 0, historyAt = -Infinity, asking = false, due = null, again = null;
const sections = {};

const place = id => document.getElementById(id);
const now = () => Date.now() / 1000 + skew;

// ---- text

function span(seconds) {
  if (seconds < 1) return (seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0) + " ms";
  if (seconds < 60) return seconds.toFixed(seconds < 10 ? 1 : 0) + " s";
  const whole = Math.floor(seconds);
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => whole >= size);
  return parts.slice(first, first + 2).map(([size, unit], at) =>
    Math.floor((at ? whole % parts[first][0] : whole) / size) + " " + unit).join(" ");
}

function clock(at) {
  const date = new Date(at * 1000), time = date.toTimeString().slice(0, 8);
  return now() - at < 64800 ? time : date.toLocaleDateString("sv") + " " + time;
}

const element = (name, text, attributes) => {
  const made = document.createElement(name);
  if (text !== undefined) made.append(...typed(text));
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  return made;
};

// What is between backticks is code.
const typed = text => text.split("`").map((part, at) => at % 2 ? element("code", part) : part);

function row(cells) {
  const line = document.createElement("tr");
  for (const [text, style, status] of cells) {
    const cell = line.insertCell();
    if (text instanceof Node) cell.append(text); else cell.append(...typed(String(text)));
    if (style) cell.className = style;
    if (status) cell.dataset.status = cell.dataset.state = status;
  }
  return line;
}

const shown = {};
function draw(id, from, make) {
  const key = JSON.stringify(from);
  if (shown[id] === key) return;
  shown[id] = key;
  place(id).replaceChildren(...make());
}

function write(id, text) {
  if (place(id).textContent !== text) place(id).textContent = text;
}

function drawing(name, attributes, children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...(children || []));
  return made;
}

// ---- parts

function verdict() {
  const { state, diagnosis } = status;
  document.documentElement.dataset.state = state;
  const [first, ...rest] = diagnosis.summary.split(/(?<=[.:]) /);
  draw("title", [state, diagnosis.code, first], () => [
    `${SIGNS[state]} ${state.replace("-", " ").toUpperCase()}: ${first.replace(/[.:]$/, "")} `, element("code", `(${diagnosis.code})`)]);
  draw("more", rest, () => typed(rest.join(" ")));
  draw("evidence", diagnosis.evidence, () => together(diagnosis.evidence).map(each => element("li", each)));
  draw("remedy", diagnosis.remedy, () => typed(diagnosis.remedy));
  write("command", diagnosis.command);
  place("typed").hidden = !diagnosis.command;
  write("also", diagnosis.also.length ? `Also: ${diagnosis.also.join(", ")}.` : "");
  const runbook = place("runbook"), known = state !== "ready" && diagnosis.code !== "starting";
  runbook.hidden = !known;
  runbook.href = "runbook/" + diagnosis.code;
  write("runbook", "Runbook: " + diagnosis.code);
  const traffic = known && sections[diagnosis.code] || "";
  draw("traffic", traffic, () => typed(traffic));
  if (known && !(diagnosis.code in sections)) readTraffic(diagnosis.code);
}

// Checks that found the same are one line.
function together(evidence) {
  const found = new Map();
  for (const [name, ...detail] of evidence.map(each => each.split(": ")))
    found.set(detail.join(": "), [...found.get(detail.join(": ")) || [], name]);
  return [...found].map(([detail, names]) => `${names.join(", ")}: ${detail}`);
}

// The runbook says in one line what traffic does under each code.
async function readTraffic(code) {
  sections[code] = "";
  try {
    const found = (await (await ask("runbook/" + code)).text()).match(/^\*\*Traffic\*\*: (.*(?:\n.+)*)/m);
    sections[code] = found ? "Traffic: " + found[1].replaceAll("\n", " ") : "";
    verdict();
  } catch { delete sections[code]; }
}

function componentsOf() {
  const found = new Map();
  for (const check of status.checks) {
    const component = check.name.split(".")[0];
    if (component === "self" || check.reason === "not-used") continue;
    const before = found.get(component);
    if (!before || BY_SEVERITY.indexOf(check.status) < BY_SEVERITY.indexOf(before.status)) found.set(component, check);
  }
  return found;
}

function chain() {
  const found = componentsOf(), { code, check: shows } = status.diagnosis;
  const names = ["host", "ovsdb", "vswitchd", "openflow", "controller", "southbound", "nb", "sb", "northd"];
  const root = names.find(name => code.startsWith(name + "-")) || shows.split(".")[0];
  const boxes = names.filter(name => found.has(name)).map(name => {
    const check = found.get(name), process = name === "openflow" ? null : status.processes[DAEMONS[name]];
    const took = status.checks.filter(each => each.name.startsWith(name + ".") && each.rtt_seconds !== null).map(each => each.rtt_seconds);
    const silent = check.values.silent_seconds;
    const text = check.status === "ok" ? (took.length ? span(Math.max(...took)) : name === "host" ? "fit" : "ok")
      : check.status === "skipped" ? "not asked" : silent ? `silent ${span(silent)}` : check.reason || check.status;
    return {
      root: name === root, central: ["nb", "sb", "northd"].includes(name), status: check.status, text, pid: process ? `process ${process.pid}${process.since ? ", since " + clock(process.since) : ""}` : "",
      title: name === "openflow" ? status.bridges.map(each => each + ".mgmt").join(", ") : DAEMONS[name] || name,
      note: check.status === "skipped" ? check.detail : "", track: history && history.components[name],
    };
  });
  draw("chain", boxes, () => boxes.map(box => {
    const item = element("li", undefined, { "data-status": box.status, class: `${box.root ? "root" : ""} ${box.central ? "central" : ""}` });
    item.append(element("b", box.title), element("span", `${SIGNS[box.status]} ${box.text}`, { class: "tone" }));
    if (box.track && box.track.took_seconds.some(each => each !== null)) item.append(sparkline(box.track));
    for (const line of [box.pid, box.note]) if (line) item.append(element("small", line), " ");
    return item;
  }));
}

// Round trips on a logarithmic scale, from 0.1 ms to twice the deadline, which is the dashed line.
function sparkline(track) {
  const most = status.deadlines.timeout * 2, height = took => 28 * (1 - Math.log(Math.max(took, 1e-4) / 1e-4) / Math.log(most / 1e-4));
  let line = "", failed = "", drawn = false;
  track.took_seconds.forEach((took, at) => {
    if (took !== null) line += `${drawn ? "L" : "M"}${at} ${height(Math.min(took, most)).toFixed(1)}`;
    drawn = took !== null;
    if (history.statuses[track.worst[at]] === "failed") failed += `M${at} 29h1`;
  });
  const limit = height(status.deadlines.timeout).toFixed(1), longest = Math.max(...track.took_seconds);
  return drawing("svg", { viewBox: "0 0 360 30", preserveAspectRatio: "none", role: "img", "aria-label": `Last hour: the longest answer took ${span(longest)}; the deadline is ${span(status.deadlines.timeout)}` }, [
    drawing("path", { class: "deadline", d: `M0 ${limit}H360` }), drawing("path", { d: line + (drawn ? "h1" : "") }), drawing("path", { class: "failed", d: failed })]);
}

function hour() {
  if (!history) return;
  const { worst } = history.node, counts = {};
  draw("band", [history.since, worst, status.state], () => {
    const rects = [];
    for (let at = 0, end; at < worst.length; at = end) {
      for (end = at + 1; end < worst.length && worst[end] === worst[at]; end++);
      if (worst[at] === null) continue;
      const state = history.states[worst[at]];
      counts[state] = (counts[state] || 0) + (end - at) * history.step_seconds;
      rects.push(drawing("rect", { x: at, width: end - at, height: 10, "data-state": state }));
    }
    const said = Object.entries(counts).map(([state, seconds]) => `${state} for ${span(seconds)}`).join(", ");
    place("band").setAttribute("aria-label", "Last hour: " + (said || "nothing is known yet"));
    return rects;
  });
  const length = worst.length * history.step_seconds;
  draw("scale", Math.floor(history.since / 60), () =>
    [0, 1, 2, 3].map(part => element("span", clock(history.since + part * length / 4).slice(-8, -3))).concat(element("span", "now")));
}

function happened() {
  const events = (history || status).events, turns = events.filter(each => each.kind !== "check").reverse();
  draw("happened", turns.slice(0, 12), () => turns.length ? turns.slice(0, 12).map(each => each.kind === "start"
    ? row([[clock(each.at), "time"], ["start"], [`${each.daemon} started`]])
    : row([[clock(each.at), "time"], [`${SIGNS[each.state]} ${each.state.replace("-", " ")}`, "tone", each.state],
      [`${each.code}: ${each.summary}${each.lasted_seconds === null ? "" : ` For ${span(each.lasted_seconds)}.`}`]]))
    : [row([["Nothing yet."]])]);
  const changes = events.filter(each => each.kind === "check").reverse();
  place("changes-fold").hidden = !changes.length;
  write("changes-title", `${changes.length} changes of the checks`);
  if (place("changes-fold").open) draw("changes", changes, () => changes.map(each =>
    row([[clock(each.at), "time"], [each.name, "mono"], [`${SIGNS[each.status]} ${each.status}`, "tone", each.status], [each.detail]])));
}

function start() {
  const stages = status.timeline, seen = stages.filter(each => each.took_seconds !== null);
  const began = seen.length ? seen[0].at - seen[0].took_seconds : 0, total = Math.max(...seen.map(each => each.took_seconds), 0.001);
  write("start-title", seen.length ? `Last start, ${clock(began)}: ${span(total)}` : "Last start");
  place("start-table").hidden = !seen.length;
  const waits = seen.length && history ? backoffs(began, began + total) : [];
  draw("start", [stages, waits], () => seen.map((each, at) => {
    const from = at ? seen[at - 1].took_seconds : 0, x = seconds => 100 * Math.min(Math.max(seconds, 0), total) / total;
    const rects = [drawing("rect", { "data-state": "ready", x: x(from), width: Math.max(x(each.took_seconds) - x(from), 0.7), height: 10 })];
    for (const [waited, until] of waits.map(([a, b]) => [Math.max(a - began, from), Math.min(b - began, each.took_seconds)]))
      if (until > waited) rects.push(drawing("rect", { "data-state": "starting", x: x(waited), width: x(until) - x(waited), height: 10 }));
    return row([[each.stage, "mono"], [drawing("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, rects), "bar"], [span(each.took_seconds), "number"]]);
  }));
  const waited = waits.reduce((sum, [a, b]) => sum + Math.min(b, began + total) - Math.max(a, began), 0);
  write("start-note", !seen.length ? "It was over before the agent began." : waited > 0.05 ? `${span(waited)} of it in a reconnect backoff (amber).` : "");
}

// From when a check said that a daemon was in its backoff until it said something else.
function backoffs(from, until) {
  const found = [], open = {};
  for (const each of history.events.filter(each => each.kind === "check" && each.at <= until)) {
    if (each.name in open) { if (each.at > from) found.push([open[each.name], each.at]); delete open[each.name]; }
    if (BACKOFFS.includes(each.reason)) open[each.name] = each.at;
  }
  return found;
}

function knobs() {
  const { findings } = status, rows = new Map(Object.entries(status.knobs).map(([key, value]) => [key, [[key, "mono"], [value], [""]]]));
  for (const each of findings) rows.set(each.knob, [[each.knob, "mono"], [each.value], [`${each.kind}: ${each.does}${each.instead && ` Instead: ${each.instead}.`}`, "tone wide", "degraded"]]);
  write("knobs-title", `Knobs: ${findings.length === 1 ? "1 finding" : findings.length + " findings"}`);
  draw("knobs", [...rows], () => rows.size ? [...rows.values()].map(row) : [row([["None is set: all defaults.", "dim"]])]);
}

const size = (bytes, at = 0) => bytes < 1000 || at > 2 ? `${Math.round(bytes)} ${["B", "kB", "MB", "GB"][at]}` : size(bytes / 1000, at + 1);

// Ports, tunnels and databases: what was counted, and the sentence of a check that is not ok.
function things() {
  const rows = status.checks.filter(each => COUNTED.test(each.name) && Object.keys(each.values).length).map(({ name, status, values, detail }) => [
    [name, "mono time"], [Object.entries(values).map(([key, value]) => `${key.replace(/_(?!.*\.)/g, " ")} ${/^(free|size|compacted)$/.test(key) ? size(value) : value}`).join(", ")],
    [status === "ok" ? "" : detail, "tone wide", status]]);
  place("things").closest("section").hidden = !rows.length;
  draw("things", rows, () => rows.map(row));
}

function checks() {
  const order = [...status.checks].sort((a, b) => BY_SEVERITY.indexOf(a.status) - BY_SEVERITY.indexOf(b.status));
  const count = BY_SEVERITY.map(each => [order.filter(check => check.status === each).length, each]).filter(([number]) => number);
  write("checks-title", `All ${order.length} checks: ${count.map(([number, each]) => `${number} ${each}`).join(", ")}`);
  if (!place("checks-fold").open) return;
  draw("checks", order.map(each => [each.name, each.status, each.detail, each.rtt_seconds, each.since]), () => order.map(each => row([
    [each.name, "mono"], [`${SIGNS[each.status]} ${each.status}`, "tone", each.status], [each.detail],
    [each.rtt_seconds === null ? "" : span(each.rtt_seconds), "time"], [clock(each.since), "time"]])));
}

function render() {
  due = null;
  if (!status) return;
  write("node", status.node);
  const { ovs, ovn } = status.versions;
  write("versions", [ovs && `OVS ${ovs}`, ovn && `OVN ${ovn}`, `ovsnet ${status.agent.version}`].filter(Boolean).join("  "));
  for (const part of [verdict, chain, hour, happened, start, things, knobs, checks, tick]) part();
}

const soon = () => { due = due || setTimeout(render, 30); };

// ---- each second

let drawnIcon = "";
function icon(state) {
  const mark = { ready: "M4 8l3 3 5-6", degraded: "M8 4v5M8 11v1", starting: "M4 8h1M8 8h1M12 8h1", "not-ready": "M5 5l6 6M11 5l-6 6", stale: "M5 8h6" }[state];
  if (!mark || drawnIcon === state) return;
  drawnIcon = state;
  const colour = { ready: "116329", degraded: "7d4e00", starting: "7d4e00", "not-ready": "b31d28", stale: "6e7781" }[state];
  place("icon").href = "data:image/svg+xml," + encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#${colour}"/><path d="${mark}" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>`);
}

function tick() {
  const age = performance.now() - heardAt, stale = age > STALE && !document.hidden;
  document.documentElement.classList.toggle("stale", stale);
  if (!status) {
    if (performance.now() > STALE) write("gone", "the agent does not answer");
    return reach();
  }
  const { state, diagnosis } = status;
  icon(stale ? "stale" : state);
  const name = `${state.replace("-", " ")}: ${diagnosis.code} – ${status.node}`;
  document.title = stale ? `no answer since ${clock(lastAt)} – ${status.node}` : `${SIGNS[state]} ${name}`;
  write("gone", stale ? `no answer from the agent since ${clock(lastAt)}: the page shows the state at that time` : "");
  write("live", stale ? "" : `● live, ${(age / 1000).toFixed(1)} s ago · ovsnet up ${span(Math.max(now() - status.agent.since, 0))}`);
  const at = stale ? lastAt : now();
  write("lasting", `For ${span(Math.max(at - diagnosis.since, 0))},`);
  write("since", `since ${clock(diagnosis.since)}.`);
  const left = status.dead_since === null ? null : status.deadlines.dead_after - (at - status.dead_since);
  write("left", left === null ? "" : left > 0 ? `/ovs/livez fails in ${Math.ceil(left)} s.` : "/ovs/livez is failing: a kubelet that probes it restarts the container.");
  reach();
}

// ---- what the agent says

function heard(clockOfAgent) {
  heardAt = performance.now();
  lastAt = clockOfAgent || now();
  if (clockOfAgent) skew = clockOfAgent - Date.now() / 1000;
}

const ask = path => fetch(path, { cache: "no-store", signal: AbortSignal.timeout(STALE) })
  .then(answer => { if (!answer.ok) throw new Error(answer.status); return answer; });

function took(found) {
  const another = !status || status.diagnosis.code !== found.diagnosis.code || status.agent.since !== found.agent.since;
  status = found;
  heard(found.now);
  if (another || performance.now() - historyAt > HISTORY_EVERY) remember();
  soon();
}

async function refresh() {
  if (asking) return;
  asking = true;
  try { took(await (await ask("status")).json()); } catch { /* the age of the last answer shows it */ } finally { asking = false; }
}

async function remember() {
  historyAt = performance.now();
  try { history = await (await ask("history")).json(); soon(); } catch { historyAt = -Infinity; }
}

function change(what, found) {
  if (!status) return;
  heard();
  if (what === "beat") {
    heard(found.now);
    for (const check of status.checks) if (check.name in found.rtt_seconds) check.rtt_seconds = found.rtt_seconds[check.name];
    if (performance.now() - historyAt > HISTORY_EVERY) refresh();
  } else if (what === "diagnosis") {
    status.diagnosis = found;
    status.state = found.state;
    remember();
  } else {
    const at = status.checks.findIndex(each => each.name === found.name);
    if (at >= 0) status.checks[at] = found;
  }
  // Evidence, processes and stages change with these, and only the whole document has them.
  if (what !== "beat") again = again || setTimeout(() => { again = null; refresh(); }, 300);
  soon();
}

function listen() {
  stream = new EventSource("events");
  stream.onerror = () => { if (!status) refresh(); };
  stream.addEventListener("status", event => took(JSON.parse(event.data)));
  for (const what of ["result", "diagnosis", "beat"]) stream.addEventListener(what, event => change(what, JSON.parse(event.data)));
}

function leave() {
  if (stream) stream.close();
  clearInterval(poll);
  stream = poll = null;
}

// A browser has six connections to one host for all its tabs. So only the page that was shown last, or has the focus,
// holds a stream; other visible ones ask every two seconds, and hidden ones ask nothing.
const tabs = new BroadcastChannel("ovsnet");
tabs.onmessage = () => { if (stream) { leave(); poll = setInterval(refresh, BEAT); } };

function attend() {
  leave();
  triedAt = performance.now();
  if (document.hidden) return;
  tabs.postMessage("mine");
  listen();
}

// A stream that has ended, or hangs in a dead network, does not come back by itself.
function reach() {
  const quiet = performance.now() - Math.max(heardAt, triedAt);
  if (stream && (quiet > 2 * STALE || (stream.readyState === EventSource.CLOSED && quiet > BEAT))) attend();
}

// ---- what a person does

async function copy(text, button) {
  const label = button.dataset.label = button.dataset.label || button.textContent;
  let done = true;
  try { await navigator.clipboard.writeText(text); } catch { done = copyAsOfOld(text); }
  button.focus();
  button.textContent = done ? "Copied" : "Not allowed: select and copy it";
  setTimeout(() => { button.textContent = label; }, BEAT);
}

// Over plain HTTP from another host there is no clipboard for scripts.
function copyAsOfOld(text) {
  const area = element("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

function report() {
  const { node, state, diagnosis, versions, agent } = status, at = seconds => new Date(seconds * 1000).toISOString();
  const known = Object.entries({ ...versions, ovsnet: agent.version }).map(pair => pair.join(" ")).join(", ");
  return [
    `${node}, ${at(lastAt)}: ${state}, ${diagnosis.code} since ${at(diagnosis.since)} (${known})`, diagnosis.summary, diagnosis.remedy,
    ...diagnosis.evidence.map(each => "  " + each), "", ...status.checks.map(each => `${each.status.padEnd(8)}${each.name}: ${each.detail}`), "",
    ...(history || status).events.slice(-100).map(each => `${at(each.at)} ${each.kind} ${each.code || each.daemon || each.name} ${each.state || each.status || ""} ${each.summary || each.detail || ""}`), "",
  ].join("\n");
}

place("copy").addEventListener("click", () => copy(place("command").textContent, place("copy")));
place("report").addEventListener("click", () => status && copy(report(), place("report")));
for (const id of ["checks-fold", "changes-fold"]) place(id).addEventListener("toggle", soon);
window.addEventListener("focus", () => { if (!stream) attend(); });
document.addEventListener("visibilitychange", () => { attend(); tick(); });
setInterval(tick, 1000);
attend();
if (document.hidden) refresh(); // a stream begins with the status
