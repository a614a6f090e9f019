"use strict";
// Sorting, opening all figures of a table, and the place in the contents. Without it all can be read, in one order.
for (const table of document.querySelectorAll("table.figures")) {
  const body = table.tBodies[0];
  const given = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);
  const said = document.createElement("p");
  said.className = "unseen";
  said.setAttribute("role", "status");
  table.closest(".scroll").after(said);

  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
  };
  const compare = (a, b, numeric) => {
    const [x, y] = [Number(a), Number(b)];
    return numeric || (a !== "" && b !== "" && !isNaN(x) && !isNaN(y)) ? x - y : a.localeCompare(b, "en");
  };

  heads.forEach((head, column) => {
    const name = head.querySelector(".name");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...name.childNodes);
    name.append(button);
    const numeric = head.dataset.sort === "number";
    const first = numeric && head.dataset.better !== "lower" ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const next = now === "none" ? first : now === first ? second : "none";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", next);
      const missing = (row) => numeric && row.cells[column].dataset.value === undefined;
      const sign = next === "ascending" ? 1 : -1;
      const order = next === "none" ? given : [...given].sort((a, b) => {
        if (missing(a) || missing(b)) return missing(a) - missing(b);
        return sign * compare(key(a, column), key(b, column), numeric);
      });
      body.append(...order);
      const words = button.textContent.trim();
      said.textContent = next === "none" ? "Rows in their own order" : `Rows by ${words}, ${next}`;
    });
  });

  const all = Array.from(table.querySelectorAll("details"));
  if (all.length) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tool";
    const show = (open) => {
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? "Close all figures" : "Open all figures";
    };
    show(false);
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      all.forEach((details) => { details.open = open; });
      show(open);
    });
    table.closest(".scroll").previousElementSibling.prepend(button);
  }
}

const links = new Map();
for (const link of document.querySelectorAll("nav a")) {
  const target = document.getElementById(link.hash.slice(1));
  if (target) links.set(target, link);
}
const mark = () => {
  let current;
  for (const target of links.keys()) {
    if (target.getBoundingClientRect().top < 120) current = target;
  }
  for (const [target, link] of links) {
    if (target === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
};
let waiting = false;
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; mark(); });
}, { passive: true });
mark();
