// What the server made is saved by the browser; the server has no file of it.
watch("value", () => {
  if (!props.value) return;
  const { name, kind, data } = JSON.parse(props.value);
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
