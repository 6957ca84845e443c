// Appended to the page by test_report.py: does what a reader does, writes down what is wrong.
(async () => {
  const wrong = [];
  const check = (fact, said) => { if (!fact) wrong.push(said); };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const style = (element) => getComputedStyle(element);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 60));
  const key = (element, name) => element.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const set = (input, event) => input.dispatchEvent(new Event(event, { bubbles: true }));
  try {
    check(document.documentElement.scrollWidth <= innerWidth, "the page is wider than the window");

    const table = one(".sheet:not([hidden]) table");
    const column = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === "mIoU");
    const heading = table.tHead.rows[0].cells[column];
    const values = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.value);
    const known = () => values().filter((value) => value !== "").map(Number);
    heading.querySelector("button").click();
    check(heading.getAttribute("aria-sort") === "descending", "numbers are not sorted largest first");
    check(known().every((value, at, list) => !at || list[at - 1] >= value), `not descending: ${values()}`);
    check(values().at(-1) === "", `what is missing is not last: ${values()}`);
    heading.querySelector("button").click();
    check(known().every((value, at, list) => !at || list[at - 1] <= value), `not ascending: ${values()}`);
    check(values().at(-1) === "", `what is missing is not last: ${values()}`);
    table.tHead.rows[0].cells[0].querySelector("button").click();
    check(!heading.hasAttribute("aria-sort"), "two columns claim to be sorted");

    const tabs = all("[role=tab]"), sheets = all(".sheet");
    tabs[1].click();
    check(sheets[0].hidden && !sheets[1].hidden, "a tab does not switch the data set");
    check(tabs[1].getAttribute("aria-selected") === "true", "the chosen tab is not marked");
    tabs[1].focus();
    key(tabs[1], "ArrowRight");
    check(!sheets[0].hidden && document.activeElement === tabs[0], "arrow keys do not switch");

    const theme = one("#theme"), before = style(document.body).backgroundColor;
    theme.click();
    check(style(document.body).backgroundColor !== before, "the theme does not change");
    theme.click();
    check(style(document.body).backgroundColor === before, "the theme does not change back");

    const link = one(".sheet:not([hidden]) tbody a");
    const record = document.getElementById(link.hash.slice(1));
    check(style(record).display === "none", "a record is open from the start");
    link.focus();
    link.click();
    await pause();
    check(style(record).display === "block", "a link does not open its record");
    check(document.activeElement === record, "the opened record has no focus");
    check(record.textContent.includes("python scripts/records.py rerun"), "no command in the record");
    key(record, "Escape");
    await pause();
    check(style(record).display === "none", "Escape does not close the record");
    check(document.activeElement === link, "focus does not return to the link");
    one(".sheet:not([hidden]) td a").click();
    await pause();
    check(one(".record:target"), "a score does not open its record");
    one(".record:target .close").click();
    await pause();
    check(!one(".record:target"), "the close link does not close");

    const mask = () => style(one(".panels .mask"));
    const choose = (name) => { const radio = one(`[name=view][value=${name}]`); radio.checked = true; set(radio, "change"); };
    const slider = one("#opacity");
    slider.value = 30;
    set(slider, "input");
    check(mask().opacity === "0.3", `opacity 30 gives ${mask().opacity}`);
    choose("mask");
    check(style(one(".panels .photo")).visibility === "hidden", "mask shows the image");
    check(mask().opacity === "1", "mask is not opaque");
    choose("image");
    check(mask().visibility === "hidden", "image shows the mask");
    choose("overlay");
    check(mask().visibility === "visible", "overlay shows no mask");
    const panels = () => all(".panels figure").length, count = panels();
    const box = one(".methods input");
    box.click();
    check(panels() === count - 1, "a method cannot be hidden");
    box.click();
    check(panels() === count, "a method cannot be shown again");
    const title = () => one(".scene-title").textContent, first = title();
    const buttons = all(".thumbnails button");
    buttons[1].click();
    check(title() !== first, "a thumbnail does not choose its scene");
    buttons[1].focus();
    key(buttons[1], "ArrowLeft");
    check(title() === first, "arrow keys do not choose scenes");
    check(all(".classes tbody tr").length > 0, "no IoU by class");
    const shown = [...document.images].filter((image) => image.loading !== "lazy");
    check(shown.every((image) => image.complete && image.naturalWidth), "a picture cannot be read");
  } catch (error) {
    wrong.push(String(error));
  }
  document.body.append(Object.assign(document.createElement("pre"), { id: "outcome", textContent: JSON.stringify(wrong) }));
})();
