//! The profile of a contact: what Meta tells the business about a person who wrote to it.
//! What belongs here is that one request and its reading.
//!
//! Source: Meta, "User Profile API" of the Instagram Platform. Meta answers nulls for names and pictures,
//! and refuses with 230 until the person has written.

use channel_sdk::json::Json;

use super::call::{Client, invalid, text};
use super::pages::image;
use super::{ContactProfile, Outcome};
use crate::outbound::is_id;
use crate::types::Contact;

const FIELDS: &str =
    "name,username,profile_pic,follower_count,is_user_follow_business,is_business_follow_user,is_verified_user";

/// Reads a contact's profile.
pub(super) fn read(client: &Client<'_>, contact: String) -> Outcome<ContactProfile> {
    if !is_id(&contact) {
        return Err(invalid("The contact's id is not one of Instagram's."));
    }
    let answer = client.read(&contact, client.settings.slot(), FIELDS)?;
    let body = answer.json();
    let flag = |name: &str| match body.get(name) {
        Some(Json::Bool(flag)) => Some(*flag),
        _ => None,
    };
    Ok(ContactProfile {
        contact: Contact {
            id: contact,
            name: text(&body, "name"),
            username: text(&body, "username"),
            addresses: Vec::new(),
        },
        picture: text(&body, "profile_pic").map(image),
        follower_count: body.get("follower_count").and_then(Json::whole),
        follows_business: flag("is_user_follow_business"),
        followed_by_business: flag("is_business_follow_user"),
        verified: flag("is_verified_user"),
    })
}
