"use strict";
// What every part of the page uses. The parts are one script, in the order of page.py.
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

// The neighbour that an arrow key leads to, in a row of buttons.
function neighbour(event, buttons) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.key === "Home") return buttons[0];
  if (event.key === "End") return buttons.at(-1);
  const at = buttons.indexOf(document.activeElement);
  return step && at >= 0 ? buttons[(at + step + buttons.length) % buttons.length] : null;
}
