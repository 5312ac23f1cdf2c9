// The two things a plain link cannot try: a WebSocket, and an end that asks first.
const $ = (id) => document.getElementById(id);

$("socket").addEventListener("click", () => {
  const says = $("socket-says");
  const socket = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
  const start = performance.now();
  let answered = false;
  says.textContent = "Opening…";
  socket.onopen = () => socket.send("hello");
  socket.onmessage = (e) => {
    answered = true;
    says.textContent = `Sent "hello", got "${e.data}" back ${Math.round(performance.now() - start)} ms after the click`;
    socket.close();
  };
  socket.onclose = (e) => { if (!answered) says.textContent = `It closed with code ${e.code}. Does a proxy hold back the upgrade?`; };
});

const dialog = $("confirm");
$("exit").addEventListener("submit", (e) => {
  e.preventDefault();
  dialog.returnValue = "";
  dialog.showModal();
});
dialog.addEventListener("close", () => {
  if (dialog.returnValue !== "exit") return;
  $("exit").action = "/exit?code=3";
  HTMLFormElement.prototype.submit.call($("exit"));
});
