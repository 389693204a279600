//! Addresses in messages: which are refused because the public internet does not reach them, and with which words.
//! What belongs here is addresses of files, cards and buttons; the other limits are in `outbound_limits.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::violation_code::*;
use common::*;
use instagram_channel::types::*;

#[test]
fn an_address_that_the_public_internet_does_not_reach_is_refused_wherever_it_stands() {
    let button = |address: &str| Button { title: "b".into(), action: ButtonAction::Url(address.into()) };
    let all = |address: &str| {
        let plain = Card { image_url: None, url: None, buttons: vec![], ..card("a") };
        let card = |card: Card| of(OutboundPart::Cards(vec![card]));
        let under = ButtonMessage { text: "t".into(), header: None, footer: None, buttons: vec![button(address)] };
        [
            of(OutboundPart::Media(vec![media(MediaKind::Image, url(address))])),
            card(Card { image_url: Some(address.into()), ..plain.clone() }),
            card(Card { url: Some(address.into()), ..plain.clone() }),
            card(Card { buttons: vec![button(address)], ..plain }),
            of(OutboundPart::Buttons(under)),
        ]
    };
    for host in [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "127.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.0.0.1",
        "127.0.0.0x1",
        "0177.0.0.1",
        "127.0.0.01",
        "93.184.216.034",
        "1.2.3.4.5",
        "a.1",
        "127.0.0.1.",
        "1.0x",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[fc00::1]",
        "[fd12::1]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[ff02::1]",
        "[100::1]",
        "[::1",
        "[1.2.3.4]",
        "[2606:4700::1]x",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "printer",
        "printer.local",
        "db.internal",
        "Db.Internal",
        "nas.home.arpa",
        "x.lan",
        "x.corp",
        "x.home",
        "localhost.localdomain",
        "example.com.",
        ".example.com",
        "example..com",
        "user@example.com",
        "user:pass@example.com",
        "@example.com",
        "example.com@127.0.0.1",
        "example.com:0",
        "example.com:65536",
        "example.com:x",
        "example.com:-1",
        "exam%70le.com",
        "%6c%6fcalhost",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        "\u{24db}ocalhost",
        "127\u{3002}0.0.1",
        "localhost\u{3002}",
        "x.\u{ff4c}ocal",
        "exa\u{200b}mple.com",
        "a.\u{2460}",
        "",
        " ",
        "example.com\\@127.0.0.1",
        "ex_ample.c_m",
        "a.c",
    ] {
        let address = format!("https://{host}/a.png");
        for found in all(&address) {
            assert_eq!(found, [INVALID_URL], "{address}");
        }
    }
    for address in [
        "ftp://example.com/a.png",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:image/png;base64,AA==",
        "gopher://example.com/",
        "//example.com/a.png",
        "https:/example.com/a.png",
        "https:example.com",
        "https://exa\tmple.com/a.png",
        "https\u{ff1a}//example.com/",
    ] {
        for found in all(address) {
            assert_eq!(found, [INVALID_URL], "{address}");
        }
    }
    for host in [
        "example.com",
        "EXAMPLE.com",
        "cdn.shop.example",
        "93.184.216.34",
        "172.32.0.1",
        "100.128.0.1",
        "[2606:4700::1111]",
        "[2606:4700::1111]:8443",
        "example.com:443",
        "example.com:8443",
        "ex\u{e4}mple.com",
        "\u{43f}\u{440}.\u{440}\u{444}",
        "xn--e1afmkfd.xn--p1ai",
        "my_bucket.s3.amazonaws.com",
        "0x.example.com",
        "127.0.0.1.example.com",
        "mylocal.com",
    ] {
        for found in all(&format!("https://{host}/a.png")) {
            assert_eq!(found, NONE, "{host}");
        }
    }
}

#[test]
fn a_refused_address_is_refused_with_its_own_reason() {
    let sentence = |address: &str| {
        let image = OutboundPart::Media(vec![media(MediaKind::Image, url(address))]);
        found(image, INVALID_URL).message
    };
    for host in ["127.1", "2130706433", "0177.0.0.1", "1.2.3.0377", "0x7f.1", "0x7f000001", "1.2.3.0X4", "127.0.0.1"] {
        let sentence = sentence(&format!("https://{host}/a.png"));
        assert!(sentence.contains("cannot be reached from the public internet"), "{host}: {sentence}");
    }
    for login in ["user", "user:word", "example.com", "127.0.0.1"] {
        let sentence = sentence(&format!("https://{login}@example.com/a.png"));
        assert!(sentence.contains("a user or a password"), "{login}: {sentence}");
    }
    for broken in ["example.com", "https://", "https://example..com/a.png", "https://example.com:0/a.png"] {
        assert!(sentence(broken).contains("complete public address"), "{broken}");
    }
}
