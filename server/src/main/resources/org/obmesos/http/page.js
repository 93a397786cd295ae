// SPDX-License-Identifier: GPL-3.0-or-later
"use strict";

// All that others have written gets onto the page as text, never as HTML.

const rows = new Map();
const byId = (id) => document.getElementById(id);

function token() {
  return sessionStorage.getItem("token");
}

async function ask(path, options = {}) {
  const headers = token() ? { Authorization: "Bearer " + token() } : {};
  const answer = await fetch(path, { ...options, headers });
  if (answer.status === 401) {
    byId("ask").hidden = false;
  }
  if (!answer.ok) {
    throw new Error(path + ": " + answer.status);
  }
  return answer;
}

function cell(text, className) {
  const td = document.createElement("td");
  td.textContent = text;
  if (className) {
    td.className = className;
  }
  return td;
}

function link(text, open) {
  const button = document.createElement("button");
  button.textContent = text;
  button.addEventListener("click", open);
  return button;
}

// A link would go without the token, where one is wanted.
async function show(path, type) {
  if (!token()) {
    window.open(path, "_blank", "noopener");
    return;
  }
  const answer = await ask(path);
  const blob = new Blob([await answer.text()], { type });
  window.open(URL.createObjectURL(blob), "_blank", "noopener");
}

async function remove(id) {
  await ask("/org/" + id, { method: "DELETE" });
  await listAll();
}

function documentRow(about) {
  const tr = document.createElement("tr");
  tr.dataset.id = about.id;
  const actions = document.createElement("td");
  actions.append(
    link("Text", () => show("/org/" + about.id + ".org", "text/plain; charset=utf-8")),
    " ",
    link("Page", () => show("/org/" + about.id + ".html", "text/html; charset=utf-8")),
    " ",
    link("Delete", () => remove(about.id)),
  );
  tr.append(
    cell(about.title || about.id),
    cell(about.state, about.state),
    cell(about.tasks),
    cell(new Date(about.submitted).toLocaleString()),
    actions,
  );
  return tr;
}

function taskRow(id) {
  let tr = rows.get(id);
  if (!tr) {
    tr = document.createElement("tr");
    tr.dataset.id = id;
    const said = document.createElement("td");
    said.append(document.createElement("span"), document.createElement("pre"));
    said.lastChild.hidden = true;
    tr.append(cell(id), cell(""), cell(""), cell(""), said);
    byId("tasks").tBodies[0].prepend(tr);
    rows.set(id, tr);
    byId("tasks").hidden = false;
    byId("no-tasks").hidden = true;
  }
  return tr;
}

function showTask(task) {
  const [, block, state, where, said] = taskRow(task.id).cells;
  const ports = (task.ports || []).map((port) => ":" + port).join(" ");
  block.textContent = task.name;
  state.textContent = task.state;
  state.className = task.state;
  where.textContent = (task.hostname || "") + ports;
  said.firstChild.textContent = task.message || "";
  if (task.terminal) {
    said.lastChild.hidden = true;
  }
}

function showOutput(output) {
  const pre = taskRow(output.id).cells[4].lastChild;
  pre.textContent = output.tail;
  pre.hidden = false;
}

async function listDocuments() {
  const { documents } = await (await ask("/org")).json();
  byId("documents").tBodies[0].replaceChildren(...documents.map(documentRow));
  byId("documents").hidden = documents.length === 0;
  byId("no-documents").hidden = documents.length > 0;
}

async function listAll() {
  await listDocuments();
  const { tasks } = await (await ask("/tasks")).json();
  const known = new Set(tasks.map((task) => task.id));
  for (const [id, tr] of rows) {
    if (!known.has(id)) {
      tr.remove();
      rows.delete(id);
    }
  }
  tasks.forEach(showTask);
  byId("tasks").hidden = tasks.length === 0;
  byId("no-tasks").hidden = tasks.length > 0;
}

function tell(text, trouble) {
  byId("cluster").textContent = text;
  byId("cluster").className = trouble ? "trouble" : "";
}

// Documents change with their tasks; many changes at once are looked at once.
let looking = null;
function lookSoon() {
  looking ??= setTimeout(() => {
    looking = null;
    listDocuments().catch(() => {});
  }, 300);
}

function take(block) {
  let event = "";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) {
      event = line.slice(7);
    } else if (line.startsWith("data: ")) {
      data = line.slice(6);
    }
  }
  if (event === "task") {
    showTask(JSON.parse(data));
    lookSoon();
  } else if (event === "output") {
    showOutput(JSON.parse(data));
  } else if (event === "cluster") {
    const { connected, message } = JSON.parse(data);
    tell(connected ? "connected" : message || "no connection to the cluster", !connected);
  }
}

async function follow() {
  const answer = await ask("/events");
  byId("ask").hidden = true;
  await listAll();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    blocks.forEach(take);
  }
}

async function followForEver() {
  for (;;) {
    try {
      await follow();
    } catch (error) {
      tell(String(error.message || error), true);
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", byId("token").value);
  byId("ask").hidden = true;
});
byId("here").textContent = location.href;
followForEver();
