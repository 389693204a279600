// A client by other people, `messaging-api-messenger` (bottender's): it takes another origin as an option.
const assert = require('assert');
const { MessengerClient, MessengerBatch } = require('messaging-api-messenger');

const { GRAPH_FACEBOOK, PAGE_TOKEN, APP_ID, APP_SECRET, CUSTOMER } = process.env;
const client = new MessengerClient({
  accessToken: PAGE_TOKEN, appId: APP_ID, appSecret: APP_SECRET, version: '25.0', origin: GRAPH_FACEBOOK,
});

(async () => {
  assert.ok((await client.getPageInfo()).name);
  assert.ok((await client.sendText(CUSTOMER, 'from messaging-api-messenger')).messageId);
  await client.typingOn(CUSTOMER);
  await client.sendImage(CUSTOMER, 'https://cdn.example.com/a.jpg');
  await client.sendText(CUSTOMER, 'choose', { quickReplies: [{ contentType: 'text', title: 'Yes', payload: 'YES' }] });
  assert.ok((await client.getUserProfile(CUSTOMER, { fields: ['name', 'username'] })).username);
  assert.strictEqual((await client.getThreadOwner(CUSTOMER)).appId, APP_ID);
  const answers = await client.sendBatch([
    MessengerBatch.sendText(CUSTOMER, 'one of a batch'),
    MessengerBatch.sendText(CUSTOMER, 'two of a batch'),
    MessengerBatch.sendText('1', 'to nobody'),
  ]);
  assert.deepStrictEqual(answers.map((answer) => answer.code), [200, 200, 400]);
  assert.strictEqual(answers[2].body.error.errorSubcode || answers[2].body.error.error_subcode, 2534014);
})().catch((error) => {
  console.error(error, error.response && error.response.data);
  process.exit(1);
});
