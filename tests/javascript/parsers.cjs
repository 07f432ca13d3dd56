// The JavaScript parsers' answers: a JSON array of texts on stdin, one answer for each on stdout.
// argv[2] is the folder of node_modules, argv[3] "engine" (payloads) or "socket" (packets).
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

const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = texts.map((text) => {
  try {
    return { packet: which === "engine" ? packetsOf(text) : packetOf(text) };
  } catch (error) {
    return { refused: error.message };
  }
});
process.stdout.write(JSON.stringify(answers));
