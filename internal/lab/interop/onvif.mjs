// Talks to simulated cameras with the npm package "onvif", a client by other people. Reads a list of devices as JSON from
// standard input and writes what the client understood of each as JSON. The first argument is the node_modules folder.
import http from 'node:http';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'x.js'));
const { Cam } = require('onvif');

// The package destroys a 401 answer and then goes on to read it: where header and body came together, it reports the refusal
// although its second try succeeds. What it does after destroying is dropped here.
const destroy = http.IncomingMessage.prototype.destroy;
http.IncomingMessage.prototype.destroy = function (err) {
  if (this.statusCode === 401) this.on = () => this;
  return destroy.call(this, err);
};

const ask = (cam, method, ...args) => new Promise((resolve, reject) => {
  cam[method](...args, (err, answer) => err ? reject(new Error(`${method}: ${err.message || err}`)) : resolve(answer));
});

async function visit(d) {
  const cam = new Cam({ hostname: d.host, port: d.port, path: d.path, username: d.user || undefined, password: d.password || undefined,
    timeout: 8000, preserveAddress: true, autoconnect: false, useWSSecurity: d.wsse });
  await ask(cam, 'connect');
  const info = await ask(cam, 'getDeviceInformation');
  const profiles = await ask(cam, 'getProfiles');
  const stream = await ask(cam, 'getStreamUri', { protocol: 'RTSP' });
  const scopes = await ask(cam, 'getScopes');
  const properties = await ask(cam, 'getEventProperties');
  const topics = [];
  await ask(cam, 'createPullPointSubscription');
  for (let i = 0; i < d.pulls; i++) {
    const answer = await ask(cam, 'pullMessages', { messageLimit: 10 });
    for (const m of [answer.notificationMessage || []].flat()) topics.push(m.topic._);
  }
  await ask(cam, 'renew');
  await ask(cam, 'unsubscribe');
  return { name: d.name, manufacturer: info.manufacturer, model: info.model, serial: String(info.serialNumber), profiles: profiles.length,
    analytics: Object.keys(profiles[0].videoAnalyticsConfiguration || profiles[0].analyticsConfiguration || {}), media2: !!cam.media2Support, stream: stream.uri, scopes: scopes.length,
    topicSet: Object.keys(properties.topicSet), topics };
}

const out = [];
for (const d of JSON.parse(readFileSync(0, 'utf8'))) {
  try { out.push(await visit(d)); } catch (e) { out.push({ name: d.name, error: e.message }); }
}
process.stdout.write(JSON.stringify(out));
process.exit(0);
