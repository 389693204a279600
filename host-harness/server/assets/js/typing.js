//! Owns: showing that the customer is typing, until a message of theirs is there or the host's time for it is over.
//! Does not own: hearing of it (`live`).

export function typing() {
  let over;
  const show = (is) => {
    const place = document.getElementById("typing");
    if (place) place.hidden = !is;
  };
  document.addEventListener("typing", (event) => {
    const open = document.querySelector("[data-live]")?.dataset.live;
    const [conversation, left] = event.detail.split(" ");
    if (!open || conversation !== open) return;
    clearTimeout(over);
    show(true);
    over = setTimeout(() => show(false), Number(left));
  });
  for (const ends of ["said", "opened"]) {
    document.addEventListener(ends, () => {
      clearTimeout(over);
      show(false);
    });
  }
}
