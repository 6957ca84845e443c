// Tables: sorting inside of methods, folding, filters, and the sign that there is more to the right.
const MANY = 20; // records of a data set of which methods are folded at first

const valueOf = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value ?? cell.textContent.trim();
};
const members = (body) => all("tr.one", body);

function sort(table, column, descending) {
  const numeric = table.tHead.rows[0].cells[column].classList.contains("number");
  const order = (a, b) => {
    const [x, y] = [valueOf(a, column), valueOf(b, column)];
    if (x === "" || y === "") return (x === "") - (y === ""); // what is missing comes last
    const ascending = numeric ? x - y : x.localeCompare(y, "en", { numeric: true });
    return descending ? -ascending : ascending;
  };
  const bodies = [...table.tBodies];
  bodies.forEach((body) => body.append(...members(body).sort(order)));
  table.append(...bodies.sort((a, b) => order(members(a)[0], members(b)[0])));
  [...table.tHead.rows[0].cells].forEach((cell, index) => {
    if (index === column) cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  });
}

function sorting() {
  all("table.sortable").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      one("button", cell).addEventListener("click", () => {
        const now = cell.getAttribute("aria-sort");
        const first = cell.classList.contains("number"); // of numbers the largest first
        sort(table, column, now ? now === "ascending" : first);
      });
    });
  });
}

function folding(sheet) {
  const buttons = all("tr.group button", sheet);
  const every = one(".fold", sheet);
  const fold = (button, closed) => {
    button.setAttribute("aria-expanded", !closed);
    button.closest("tbody").classList.toggle("closed", closed);
    const open = buttons.some((other) => other.getAttribute("aria-expanded") === "false");
    every.textContent = open ? "Open all" : "Close all";
  };
  const foldAll = (closed) => buttons.forEach((button) => fold(button, closed));
  buttons.forEach((button) => button.addEventListener("click", () => {
    fold(button, button.getAttribute("aria-expanded") === "true");
  }));
  every.addEventListener("click", () => foldAll(every.textContent === "Close all"));
  every.hidden = !buttons.length;
  foldAll(all("tr.one", sheet).length > MANY);
  return foldAll;
}

function filtering(sheet) {
  const foldAll = folding(sheet);
  const rows = all("tr.one", sheet);
  const search = one("input[type=search]", sheet);
  const selects = all("select", sheet);
  const clear = one(".clear", sheet);
  const update = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const asked = selects.filter((select) => select.value);
    const fits = (row) => words.every((word) => row.dataset.search.includes(word))
      && asked.every((select) => row.getAttribute(`data-${select.dataset.part}`) === select.value);
    rows.forEach((row) => { row.hidden = !fits(row); });
    all("tbody", sheet).forEach((body) => { body.hidden = members(body).every((row) => row.hidden); });
    const found = rows.filter((row) => !row.hidden).length;
    const active = words.length > 0 || asked.length > 0;
    one("output", sheet).textContent = active ? `${found} of ${rows.length} records` : `${rows.length} records`;
    clear.hidden = !active;
    foldAll(active ? false : rows.length > MANY);
  };
  search.addEventListener("input", update);
  selects.forEach((select) => select.addEventListener("change", update));
  clear.addEventListener("click", () => {
    search.value = "";
    selects.forEach((select) => { select.value = ""; });
    update();
    search.focus();
  });
  one(".filter", sheet).hidden = false;
  update();
}

// A table that is wider than its place says so, and its first column stays.
function scrolling() {
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => update(target.closest(".scroll"))));
  const update = (place) => {
    const more = place.scrollWidth - place.clientWidth - place.scrollLeft > 2;
    place.classList.toggle("more", more);
    place.classList.toggle("moved", place.scrollLeft > 2);
    place.previousElementSibling.hidden = place.scrollWidth - place.clientWidth <= 2;
    place.previousElementSibling.textContent = more ? "More columns to the right →" : "← Columns to the left";
  };
  all(".scroll").forEach((place) => {
    place.before(make("p", { className: "hint", hidden: true }));
    place.after(...all("ul", place)); // notes do not scroll
    place.addEventListener("scroll", () => update(place), { passive: true });
    observer.observe(place);
    const table = one("table", place);
    if (table) observer.observe(table);
  });
}

sorting();
all(".sheet").forEach(filtering);
scrolling();
