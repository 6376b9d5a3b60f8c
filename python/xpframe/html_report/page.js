"use strict";
{
  const page = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = () => page.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", theme);
  theme();

  const { rows, columns } = JSON.parse(document.getElementById("data").textContent);
  const cells = columns.map(({ values, codes }) => codes ? codes.map((code) => values[code]) : values);
  const data = Array.from({ length: rows }, (_, row) => cells.map((column) => column[row]));
  const special = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  const states = { error: "failed", ready: "waiting", scheduled: "waiting", unscheduled: "waiting" };
  const escaped = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  const safe = (text) => String(text).replace(/[&<>"']/g, (character) => escaped[character]);
  const number = (value) => {
    if (typeof value === "string") return value in special ? special[value] : Number(value);
    return value;
  };
  // the digits before the point are never rounded; a CSV file has all digits
  const shown = (value) => typeof value === "string" || Number.isInteger(value) || Math.abs(value) >= 1e6
    ? value : Number(value.toPrecision(6));
  const exact = (value) => value === null ? "" : Object.is(value, -0) ? "-0.0" : String(value);
  // the second row of the head has the search fields
  const saved = { orthogonal: "export", customizeData: (data) => { data.headerStructure.length = 1; } };
  const heads = [...document.querySelectorAll("#table thead th")].map((head) => head.textContent);

  const render = (kind) => (value, type) => {
    if (type === "export") return exact(value);
    if (type === "display") return value === null ? "" : safe(kind === "number" ? shown(value) : value);
    if (kind !== "number") return value === null ? "" : type === "sort" || type === "type" ? value : safe(value);
    if (value === null) return type === "sort" ? -Number.MAX_VALUE : "";
    const plain = number(value);
    return type === "sort" && Number.isNaN(plain) ? -Number.MAX_VALUE : type === "filter" ? String(value) : plain;
  };
  const mark = (kind, name) => (cell, value) => {
    cell.classList.add(kind);
    if (kind === "text" && value !== null && value.length > 20) cell.title = value;
    if (name === "state" && value !== null) {
      cell.classList.add("jobstate", "js-" + (states[value] || value).replace(/[^a-z]/g, ""));
    }
  };

  const table = new XpframeTable("#table", {
    data,
    columns: columns.map(({ kind, shown }, index) => ({
      visible: shown,
      type: kind === "number" ? "num" : "string",
      render: render(kind),
      createdCell: mark(kind, heads[index]),
    })),
    order: [],
    autoWidth: false,
    deferRender: true,
    pageLength: 25,
    lengthMenu: [25, 100, 500, { label: "all", value: -1 }],
    layout: {
      topStart: ["pageLength", { buttons: [{ extend: "colvis", text: "columns" }, { extend: "csv", text: "CSV", exportOptions: saved }] }],
      topEnd: "search",
    },
    columnControl: [{ target: 0, content: [{ extend: "order", statusOnly: true }] }, { target: 1, content: ["search"] }],
    ordering: { indicators: false },
  });

  let length = null;
  const unfolded = [];
  window.addEventListener("beforeprint", () => {
    length = table.page.len();
    if (rows <= 2000) table.page.len(-1).draw(false);
    document.querySelectorAll("details:not([open])").forEach((each) => {
      if (!each.querySelector("pre")) { each.open = true; unfolded.push(each); }
    });
  });
  window.addEventListener("afterprint", () => {
    if (length !== null) table.page.len(length).draw(false);
    unfolded.splice(0).forEach((each) => { each.open = false; });
  });
}
