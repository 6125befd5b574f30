"use strict";
const language = document.documentElement.lang;
for (const time of document.querySelectorAll("time")) {
  time.textContent = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" }).format(new Date(time.dateTime));
}
const token = location.pathname.split("/").pop();
const button = document.getElementById("set-up");
document.getElementById("no-script")?.remove();
if (button && isSecureContext) {
  document.getElementById("here").hidden = false;
  button.addEventListener("click", () => {
    // The app asks again where this is not there: only this button stands for a person's word.
    try { sessionStorage.setItem("dskpp-set-up", token); } catch { /* storage is switched off */ }
    location.assign(`../token/#enroll=${token}&lang=${language}`);
  });
} else if (button) {
  document.getElementById("insecure").hidden = false;
}
