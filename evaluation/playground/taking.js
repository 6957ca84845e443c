// Pictures from a file, the clipboard, a drop or the camera go to the server as text, not as files.
const find = (selector) => element.querySelector(selector);
const send = (file) => {
  if (!file) return;
  const name = file.name || "picture";
  if (file.size > props.largest) {
    trigger("taken", { name, size: file.size, data: "" });
    return;
  }
  const reader = new FileReader();
  reader.onload = () => trigger("taken", { name, size: file.size, data: reader.result.split(",")[1] || "" });
  reader.readAsDataURL(file);
};
const drop = () => find(".drop");
const picked = (event) => {
  if (event.target.type !== "file") return;
  send(event.target.files[0]);
  event.target.value = "";
};
element.addEventListener("change", picked);
element.addEventListener("dragover", (event) => { event.preventDefault(); drop().classList.add("over"); });
element.addEventListener("dragleave", () => drop().classList.remove("over"));
element.addEventListener("drop", (event) => {
  event.preventDefault();
  drop().classList.remove("over");
  send(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  const found = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
  if (found) send(found);
});

let stream = null;
const close = () => {
  if (stream) stream.getTracks().forEach((track) => track.stop());
  stream = null;
  find("video").hidden = find(".shutter").hidden = true;
};
const open = async () => {
  if (stream) { close(); return; }
  if (!navigator.mediaDevices) { find(".phone").click(); return; } // not on localhost: phones have their own
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    trigger("taken", { name: "camera", size: 0, data: "", problem: error.message });
    return;
  }
  find("video").srcObject = stream;
  find("video").hidden = find(".shutter").hidden = false;
  await find("video").play();
};
const shoot = () => {
  const video = find("video"), canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  close();
  canvas.toBlob((blob) => send(new File([blob], "camera.png")), "image/png");
};
element.addEventListener("click", (event) => {
  if (event.target.closest(".camera")) open();
  if (event.target.closest(".shutter")) shoot();
  if (event.target.closest(".scene")) trigger("scene");
});
