//! A registry that wants the login for somebody else.

use channel_tests::registry::{USER, login};
use harness_package::registry::Options;

use crate::{
    fake::{Answer, Fake, Step, announced, sample, unannounced, whole},
    hostile::refused,
    sample::{VERSION, read},
};

#[tokio::test]
async fn a_blob_is_fetched_from_where_it_lies_without_the_login() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Fake::telling(|asked, _, _| {
        asked.path.starts_with("/storage").then(|| whole("200 OK", "", &sample().component))
    })
    .await;
    let location = format!("location: http://{}/storage?signed=yes\r\n", storage.authority);
    let fake = Fake::telling(move |asked, _, _| match asked.headers.get("authorization") {
        None => Some(whole("401 Unauthorized", "www-authenticate: Basic realm=\"x\"\r\n", b"")),
        Some(_) => Step::Layer.is_of(asked).then(|| whole("307 Temporary Redirect", &location, b"")),
    })
    .await;
    let logins = login(folder.path(), &fake.authority, USER);
    let options = Options { logins, plain_http: [storage.authority.clone()].into(), ..Options::default() };
    let (_, component, _) = read(&fake.registry(options), VERSION).await;
    assert_eq!(component, sample().component);
    assert_eq!(storage.asked().len(), 1);
    assert!(!storage.asked()[0].headers.contains_key("authorization"), "the login went along");
    assert!(fake.asked().iter().any(|asked| asked.headers.contains_key("authorization")));
}

#[tokio::test]
async fn the_login_goes_to_nobody_but_the_registry_and_its_own_token_service() {
    let folder = tempfile::tempdir().unwrap();
    let thief = Fake::telling(|_, _, _| Some(whole("200 OK", "", br#"{"token":"x"}"#))).await;
    let challenged = |realm: String| {
        Fake::telling(move |asked, _, _| match asked.headers.get("authorization").map(String::as_str) {
            _ if asked.path.starts_with("/token") => {
                Some(whole("200 OK", "", br#"{"token":"of-the-registry","expires_in":1}"#))
            }
            Some("Bearer of-the-registry") => None,
            _ => {
                let realm = realm.replace("SELF", &asked.headers["host"]);
                let headers = format!(
                    "www-authenticate: Bearer realm=\"{realm}\",service=\"a&b\",scope=\"repository:other/x:*\"\r\n"
                );
                Some(whole("401 Unauthorized", &headers, b""))
            }
        })
    };
    for (realm, word) in [
        (format!("http://{}/token", thief.authority), "another address"),
        ("https://tokens.example.com/token".to_owned(), "another address"),
        ("http://tokens.example.com/token".to_owned(), "no TLS"),
        ("https://127.0.0.1:1/token".to_owned(), "on this machine"),
        ("http://anna:x@SELF/token".to_owned(), "a login in it"),
        ("ftp://SELF/token".to_owned(), "no TLS"),
        ("/token".to_owned(), "no address"),
    ] {
        let fake = challenged(realm.clone()).await;
        let options = Options { logins: login(folder.path(), &fake.authority, USER), ..Options::default() };
        let sentence = refused(&fake.registry(options), &realm).await.to_string();
        assert!(sentence.contains(word), "{realm}: {sentence}");
    }
    assert!(thief.asked().is_empty());

    let fake = challenged("http://SELF/token?account=x".to_owned()).await;
    let options = Options { logins: login(folder.path(), &fake.authority, USER), ..Options::default() };
    read(&fake.registry(options), VERSION).await;
    let tokens: Vec<_> = fake.asked().into_iter().filter(|asked| asked.path.starts_with("/token")).collect();
    assert_eq!(tokens.len(), 1, "a token is used again");
    assert_eq!(tokens[0].path, "/token?account=x&service=a%26b&scope=repository%3Aacme%2Fweb-chat%3Apull");
    assert!(tokens[0].headers["authorization"].starts_with("Basic "));

    // Without a login, the service of a registry without TLS may be elsewhere on the machine.
    let fake = challenged(format!("http://{}/token", thief.authority)).await;
    refused(&fake.registry(Options::default()), "a token that is not taken").await;
    assert!(thief.asked().iter().all(|asked| !asked.headers.contains_key("authorization")));
    assert!(!thief.asked().is_empty());
}

#[tokio::test]
async fn a_token_service_that_lies_is_refused() {
    type Make = fn() -> Answer;
    let answers: [(&str, Make); 7] = [
        ("more than the 65536 bytes", || unannounced(65_537)),
        ("more than the 65536 bytes", || announced("200 OK", "", 1 << 30, b"{")),
        ("cannot be read", || whole("200 OK", "", b"<html>")),
        ("no token", || whole("200 OK", "", b"{}")),
        ("cannot be sent", || whole("200 OK", "", br#"{"token":"a\r\nhost: b"}"#)),
        ("HTTP 307", || whole("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", b"")),
        ("(401)", || whole("401 Unauthorized", "", b"")),
    ];
    for (word, answer) in answers {
        let fake = Fake::telling(move |asked, _, _| {
            if asked.path.starts_with("/token") {
                return Some(answer());
            }
            let realm = format!("www-authenticate: Bearer realm=\"http://{}/token\"\r\n", asked.headers["host"]);
            Some(whole("401 Unauthorized", &realm, b""))
        })
        .await;
        let sentence = refused(&fake.registry(Options::default()), word).await.to_string();
        assert!(sentence.contains(word), "{word}: {sentence}");
    }
}
