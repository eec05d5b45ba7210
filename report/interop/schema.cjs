// Validates report.json files with Ajv, a second implementation of JSON Schema 2020-12. Usage: node schema.cjs SCHEMA FILE…;
// modules are found by NODE_PATH. Strict mode also refuses a schema that says something it cannot mean.
const Ajv = require('ajv/dist/2020');
const formats = require('ajv-formats');
const fs = require('fs');

const read = (f) => JSON.parse(fs.readFileSync(f, 'utf8'));
const [schema, ...files] = process.argv.slice(2);
const ajv = new Ajv({ strict: true, allErrors: true });
formats(ajv);
const validate = ajv.compile(read(schema));
let bad = 0;
for (const f of files) {
  if (validate(read(f))) continue;
  bad++;
  for (const e of validate.errors) console.log(`${f}: ${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
}
console.log(`${files.length} files, ${bad} invalid`);
process.exit(bad || !files.length ? 1 : 0);
