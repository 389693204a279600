"""Meta's own SDK for Python, `facebook-business`: the base address is a class attribute of its session."""

import os

from facebook_business.adobjects.page import Page
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

FacebookSession.GRAPH = os.environ["GRAPH_FACEBOOK"]
customer = {"id": os.environ["CUSTOMER"]}


def api(token):
    session = FacebookSession(os.environ["APP_ID"], os.environ["APP_SECRET"], token)
    return FacebookAdsApi(session)


person = api(os.environ["USER_TOKEN"])
me = User("me", api=person).api_get()
assert me["name"] and me["id"], me
accounts = list(User("me", api=person).get_accounts(fields=["name", "access_token", "tasks"], params={"limit": 1}))
assert accounts[0]["id"] == os.environ["PAGE"], accounts

messenger = api(accounts[0]["access_token"])
page = Page(os.environ["PAGE"], api=messenger)
page.create_message(params={
    "recipient": customer,
    "messaging_type": Page.MessagingType.response,
    "message": {"text": "from Meta's SDK for Python: é 🙂"},
})
page.create_message(params={"recipient": customer, "sender_action": Page.SenderAction.typing_on})
page.create_message_attachment(params={
    "platform": "INSTAGRAM",
    "message": {"attachment": {"type": "image", "payload": {"url": "https://cdn.example.com/a.jpg", "is_reusable": True}}},
})
page.create_subscribed_app(params={"subscribed_fields": [Page.SubscribedFields.messages]
                                   if hasattr(Page, "SubscribedFields") else ["messages"]})
page.create_messenger_profile(params={
    "platform": "INSTAGRAM",
    "ice_breakers": [{"question": "Where are you?", "payload": "WHERE"}],
})

# Conversations page by page, over the cursor of the SDK.
found = list(page.get_conversations(fields=["id", "participants"], params={"platform": "INSTAGRAM", "limit": 1}))
assert len(found) == 2, found

batch = messenger.new_batch()
answers = []
for text in ["one of a batch", "two of a batch"]:
    page.create_message(
        params={"recipient": customer, "message": {"text": text}},
        batch=batch,
        success=answers.append,
        failure=lambda answer: (_ for _ in ()).throw(answer.error()),
    )
batch.execute()
assert len(answers) == 2 and all(answer.json()["message_id"] for answer in answers), answers

try:
    page.create_message(params={"recipient": {"id": "1"}, "message": {"text": "x"}})
    raise AssertionError("a message to nobody was taken")
except FacebookRequestError as error:
    assert (error.api_error_code(), error.api_error_subcode()) == (100, 2534014), error
try:
    page.api_get(fields=["fan_count"])
    raise AssertionError("a field was invented")
except FacebookRequestError as error:
    assert (error.http_status(), error.api_error_type()) == (501, "SimulatorNotPlayed"), error
