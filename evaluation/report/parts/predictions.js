// Pictures that a click enlarges, and the browser of predictions.
const enlarging = (() => {
  const dialog = one("#large");
  let at = 0;
  const pictures = () => all("button.enlarge").filter((button) => button.offsetParent);
  const show = (index) => {
    const every = pictures();
    at = (index + every.length) % every.length;
    const button = every[at];
    const copy = button.firstElementChild.cloneNode(true);
    if (copy.tagName === "IMG") copy.loading = "eager";
    one("p", dialog).textContent = button.dataset.caption ?? one("figcaption", button.parentElement).textContent;
    one(".large-picture", dialog).replaceChildren(copy);
    const aspect = Number(button.dataset.aspect);
    if (aspect) copy.style.width = `min(92vw, ${(80 * aspect).toFixed(2)}vh)`;
    const box = button.closest("#browser");
    dialog.dataset.view = box ? box.dataset.view : "";
    dialog.classList.toggle("line", Boolean(box?.classList.contains("line")));
    dialog.style.setProperty("--opacity", box ? box.style.getPropertyValue("--opacity") : 1);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.enlarge");
    if (button) { show(pictures().indexOf(button)); dialog.showModal(); }
    else if (event.target === dialog) dialog.close();
    const step = event.target.closest("#large [data-step]")?.dataset.step;
    if (step === "0") dialog.close();
    else if (step) show(at + Number(step));
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) { event.preventDefault(); show(at + step); }
  });
  return { show };
})();

function browser(data) {
  const root = one("#browser");
  const panels = one(".panels", root);
  const hidden = new Set();
  let [current, heated] = [data.start, null];

  const layer = (name, source) => make("img", { className: name, src: source, alt: "" });
  const picture = (image, layers, label) => {
    const photo = make("img", { className: "photo", src: image.image, alt: label });
    const stack = make("span", { className: "stack" }, photo, ...layers);
    stack.style.aspectRatio = image.aspect;
    const button = make("button", { type: "button", className: "enlarge" }, stack);
    button.dataset.caption = label;
    button.dataset.aspect = image.aspect;
    button.setAttribute("aria-label", `Enlarge: ${label}`);
    return button;
  };
  const labels = (image, found) => [layer("mask", found.mask), layer("outline", found.outline), layer("line", image.truth.line)];
  const panel = (title, detail, ...pictures) => {
    const caption = make("figcaption", {}, make("span", { textContent: title }));
    caption.append(make("span", { className: "options", textContent: detail }));
    return make("figure", {}, caption, make("div", { className: "pair" }, ...pictures));
  };
  const visible = () => data.methods.filter((method) => !hidden.has(method.name));
  const called = (image) => `image ${image.id}`;

  const answerOf = (image, method) => {
    const answer = image.answers[method.name];
    const score = `mean IoU ${percent(answer.mean)}`;
    const pictures = [picture(image, labels(image, answer), `${method.label} on ${called(image)}: its labels, ${score}`)];
    if (answer.heat && heated !== null) {
      const layers = [layer("heat", answer.heat[heated]), layer("line", image.truth.line)];
      pictures.push(picture(image, layers, `${method.label} on ${called(image)}: heat map of ${data.labels[heated]}`));
    }
    return panel(method.label, percent(answer.mean), ...pictures);
  };

  const draw = () => {
    const image = data.images[current];
    if (!image.heated.includes(heated)) heated = image.heated[0] ?? null;
    one(".image-title", root).textContent = `Image ${image.id} (${image.reasons.join(", ")})`;
    panels.replaceChildren(
      panel("image and truth", "", picture(image, [], called(image)),
        picture(image, labels(image, image.truth), `ground truth of ${called(image)}`)),
      ...visible().map((method) => answerOf(image, method)));
    one(".classes", root).replaceChildren(...classes(image));
    heats(image);
    all(".thumbnails button", root).forEach((button, index) => {
      button.setAttribute("aria-pressed", index === current);
      button.tabIndex = index === current ? 0 : -1;
    });
  };

  const chip = (label) => {
    const found = make("span", { className: "chip" });
    found.style.background = data.colours[label];
    return found;
  };
  const heats = (image) => {
    const box = one(".heats", root);
    const focused = box.contains(document.activeElement);
    box.replaceChildren(one("legend", box), ...image.heated.map((label) => {
      const radio = make("input", { type: "radio", name: "heat", value: label, checked: label === heated });
      radio.addEventListener("change", () => { heated = label; draw(); });
      return make("label", {}, radio, " ", chip(label), data.labels[label]);
    }));
    if (focused) one("input:checked", box)?.focus();
  };

  const line = (name, values, tag = "td") => {
    const best = Math.max(...values.filter((value) => value !== null));
    const cells = values.map((value) => {
      const bold = value !== null && value > 0 && value === best && values.length > 1;
      return make(tag, { className: "number" }, bold ? make("strong", { textContent: percent(value) }) : percent(value));
    });
    return make("tr", {}, name, ...cells);
  };
  const classes = (image) => {
    const methods = visible();
    const heads = methods.map((method) => make("th", { scope: "col", className: "number", textContent: method.label }));
    const head = make("thead", {}, make("tr", {}, make("th", { scope: "col", textContent: "class" }), ...heads));
    const occurs = (label) => data.methods.some(({ name }) => image.answers[name].iou[label] !== null);
    const found = data.labels.map((_, index) => index).filter(occurs);
    const order = (index) => !image.shown.includes(index); // what is in the image comes first
    const rows = found.sort((a, b) => order(a) - order(b)).map((index) => {
      const place = image.shown.includes(index) ? "" : "elsewhere";
      const name = make("th", { scope: "row" }, chip(index), make("span", { className: place, textContent: data.labels[index] }));
      return line(name, methods.map(({ name: method }) => image.answers[method].iou[index]));
    });
    const mean = line(make("th", { scope: "row", textContent: "mean" }), methods.map(({ name }) => image.answers[name].mean));
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
  controls(root);
  root.hidden = false;
  draw();
}

function thumbnails(data, root, choose) {
  const bar = one(".thumbnails", root);
  const called = { worst: "worst", best: "best" };
  let group = null;
  data.images.forEach((image, index) => {
    const kind = called[image.reasons[0]] ?? image.reasons[0];
    if (kind !== group) {
      group = kind;
      bar.append(make("div", {}, make("p", { textContent: group }), make("span")));
    }
    const picture = make("img", { src: image.image, alt: "" });
    const button = make("button", { type: "button", title: `image ${image.id}` }, picture);
    button.setAttribute("aria-label", `Image ${image.id}, ${image.reasons.join(", ")}`);
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

function controls(root) {
  const slider = one("#opacity", root);
  const fade = () => {
    root.style.setProperty("--opacity", slider.value / 100);
    one("output", root).textContent = `${slider.value} %`;
  };
  slider.addEventListener("input", fade);
  all("input[name=view]", root).forEach((radio) => {
    radio.addEventListener("change", () => {
      root.dataset.view = radio.value;
      slider.disabled = radio.value !== "overlay";
    });
  });
  one("#line", root).addEventListener("change", (event) => root.classList.toggle("line", event.target.checked));
  fade();
}

const found = one("#predictions-data");
if (found) browser(JSON.parse(found.textContent));
