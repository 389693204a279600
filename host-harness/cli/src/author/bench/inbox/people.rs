//! Owns: generated conversations: which customer writes which message when, as webhooks of the platform. The same number is
//! the same message in every run.
//! Does not own: words (`texts`), sending them.

use simulator::{
    CustomerProfile, MessageId,
    webhook::{
        attachment::Attachment,
        envelope::{Entry, Envelope},
        item::{Item, Kind, MessageBody, ReplyTo},
    },
};

use super::{super::ACCOUNT, texts::LANGUAGES};

/// Messages for each conversation, on average.
const MESSAGES_EACH: u64 = 100;
/// Conversations from the first message on.
const FIRST_CUSTOMERS: u64 = 20;

/// When messages were written: the first, and how far apart they are, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) first: u64,
    pub(super) apart: u64,
}

/// How far back the first message was written, in milliseconds.
pub(super) const SPAN_MS: u64 = 60 * 24 * 3_600_000;

impl Times {
    /// When a message was written. Those beyond the span are a millisecond apart, so that none is of a time to come.
    fn at(self, number: u64) -> u64 {
        let within = number.min(SPAN_MS / self.apart.max(1));
        self.first + within * self.apart + (number - within)
    }
}

/// A number without a pattern, different for each input (SplitMix64).
fn mixed(number: u64, what: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(what.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn pick<T>(from: &[T], number: u64) -> Option<&T> {
    from.get(usize::try_from(number % u64::try_from(from.len()).ok()?.max(1)).ok()?)
}

/// How many customers there are when this message is written.
pub(super) fn customers(number: u64) -> u64 {
    FIRST_CUSTOMERS.max(number / MESSAGES_EACH)
}

/// Whose conversation a message is in: now and then a new one's, otherwise by Zipf's law, so that few write much.
fn customer(number: u64) -> u64 {
    let known = customers(number);
    if number.is_multiple_of(MESSAGES_EACH) && number / MESSAGES_EACH >= FIRST_CUSTOMERS {
        return known;
    }
    let chance = mixed(number, 1) as f64 / u64::MAX as f64;
    // The inverse of the distribution with exponent 1, as good as continuous.
    let rank = ((known + 1) as f64).powf(chance) as u64 - 1;
    rank.min(known.saturating_sub(1))
}

/// The platform's id of a customer.
pub(super) fn igsid(customer: u64) -> String {
    format!("{}", 5_551_000_000_000_000 + customer)
}

/// The profile of a customer.
pub(super) fn profile(customer: u64, profile: &mut CustomerProfile) {
    let Some(language) = pick(LANGUAGES, mixed(customer, 2)) else { return };
    let given = pick(language.given, mixed(customer, 3)).copied().unwrap_or_default();
    let family = pick(language.family, mixed(customer, 4)).copied().unwrap_or_default();
    profile.name = Some(format!("{given} {family}"));
    profile.username = format!("customer.{customer}");
    profile.profile_pic = None;
}

/// A text: one to three sentences of the customer's language, with numbers of orders that are all different.
fn text(customer: u64, number: u64) -> String {
    let Some(language) = pick(LANGUAGES, mixed(customer, 2)) else { return String::new() };
    let sentences = (0..=mixed(number, 5) % 3).filter_map(|at| pick(language.sentences, mixed(number, 6 + at)));
    let order = order(number);
    sentences.map(|sentence| sentence.replace("{}", &order)).collect::<Vec<_>>().join(" ")
}

/// The number of an order that message `number` may name.
pub(super) fn order(number: u64) -> String {
    format!("AB{:07}", mixed(number, 9) % 10_000_000)
}

fn mid(customer: u64, number: u64, at: u64) -> String {
    let thread = format!("{:021}", 340_282_366_841_710_301_244_276_u128 + u128::from(customer));
    let item = (u128::from(at * 1000) << 64) + u128::from(mixed(number, 10));
    MessageId { ig_id: ACCOUNT.to_owned(), thread, item }.encode()
}

/// Message `number`: customers write two of three, the business answers in the platform's app.
fn item(number: u64, times: Times) -> Item {
    let (customer, of_business) = (customer(number), mixed(number, 11).is_multiple_of(3));
    let address = |kind: &str| format!("https://lookaside.fbsbx.com/{kind}/{:016x}", mixed(number, 12));
    let one = |attachment: Attachment| MessageBody::attachments([attachment]);
    let body = match mixed(number, 13) % 100 {
        0..8 => one(Attachment::image(&address("image"))),
        8..10 => one(Attachment::video(&address("video"))),
        10..12 => one(Attachment::audio(&address("audio"))),
        12..15 if !of_business => {
            one(Attachment::ig_post("17900000000000001", "Tall vase, river green", &address("post")))
        }
        15..18 => {
            // The conversation's first message is known, as far as it has one of its own.
            let first = customer * MESSAGES_EACH;
            let body = MessageBody::text(text(customer, number));
            if customer < FIRST_CUSTOMERS || first >= number {
                body
            } else {
                body.replying_to(ReplyTo::mid(mid(customer, first, times.at(first))))
            }
        }
        18 if !of_business => {
            MessageBody::text(text(customer, number)).replying_to(ReplyTo::story("17900000000000003", address("story")))
        }
        19 if !of_business => one(Attachment::like_heart()),
        _ => MessageBody::text(text(customer, number)),
    };
    let body = MessageBody { mid: mid(customer, number, times.at(number)), is_echo: of_business, ..body };
    let timestamp = i64::try_from(times.at(number)).unwrap_or(i64::MAX);
    let customer = igsid(customer);
    let (sender, recipient) = if of_business { (ACCOUNT, &*customer) } else { (&*customer, ACCOUNT) };
    Item::new(sender, recipient, timestamp, Kind::Message(body))
}

/// A delivery with these messages.
pub(super) fn delivery(numbers: std::ops::Range<u64>, times: Times) -> Vec<u8> {
    let newest = i64::try_from(times.at(numbers.end)).unwrap_or(i64::MAX);
    let items = numbers.map(|number| item(number, times)).collect();
    Envelope::new(vec![Entry::messaging(ACCOUNT, newest, items)]).to_wire()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn few_conversations_have_most_messages_and_all_have_some() {
        let mut counts: HashMap<u64, u64> = HashMap::new();
        for number in 0..100_000 {
            *counts.entry(customer(number)).or_default() += 1;
        }
        let largest = counts.values().max().copied().unwrap_or(0);
        assert!((5_000..20_000).contains(&largest), "{largest}");
        assert_eq!(counts.len() as u64, 1000);
        let times = Times { first: 1_790_000_000_000, apart: 10 };
        assert_eq!(delivery(5..9, times), delivery(5..9, times));
        assert_ne!(delivery(5..9, times), delivery(6..10, times));
    }

    #[test]
    fn however_many_messages_there_are_their_times_ascend_and_have_come() {
        let times = Times { first: 1_000, apart: SPAN_MS / 4 };
        let all: Vec<_> = [0, 1, 4, 5, 1_004].into_iter().map(|number| times.at(number) - 1_000).collect();
        assert_eq!(all, [0, SPAN_MS / 4, SPAN_MS, SPAN_MS + 1, SPAN_MS + 1_000]);
    }
}
