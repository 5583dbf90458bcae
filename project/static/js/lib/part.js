/** Return a copy of what a `<template data-part="…">` of the page holds: scripts make no markup of their own. */
export function part(name) {
  const template = document.querySelector(`template[data-part="${name}"]`);
  return document.importNode(template.content, true).firstElementChild;
}

/** Put values into a sentence of the page: `{count} new` and {count: 3} give `3 new`. */
export function sentence(pattern, values) {
  return pattern.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
