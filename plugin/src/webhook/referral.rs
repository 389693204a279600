//! Referrals: the ad, link or product that brought a customer to the conversation.
//! What belongs here is the object `referral`, wherever it occurs.

use channel_sdk::json::Json;
use channel_sdk::lenient::Notes;
use channel_sdk::names::referral_source;

use crate::types::{AdContext, Referral};

/// Parses a `referral` inside a message or postback, or beside them.
pub(super) fn read(notes: &mut Notes, value: &Json<'_>) -> Option<Referral> {
    if matches!(value, Json::Null) {
        return None;
    }
    // `type` is always OPEN_THREAD.
    let [reference, source, _, uri, product, ad_id, context] =
        notes.pick(value, &["ref", "source", "type", "referer_uri", "product", "ad_id", "ads_context_data"]);
    let [title, photo, video, post] = notes.pick(context, &["ad_title", "photo_url", "video_url", "post_id"]);
    let ad = AdContext {
        id: notes.id(ad_id),
        title: notes.text(title),
        photo_url: notes.text(photo),
        video_url: notes.text(video),
        post_id: notes.id(post),
    };
    let advertised = ad.id.is_some() || matches!(context, Json::Object(_));
    let product_id = notes.id_of(product);
    let source = match notes.text(source).as_deref() {
        Some("ADS") => referral_source::AD,
        // Meta's table uses the singular, its samples the plural.
        Some("SHORTLINK" | "SHORTLINKS") => referral_source::LINK,
        Some("CUSTOMER_CHAT_PLUGIN") => referral_source::CUSTOMER_CHAT,
        _ if advertised => referral_source::AD,
        _ if product_id.is_some() => referral_source::PRODUCT,
        Some(_) => {
            notes.unknown_member();
            referral_source::OTHER
        }
        None => referral_source::OTHER,
    };
    Some(Referral {
        source: source.to_owned(),
        ref_: notes.text(reference),
        url: notes.text(uri),
        product_id,
        ad: advertised.then_some(ad),
    })
}

/// Whether an ad brought the customer, which may keep the window open longer.
pub(super) fn is_ad(referral: Option<&Referral>) -> bool {
    referral.is_some_and(|referral| referral.source == referral_source::AD)
}
