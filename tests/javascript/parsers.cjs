// The JavaScript parsers' answers: a JSON array of texts on stdin, one answer for each on stdout.
// argv[2] is the folder of node_modules, argv[3] "engine" (payloads), "socket" (packets) or "whole" (with attachments).
"use strict";
const [, , modules, which] = process.argv;
const engine = require(`${modules}/engine.io-parser`);
const socket = require(`${modules}/socket.io-parser`);

function packetsOf(text) {
  return engine
    .decodePayload(text, "nodebuffer")
    .map(({ type, data }) => [type, Buffer.isBuffer(data) ? { hex: data.toString("hex") } : (data ?? "")]);
}

function packetOf(text) {
  const { type, nsp, id, data, attachments } = new socket.Decoder({ maxAttachments: 1e9 }).decodeString(text);
  return { type, nsp, id: id ?? null, data: data ?? null, attachments: attachments ?? 0 };
}

// A packet as text, then its attachments as hex: the packet that they make together, or how many it lacks.
function wholeOf([text, ...attachments]) {
  const decoder = new socket.Decoder();
  let found = { waits: true };
  decoder.on("decoded", ({ type, nsp, id, data }) => {
    found = { type, nsp, id: id ?? null, data };
  });
  decoder.add(text);
  for (const attachment of attachments) decoder.add(Buffer.from(attachment, "hex"));
  decoder.destroy();
  return JSON.parse(JSON.stringify(found, (_, value) => (value?.type === "Buffer" ? { hex: Buffer.from(value.data).toString("hex") } : value)));
}

const readers = { engine: packetsOf, socket: packetOf, whole: wholeOf };
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = texts.map((text) => {
  try {
    return { packet: readers[which](text) };
  } catch (error) {
    return { refused: error.message };
  }
});
process.stdout.write(JSON.stringify(answers));
