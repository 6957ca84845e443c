"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const percent = (share) => (share === null ? "–" : (100 * share).toFixed(1));

  // Pages from files may not be allowed to remember anything.
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch {} };
  const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };

  function theme() {
    const button = one("#theme");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const root = document.documentElement;
    const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
    const name = () => { button.textContent = dark() ? "Light" : "Dark"; };
    const kept = recall("theme");
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      remember("theme", root.dataset.theme);
      name();
    });
    system.addEventListener("change", name);
    button.hidden = false;
    name();
  }

  // The neighbour that an arrow key leads to, in a row of buttons.
  function neighbour(event, buttons) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Home") return buttons[0];
    if (event.key === "End") return buttons.at(-1);
    const at = buttons.indexOf(document.activeElement);
    return step && at >= 0 ? buttons[(at + step + buttons.length) % buttons.length] : null;
  }

  function tabs() {
    const buttons = all("[role=tab]");
    const select = (chosen) => buttons.forEach((button) => {
      button.setAttribute("aria-selected", button === chosen);
      button.tabIndex = button === chosen ? 0 : -1;
      document.getElementById(button.getAttribute("aria-controls")).hidden = button !== chosen;
    });
    buttons.forEach((button) => button.addEventListener("click", () => select(button)));
    one("[role=tablist]")?.addEventListener("keydown", (event) => {
      const next = neighbour(event, buttons);
      if (!next) return;
      event.preventDefault();
      select(next);
      next.focus();
    });
    if (buttons.length) select(buttons[0]);
  }

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };

  function sort(table, column, descending) {
    const numeric = table.tHead.rows[0].cells[column].classList.contains("number");
    const body = table.tBodies[0];
    const order = (a, b) => {
      const [x, y] = [valueOf(a, column), valueOf(b, column)];
      if (x === "" || y === "") return (x === "") - (y === ""); // what is missing comes last
      const ascending = numeric ? x - y : x.localeCompare(y, "en", { numeric: true });
      return descending ? -ascending : ascending;
    };
    body.append(...[...body.rows].sort(order));
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

  function records() {
    let opener = null;
    const shown = () => one(".record:target");
    all("a[href^='#record-']").forEach((link) => link.addEventListener("click", () => { opener = link; }));
    const close = () => {
      const back = opener;
      const { scrollX, scrollY } = window;
      location.hash = "#results";
      scrollTo({ left: scrollX, top: scrollY, behavior: "instant" });
      back?.focus({ preventScroll: true });
      opener = null;
    };
    addEventListener("hashchange", () => shown()?.focus({ preventScroll: true }));
    addEventListener("keydown", (event) => { if (event.key === "Escape" && shown()) close(); });
    document.addEventListener("click", (event) => {
      if (event.target.closest(".record .close")) { event.preventDefault(); close(); }
      else if (shown() && !event.target.closest(".record, a")) close();
    });
    all(".copy").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => copy(button));
    });
  }

  async function copy(button) {
    const code = one("code", button.parentElement);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch { // not allowed on this page: leave it selected for the keyboard
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  function browser(data) {
    const root = one("#browser");
    const panels = one(".panels", root);
    const hidden = new Set();
    let current = 0;

    const stack = (scene, mask, label) => {
      const photo = make("img", { className: "photo", src: scene.image, alt: label });
      const layers = mask ? [photo, make("img", { className: "mask", src: mask, alt: "" })] : [photo];
      return make("div", { className: "stack", style: `aspect-ratio: ${scene.aspect}` }, ...layers);
    };
    const panel = (title, detail, content) => {
      const caption = make("figcaption", {}, make("span", { textContent: title }));
      caption.append(make("span", { className: "options", textContent: detail }));
      return make("figure", {}, caption, content);
    };
    const visible = () => data.methods.filter((method) => !hidden.has(method.name));

    const draw = () => {
      const scene = data.scenes[current];
      one(".scene-title", root).textContent = `Scene ${scene.id} (${scene.reasons.join(", ")})`;
      const found = visible().map((method) => {
        const answer = scene.answers[method.name];
        return panel(method.label, percent(answer.mean),
          stack(scene, answer.mask, `${method.label} on scene ${scene.id}`));
      });
      panels.replaceChildren(
        panel("image", "", stack(scene, null, `scene ${scene.id}`)),
        panel("truth", "", stack(scene, scene.truth, `truth of scene ${scene.id}`)), ...found);
      one(".classes", root).replaceChildren(...classes(scene));
      all(".thumbnails button", root).forEach((button, index) => {
        button.setAttribute("aria-pressed", index === current);
        button.tabIndex = index === current ? 0 : -1;
      });
    };

    const line = (name, values, tag = "td") => {
      const best = Math.max(...values.filter((value) => value !== null));
      const cells = values.map((value) => {
        const bold = value !== null && value > 0 && value === best && values.length > 1;
        return make(tag, { className: "number" }, bold ? make("strong", { textContent: percent(value) }) : percent(value));
      });
      return make("tr", {}, name, ...cells);
    };
    const classes = (scene) => {
      const methods = visible();
      const heads = methods.map((method) => make("th", { scope: "col", className: "number", textContent: method.label }));
      const head = make("thead", {}, make("tr", {}, make("th", { scope: "col", textContent: "class" }), ...heads));
      const occurs = (label) => data.methods.some(({ name }) => scene.answers[name].iou[label] !== null);
      const found = data.labels.map((_, index) => index).filter(occurs);
      const order = (index) => !scene.shown.includes(index); // what is in the scene comes first
      const rows = found.sort((a, b) => order(a) - order(b)).map((index) => {
        const label = data.labels[index];
        const chip = make("span", { className: "chip" });
        chip.style.background = data.colours[index];
        const place = scene.shown.includes(index) ? "" : "elsewhere";
        const name = make("th", { scope: "row" }, chip, make("span", { className: place, textContent: label }));
        return line(name, methods.map(({ name: method }) => scene.answers[method].iou[index]));
      });
      const mean = line(make("th", { scope: "row", textContent: "mean" }), methods.map(({ name }) => scene.answers[name].mean));
      return [head, make("tbody", {}, ...rows), make("tfoot", {}, mean)];
    };

    thumbnails(data, root, (index) => { current = index; draw(); });
    data.methods.forEach((method) => {
      const box = make("input", { type: "checkbox", checked: true, value: method.name });
      box.addEventListener("change", () => {
        hidden[box.checked ? "delete" : "add"](method.name);
        draw();
      });
      one(".methods", root).append(make("label", {}, box, ` ${method.label} ${method.options}`.trimEnd()));
    });
    controls(root, panels);
    root.hidden = false;
    draw();
  }

  function thumbnails(data, root, choose) {
    const bar = one(".thumbnails", root);
    let group = null;
    data.scenes.forEach((scene, index) => {
      if (scene.reasons[0] !== group) {
        group = scene.reasons[0];
        bar.append(make("div", {}, make("p", { textContent: group }), make("span")));
      }
      const picture = make("img", { src: scene.image, alt: "" });
      const button = make("button", { type: "button", title: `scene ${scene.id}` }, picture);
      button.setAttribute("aria-label", `Scene ${scene.id}, ${scene.reasons.join(", ")}`);
      button.addEventListener("click", () => choose(index));
      one("div:last-child > span", bar).append(button);
    });
    bar.addEventListener("keydown", (event) => {
      const next = neighbour(event, all("button", bar));
      if (!next) return;
      event.preventDefault();
      next.click();
      next.focus();
    });
  }

  function controls(root, panels) {
    const slider = one("#opacity", root);
    const fade = () => {
      panels.style.setProperty("--opacity", slider.value / 100);
      one("output", root).textContent = `${slider.value} %`;
    };
    slider.addEventListener("input", fade);
    all("input[name=view]", root).forEach((radio) => {
      radio.addEventListener("change", () => {
        panels.dataset.view = radio.value;
        slider.disabled = radio.value !== "overlay";
      });
    });
    fade();
  }

  theme();
  tabs();
  sorting();
  records();
  const scenes = one("#scenes");
  if (scenes) browser(JSON.parse(scenes.textContent));
})();
