//! Owns: asking the browser whether it may show notifications, when somebody chooses them.
//! Does not own: the preference (the host), the notifications (`notify`).

// Browsers ask for permission only when somebody has pressed a button.
export function permission() {
  const form = document.querySelector("form[data-preferences]");
  if (!form) return;
  const refused = document.getElementById("notify-refused");
  const check = () => {
    refused.hidden = !(wanted(form) && window.Notification?.permission !== "granted" && window.Notification?.permission !== "default");
  };
  form.addEventListener("change", check);
  form.addEventListener("submit", async (event) => {
    if (!wanted(form) || window.Notification?.permission !== "default") return;
    event.preventDefault();
    await Notification.requestPermission();
    // With a refusal, the choice is kept and the page says why nothing will be shown.
    form.submit();
  });
  check();
}

const wanted = (form) => new FormData(form).get("notify") === "on";
