// The page itself: theme, tabs, records, what print needs.
function theme() {
  const button = one("#theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const name = () => {
    button.textContent = dark() ? "Light" : "Dark";
    root.classList.toggle("dark", dark());
  };
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

// What is folded away is printed all the same.
function printing() {
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((details) => { details.open = true; });
    all("img[loading]").forEach((image) => { image.loading = "eager"; });
  });
  addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));
}

theme();
tabs();
records();
printing();
