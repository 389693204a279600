// Verifies a bundle with npm's `@sigstore/verify`: verify.js BUNDLE PUBLIC_KEY COMPONENT
const assert = require('node:assert');
const { createHash, createPublicKey } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity } = require('@sigstore/verify');

const [bundlePath, keyPath, componentPath] = process.argv.slice(2);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const component = readFileSync(componentPath);
const bundle = bundleFromJSON(JSON.parse(readFileSync(bundlePath, 'utf8')));
const publicKey = createPublicKey(readFileSync(keyPath));
const known = sha256(publicKey.export({ type: 'spki', format: 'der' }));

const material = {
  certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [],
  publicKey: (hint) => {
    assert.strictEqual(hint, known, 'another key');
    return { publicKey, validFor: () => true };
  },
};
const verifier = new Verifier(material, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 });
verifier.verify(toSignedEntity(bundle, component));
// For an envelope the library leaves the comparison to its caller.
const { payload, payloadType } = bundle.content.dsseEnvelope;
assert.strictEqual(payloadType, 'application/vnd.in-toto+json');
assert.strictEqual(JSON.parse(payload).subject[0].digest.sha256, sha256(component), 'another component');
