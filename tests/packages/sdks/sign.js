// Signs a statement with npm's `@sigstore/sign`: sign.js envelope|message STATEMENT PRIVATE_KEY BUNDLE
const { createHash, createPublicKey, sign } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const { bundleToJSON } = require('@sigstore/bundle');
const { DSSEBundleBuilder, MessageSignatureBundleBuilder } = require('@sigstore/sign');

const [kind, statementPath, keyPath, bundlePath] = process.argv.slice(2);
const privateKey = readFileSync(keyPath);
const publicKey = createPublicKey(privateKey);
const hint = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex');
const pem = publicKey.export({ type: 'spki', format: 'pem' });
const signer = {
  sign: async (bytes) => ({
    signature: sign('sha256', bytes, privateKey),
    key: { $case: 'publicKey', hint, publicKey: pem },
  }),
};
const Builder = kind === 'envelope' ? DSSEBundleBuilder : MessageSignatureBundleBuilder;

new Builder({ signer, witnesses: [] })
  .create({ data: readFileSync(statementPath), type: 'application/vnd.in-toto+json' })
  .then((bundle) => writeFileSync(bundlePath, JSON.stringify(bundleToJSON(bundle))));
