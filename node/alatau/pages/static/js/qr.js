// QR codes: drawn on a canvas, and read from the camera by the browser's detector or else by a library.

import { decodeQR } from "../vendor/qr/decode.js";
import { encodeQR } from "../vendor/qr/index.js";

const QUIET = 4;
const FRAME_MS = 120;
const WIDTH_MAX = 960;

export function drawQr(text, label) {
  const modules = encodeQR(text, "raw", { ecc: "low", border: QUIET });
  const canvas = document.createElement("canvas");
  const scale = Math.max(4, Math.ceil(560 / modules.length));
  canvas.width = modules.length * scale;
  canvas.height = modules.length * scale;
  canvas.className = "qr";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000";
  modules.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (dark) pen.fillRect(x * scale, y * scale, scale, scale);
    });
  });
  return canvas;
}

// Watches the camera in a video element until `accept` takes a text; gives a function that stops it.
export async function scan(video, accept) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  video.srcObject = stream;
  await video.play();
  const read = await reader();
  let stopped = false;
  const stop = () => {
    stopped = true;
    for (const track of stream.getTracks()) track.stop();
  };
  const look = async () => {
    if (stopped) return;
    const text = await read(video);
    if (text !== null && !stopped && accept(text)) {
      stop();
      return;
    }
    setTimeout(look, FRAME_MS);
  };
  void look();
  return stop;
}

async function reader() {
  if ("BarcodeDetector" in globalThis) {
    const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
    if (formats.includes("qr_code")) {
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      return async (video) => (await detector.detect(video).catch(() => []))[0]?.rawValue ?? null;
    }
  }
  const canvas = document.createElement("canvas");
  return async (video) => {
    if (video.videoWidth === 0) return null;
    const scale = Math.min(1, WIDTH_MAX / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(pen.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      return null;
    }
  };
}
