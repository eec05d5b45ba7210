// Reads a transcript with warcio (npm, 2.4.11) and prints one line of JSON per record.
// Usage: node read.mjs NODE_MODULES TRANSCRIPT
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, file] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), 'x.js'));
const { WARCParser } = require('warcio');

for await (const record of new WARCParser(createReadStream(file))) {
  const body = Buffer.from(await record.readFully(false));
  const header = (name) => record.warcHeader(name) ?? '';
  console.log(JSON.stringify({
    type: record.warcType, id: header('WARC-Record-ID'), uri: record.warcTargetURI ?? '', ctype: record.warcContentType,
    concurrent: header('WARC-Concurrent-To'), date: record.warcDate, status: record.httpHeaders ? record.httpHeaders.statusline : '',
    length: body.length, payload: header('WARC-Payload-Digest') === 'sha256:' + createHash('sha256').update(body).digest('hex'),
  }));
}
