// Meta's own SDK for Node, `facebook-nodejs-business-sdk`: the base address is a static getter of its API class.
const assert = require('assert');
const { FacebookAdsApi, Page, User } = require('facebook-nodejs-business-sdk');

const { GRAPH_FACEBOOK, USER_TOKEN, CUSTOMER, PAGE } = process.env;
Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => GRAPH_FACEBOOK });
const api = (token) => new FacebookAdsApi(token, 'en_US', false);
const recipient = { id: CUSTOMER };

(async () => {
  const person = api(USER_TOKEN);
  const me = await new User('me', {}, undefined, person).get([]);
  assert.ok(me.name && me.id);
  const accounts = await new User('me', {}, undefined, person).getAccounts(['name', 'access_token'], { limit: 1 });
  assert.strictEqual(accounts[0].id, PAGE);

  const page = new Page(PAGE, {}, undefined, api(accounts[0].access_token));
  await page.createMessage([], {
    recipient,
    messaging_type: Page.MessagingType.response,
    message: { text: "from Meta's SDK for Node: é 🙂" },
  });
  await page.createMessage([], { recipient, sender_action: Page.SenderAction.typing_on });
  await page.createSubscribedApp([], { subscribed_fields: ['messages'] });
  await page.createMessageAttachment([], {
    platform: 'INSTAGRAM',
    message: { attachment: { type: 'image', payload: { url: 'https://cdn.example.com/a.jpg' } } },
  });

  let conversations = await page.getConversations(['id', 'participants'], { platform: 'INSTAGRAM', limit: 1 });
  const seen = [...conversations];
  while (conversations.hasNext()) {
    conversations = await conversations.next();
    seen.push(...conversations);
  }
  assert.strictEqual(new Set(seen.map((one) => one.id)).size, 2);

  const refused = await page.createMessage([], { recipient: { id: '1' }, message: { text: 'x' } }).catch((error) => error);
  assert.strictEqual(refused.status, 400);
  assert.strictEqual(refused.response.error_subcode, 2534014);
})().catch((error) => {
  console.error(error, error.response && error.response.data);
  process.exit(1);
});
