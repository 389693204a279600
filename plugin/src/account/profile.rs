//! The profile of a contact: what Meta tells a business about a person who wrote to it.
//! What belongs here is that request and parsing its response.
//!
//! Source: Meta, "User Profile API" of the Instagram Platform. Meta returns nulls for some names and pictures, and
//! refuses with code 230 until the person has written.

use channel_sdk::json::Json;

use super::call::{Client, invalid, text};
use super::pages::image;
use super::{ContactProfile, Outcome};
use crate::outbound::is_id;
use crate::types::{Contact, Detail};

const FIELDS: &str =
    "name,username,profile_pic,follower_count,is_user_follow_business,is_business_follow_user,is_verified_user";

/// Meta's boolean fields: its name, ours, and the label.
const FLAGS: [(&str, &str, &str); 3] = [
    ("is_user_follow_business", "follows_business", "Follows the business"),
    ("is_business_follow_user", "followed_by_business", "Followed by the business"),
    ("is_verified_user", "verified", "Verified"),
];

fn detail(key: &str, label: &str, value: String) -> Detail {
    Detail { key: key.to_owned(), label: label.to_owned(), value }
}

/// Reads a contact's profile.
pub(super) fn read(client: &Client<'_>, contact: String) -> Outcome<ContactProfile> {
    if !is_id(&contact) {
        return Err(invalid("The contact's id is not one of Instagram's."));
    }
    let answer = client.read(&contact, client.settings.slot(), FIELDS)?;
    let body = answer.json();
    let mut details = Vec::new();
    if let Some(count) = body.get("follower_count").and_then(Json::whole) {
        details.push(detail("follower_count", "Followers", count.to_string()));
    }
    for (name, key, label) in FLAGS {
        if let Some(Json::Bool(flag)) = body.get(name) {
            details.push(detail(key, label, if *flag { "yes" } else { "no" }.to_owned()));
        }
    }
    Ok(ContactProfile {
        contact: Contact {
            id: contact,
            name: text(&body, "name"),
            username: text(&body, "username"),
            addresses: Vec::new(),
            language: None,
            details,
        },
        picture: text(&body, "profile_pic").map(image),
    })
}
