"""Three clients by other people: `fbmessenger`, `pymessenger` and `python-facebook-api`."""

import os

from fbmessenger import MessengerClient
from fbmessenger.elements import Text
from pyfacebook import FacebookError, GraphAPI
from pymessenger.bot import Bot

base = os.environ["GRAPH_FACEBOOK"]
token, secret, customer = os.environ["PAGE_TOKEN"], os.environ["APP_SECRET"], os.environ["CUSTOMER"]

client = MessengerClient(token, app_secret=secret)
client.graph_url = f"{base}/v25.0"
sent = client.send(Text("from fbmessenger").to_dict(), customer, messaging_type="RESPONSE")
assert sent["message_id"], sent
assert client.send_action("typing_on", customer) == {"recipient_id": customer}
profile = client.get_user_data(customer, fields=("name", "username"))
assert profile["username"], profile
set_up = {"platform": "instagram", "ice_breakers": [{"question": "Where?", "payload": "WHERE"}]}
assert client.set_messenger_profile(set_up) == {"result": "success"}

bot = Bot(token, app_secret=secret)
bot.graph_url = f"{base}/v25.0"
for answer in [
    bot.send_text_message(customer, "from pymessenger"),
    bot.send_button_message(customer, "choose", [{"type": "postback", "title": "Yes", "payload": "YES"}]),
    bot.send_generic_message(customer, [{"title": "Shirt", "subtitle": "blue"}]),
    bot.send_image_url(customer, "https://cdn.example.com/a.jpg"),
]:
    assert answer["message_id"], answer
assert bot.send_action(customer, "mark_seen") == {"recipient_id": customer}

app = dict(
    app_id=os.environ["APP_ID"],
    app_secret=secret,
    base_url=f"{base}/",
    access_token_url=f"{base}/oauth/access_token",
    version="v25.0",
    ignore_version_check=True,
)
graph = GraphAPI(access_token=os.environ["USER_TOKEN"], **app)
page = os.environ["PAGE"]
assert graph.get_object("me")["name"]
assert graph.get_objects(page, fields="id,name")[page]["name"]
pages = graph.get_full_connections("me", "accounts", fields="id,access_token", count=5)
assert [one["id"] for one in pages["data"]] == [page], pages
assert graph.get_app_token()["access_token"]
assert graph.debug_token(os.environ["USER_TOKEN"], f"{app['app_id']}|{secret}")["data"]["is_valid"]
assert graph.exchange_page_access_token(page)
of_page = GraphAPI(access_token=token, **app)
assert of_page.get_objects(f"{page},me", fields="id")[page]["id"] == page
sent = of_page.post_object("me", "messages", params={}, data={
    "recipient": f'{{"id":"{customer}"}}', "message": '{"text":"from python-facebook-api"}',
})
assert sent["message_id"], sent
try:
    of_page.get_object("123456789012345")
    raise AssertionError("an unknown id was answered")
except FacebookError as error:
    assert error.code == 100, error

# The code of the dialog becomes a token the way OAuth libraries ask for it: with HTTP Basic.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # The simulator speaks HTTP on loopback.
dialog = f"{os.environ['WWW_FACEBOOK']}/dialog/oauth"
login = GraphAPI(oauth_flow=True, authorization_url=dialog, redirect_uri="https://inbox.example.com/back", scope=["pages_show_list"], **app)
address, state = login.get_authorization_url()
ticked = {"action": "continue", "page": page, "permission": "pages_show_list"}
back = login.session.post(address, data=ticked, allow_redirects=False).headers["location"]
login.exchange_user_access_token(response=back, redirect_uri="https://inbox.example.com/back", scope=["pages_show_list"])
assert login.exchange_long_lived_user_access_token()["expires_in"] > 5_000_000
