//! Owns: what goes over from the form that somebody writes in to the same one, drawn anew by the host.
//! Does not own: when it is drawn (`composer`), uploads (`upload`).

const handles = (form) => new Set([...form.querySelectorAll("#files li")].map((line) => line.dataset.handle));

// What stands in a form, to find what was written since. With `shifts`, what has a number may have another one then.
export function standing(form, shifts) {
  const fields = [...form.elements].filter((one) => one.name && one.type !== "checkbox" && !(shifts && /\d/.test(one.name + one.id)));
  return {
    fields: new Map(fields.map((one) => [one.id || one.name, one.value])),
    files: handles(form),
  };
}

// Puts `next` in the place of `form`. Whoever types goes on typing, uploads go on, and what was written since `before` stays.
export function redraw(form, next, before) {
  const at = form.contains(document.activeElement) ? document.activeElement : null;
  const { selectionStart: from, selectionEnd: to } = at ?? {};
  const both = (selector) => [form, next].map((one) => one.querySelector(selector));
  if ("tried" in form.dataset && next.elements.key.value === form.elements.key.value) {
    next.dataset.tried = "";
    const [said, saying] = both("#no-answer");
    if (said && saying) saying.hidden = said.hidden;
  }
  const tray = next.querySelector("#files ul");
  // What was taken out since stays out.
  const there = handles(form);
  for (const line of before && tray ? [...tray.children] : []) if (before.files.has(line.dataset.handle) && !there.has(line.dataset.handle)) line.remove();
  for (const line of tray ? form.querySelectorAll("#files li") : []) {
    if (!line.querySelector("progress") && !(before && !before.files.has(line.dataset.handle))) continue;
    tray.append(line);
    next.querySelector("#files").hidden = false;
  }
  if (before) {
    const differs = (one) => (before.fields.get(one.id || one.name) ?? one.value) !== one.value;
    for (const one of form.querySelectorAll(":is(input, textarea, select)[id][name]:not([type=checkbox])")) {
      const field = next.querySelector(`#${one.id}`);
      // A card that is not shown has its fields under other ids.
      const same = field?.name === one.name ? field : next.elements.namedItem(one.name);
      if (same && differs(one)) same.value = one.value;
    }
    const [answered, drawn] = both("#answered");
    if (drawn && [...(answered?.querySelectorAll("input") ?? [])].some(differs)) drawn.replaceWith(answered);
  }
  form.replaceWith(next);
  if (!at) return;
  const field = (at.id && next.querySelector(`#${at.id}`)) || next.elements.text;
  field.focus({ preventScroll: true });
  if (field.id === at.id && typeof from === "number") field.setSelectionRange(from, to);
}
