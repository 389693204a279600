//! Signing in at an identity provider: who comes in, what proves nothing, and that it is proved to one browser once.
//! Not here: passwords, sessions and what people may do (`users`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::HashMap, time::Duration};

use channel_tests::{
    Answer, files_with,
    provider::{Impostor, RealProvider, SigningKey, part},
    sandbox_config, secret,
    team::{Browser, PASSWORD, Team},
};
use harness_engine::{Clock, Host, HostOptions};
use harness_inbox::WorkspaceId;
use harness_server::{ProviderOptions, SignInOptions};
use serde_json::{Value, json};

const SECRET: &str = "secret:of+this host";

fn provider(id: &str, issuer: &str) -> ProviderOptions {
    ProviderOptions {
        id: id.into(),
        name: "Acme <ID>".into(),
        issuer: issuer.into(),
        client_id: "inbox".into(),
        client_secret: secret(SECRET),
        domains: Vec::new(),
        workspace: WorkspaceId::FIRST,
    }
}

/// A host whose people sign in at these; which of them may be called stands in its configuration.
async fn team(options: SignInOptions, callable: &[&str]) -> Team {
    let (clock, folder) = (Clock::default(), tempfile::tempdir().unwrap());
    let private_hosts = callable.iter().map(|issuer| issuer.trim_start_matches("http://").to_owned()).collect();
    let sandbox = sandbox_config();
    let options_of_host =
        HostOptions { sandbox, clock: clock.clone(), private_hosts, ..HostOptions::in_folder(folder.path()) };
    let host = Host::open(options_of_host).await.unwrap();
    Team::with(host, clock, folder, |access, _| access.with_sign_in(options)).await
}

async fn team_at(providers: Vec<ProviderOptions>) -> Team {
    let issuers: Vec<_> = providers.iter().map(|one| one.issuer.clone()).collect();
    let callable: Vec<_> = issuers.iter().map(String::as_str).collect();
    team(SignInOptions { password: true, providers }, &callable).await
}

async fn get(browser: &Browser, path: &str) -> Answer {
    browser.send("GET", path, &[("sec-fetch-site", "cross-site")], Vec::new()).await
}

fn place(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.headers["location"].to_str().unwrap().to_owned()
}

async fn me(browser: &Browser) -> Value {
    browser.ask("GET", "/api/v1/me", &Value::Null).await.json()
}

/// Goes to the real provider and back, as a browser is sent.
async fn round(team: &Team, real: &RealProvider, browser: &Browser) -> Answer {
    let start = place(&get(browser, "/sign-in/acme?next=/inbox%3Funread%3D1").await);
    let back = real.visit(&start).await;
    get(browser, back.strip_prefix(&team.address).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn at_somebody_elses_provider_the_invited_and_those_of_the_mail_domain_come_in_and_nobody_else() {
    let real = RealProvider::new();
    let mut acme = provider("acme", &real.issuer);
    acme.domains = vec!["Open.example".into()];
    let team = team_at(vec![acme]).await;
    real.serves(&format!("{}/sign-in/acme/callback", team.address)).await;
    let page = team.browser().ask("GET", "/sign-in?next=/help", &Value::Null).await.body;
    assert!(page.contains("Continue with Acme &lt;ID&gt;") && page.contains("/sign-in/acme?next=%2Fhelp"), "{page}");

    // Nobody knows her yet.
    real.person(json!({ "id": "1", "email": "Kim@shop.example", "email_verified": true, "name": "Kim Lee" })).await;
    let stranger = team.browser();
    let refused = round(&team, &real, &stranger).await;
    assert!(
        refused.status == 403 && refused.body.contains("Nobody is invited as kim@shop.example"),
        "{}",
        refused.body
    );
    assert_eq!(stranger.status("/api/v1/me").await, 401);
    // Invited, she comes in where she wanted to go; the invitation is used up.
    team.invited(None, "kim@shop.example", "admin").await;
    let kim = team.browser();
    assert_eq!(place(&round(&team, &real, &kim).await), "/inbox?unread=1");
    let first = me(&kim).await;
    assert_eq!(
        (&first["email"], &first["name"], &first["role"]),
        (&json!("kim@shop.example"), &json!("Kim Lee"), &json!("admin"))
    );
    let left = team.operator("GET", "/api/v1/invitations", &Value::Null).await.json();
    assert_eq!(left["data"], json!([]));
    assert!(!kim.cookies().contains_key("sign-in"), "{:?}", kim.cookies());
    // She stays herself when her address there becomes another, even one that is not verified.
    real.person(json!({ "id": "1", "email": "married@other.example", "email_verified": false })).await;
    let other = team.browser();
    round(&team, &real, &other).await;
    assert_eq!(me(&other).await["id"], first["id"]);
    // Whoever gets her address at the provider is not her.
    real.person(json!({ "id": "2", "email": "kim@shop.example", "email_verified": true })).await;
    let heir = round(&team, &real, &team.browser()).await;
    assert!(heir.status == 403 && heir.body.contains("belongs to somebody here"), "{}", heir.body);
    // An address that is not verified joins nobody, neither to a person nor to an invitation nor by its domain.
    team.join("lee@shop.example", "agent").await;
    team.invited(None, "pat@shop.example", "admin").await;
    for email in ["lee@shop.example", "pat@shop.example", "somebody@open.example"] {
        for verified in [json!(false), Value::Null, json!("yes"), json!(1)] {
            real.person(json!({ "id": "3", "email": email, "email_verified": verified })).await;
            let answer = round(&team, &real, &team.browser()).await;
            assert!(answer.status == 403 && answer.body.contains("has not verified"), "{email}: {}", answer.body);
        }
    }
    real.person(json!({ "id": "3" })).await;
    assert!(round(&team, &real, &team.browser()).await.body.contains("tells no email address"));
    // Somebody who has a password keeps it.
    real.person(json!({ "id": "4", "email": "lee@shop.example", "email_verified": true })).await;
    let lee = team.browser();
    round(&team, &real, &lee).await;
    assert_eq!(me(&lee).await["name"], "lee");
    assert_eq!(team.browser().sign_in("lee@shop.example", PASSWORD).await.status, 201);
    // The domain is open; a domain that ends like it is another.
    real.person(json!({ "id": "5", "email": "sam@open.example", "email_verified": true, "name": "<b>Sam</b>" })).await;
    let sam = team.browser();
    round(&team, &real, &sam).await;
    assert_eq!((&me(&sam).await["role"], &me(&sam).await["name"]), (&json!("agent"), &json!("<b>Sam</b>")));
    for email in ["sam@not-open.example", "sam@open.example.evil.example", "sam@x.open.example"] {
        real.person(json!({ "id": "6", "email": email, "email_verified": true })).await;
        assert_eq!(round(&team, &real, &team.browser()).await.status, 403, "{email}");
    }
    // Disabled, they stay out. Cancelled, they are told so.
    let disable = json!({ "disabled": true });
    let path = format!("/api/v1/users/{}", me(&sam).await["id"].as_str().unwrap());
    assert_eq!(team.operator("PATCH", &path, &disable).await.status, 200);
    real.person(json!({ "id": "5", "email": "sam@open.example", "email_verified": true })).await;
    assert!(round(&team, &real, &team.browser()).await.body.contains("You cannot sign in here any more"));
    real.person(json!({ "id": null })).await;
    let cancelled = round(&team, &real, &team.browser()).await;
    assert!(cancelled.status == 403 && cancelled.body.contains("You did not finish signing in"), "{}", cancelled.body);
    for cookie in kim.cookies().values().map(String::as_str).chain([SECRET]) {
        assert_eq!(files_with(team.folder.path(), cookie), Vec::<std::path::PathBuf>::new());
    }
}

/// A stand-in for a provider, with a host that trusts it.
struct Stage {
    impostor: Impostor,
    key: SigningKey,
    team: Team,
}

impl Stage {
    async fn new() -> Self {
        let (impostor, key) = (Impostor::new().await, SigningKey::new("one"));
        impostor.set(|says| says.keys = vec![key.public()]);
        let mut acme = provider("acme", &impostor.issuer);
        acme.domains = vec!["shop.example".into()];
        let team = team_at(vec![acme]).await;
        Self { impostor, key, team }
    }

    /// Begins in this browser: what the provider is asked for.
    async fn start(&self, browser: &Browser) -> HashMap<String, String> {
        let url: url::Url = place(&get(browser, "/sign-in/acme").await).parse().unwrap();
        url.query_pairs().into_owned().collect()
    }

    /// The claims of a token that is right.
    fn claims(&self, asked: &HashMap<String, String>) -> Value {
        let now = self.team.clock.now() / 1000;
        json!({
            "iss": self.impostor.issuer, "aud": "inbox", "sub": "s-1", "exp": now + 300, "iat": now,
            "nonce": asked["nonce"], "email": "kim@shop.example", "email_verified": true,
        })
    }

    async fn back(&self, browser: &Browser, asked: &HashMap<String, String>) -> Answer {
        get(browser, &format!("/sign-in/acme/callback?code=c-1&state={}", asked["state"])).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_wrong_in_any_point_signs_nobody_in() {
    let stage = Stage::new().await;
    let now = stage.team.clock.now() / 1000;
    let with = |changes: Value| {
        move |stage: &Stage, mut claims: Value| {
            for (name, value) in changes.as_object().unwrap() {
                claims[name] = value.clone();
            }
            stage.key.token(&claims)
        }
    };
    let header = |header: Value| move |stage: &Stage, claims: Value| stage.key.token_with(&header, &claims);
    type Forgery = Box<dyn Fn(&Stage, Value) -> String>;
    let forgeries: Vec<(&str, Forgery)> = vec![
        ("another sign-in's nonce", Box::new(with(json!({ "nonce": "another" })))),
        ("no nonce", Box::new(with(json!({ "nonce": "" })))),
        ("another client's", Box::new(with(json!({ "aud": "another" })))),
        ("for several, and does not say for whom", Box::new(with(json!({ "aud": ["inbox", "another"] })))),
        ("made for another", Box::new(with(json!({ "aud": ["inbox", "another"], "azp": "another" })))),
        ("another issuer", Box::new(with(json!({ "iss": "https://accounts.example" })))),
        ("expired", Box::new(with(json!({ "exp": now - 61 })))),
        ("made long ago", Box::new(with(json!({ "iat": now - 3600 })))),
        ("made in the future", Box::new(with(json!({ "iat": now + 3600, "exp": now + 7200 })))),
        ("not yet good", Box::new(with(json!({ "nbf": now + 3600 })))),
        ("about nobody", Box::new(with(json!({ "sub": "" })))),
        ("about a novel", Box::new(with(json!({ "sub": "x".repeat(256) })))),
        ("no time", Box::new(with(json!({ "exp": Value::Null })))),
        ("another key of the same name", Box::new(|_, claims| SigningKey::new("one").token(&claims))),
        ("a key that is not published", Box::new(|_, claims| SigningKey::new("two").token(&claims))),
        ("alg none", Box::new(|_, claims| format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims)))),
        ("alg none, with a signature", Box::new(header(json!({ "alg": "none", "kid": "one" })))),
        (
            "signed with the secret",
            Box::new(|_, claims| {
                let signed = format!("{}.{}", part(&json!({ "alg": "HS256" })), part(&claims));
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
                let signature = ring::hmac::sign(&key, signed.as_bytes());
                format!(
                    "{signed}.{}",
                    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature)
                )
            }),
        ),
        ("an RSA algorithm with a curve's key", Box::new(header(json!({ "alg": "RS256" })))),
        ("something critical", Box::new(header(json!({ "alg": "ES256", "crit": ["b64"], "b64": false })))),
        (
            "changed after it was signed",
            Box::new(|stage, mut claims| {
                let token = stage.key.token(&claims);
                claims["sub"] = json!("s-2");
                let pieces: Vec<_> = token.split('.').collect();
                format!("{}.{}.{}", pieces[0], part(&claims), pieces[2])
            }),
        ),
        ("no token", Box::new(|_, _| "a.b".into())),
        ("four parts", Box::new(|stage, claims| format!("{}.x", stage.key.token(&claims)))),
    ];
    for (what, forge) in forgeries {
        let browser = stage.team.browser();
        let asked = stage.start(&browser).await;
        let token = forge(&stage, stage.claims(&asked));
        stage.impostor.set(|says| says.token = token);
        let answer = stage.back(&browser, &asked).await;
        assert_eq!(answer.status, 502, "{what}: {}", answer.body);
        assert!(answer.body.contains("so you are not signed in"), "{what}: {}", answer.body);
        assert_eq!(browser.status("/api/v1/me").await, 401, "{what}");
    }
    // The same without anything wrong, as one audience, and for several that name this one.
    for changes in [json!({}), json!({ "aud": ["inbox"] }), json!({ "aud": ["inbox", "x"], "azp": "inbox" })] {
        let browser = stage.team.browser();
        let asked = stage.start(&browser).await;
        let token = with(changes)(&stage, stage.claims(&asked));
        stage.impostor.set(|says| says.token = token);
        assert_eq!(place(&stage.back(&browser, &asked).await), "/");
        assert_eq!(me(&browser).await["email"], "kim@shop.example");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_counts_in_the_browser_that_began_once_and_from_the_provider_that_was_asked() {
    let stage = Stage::new().await;
    let (victim, attacker) = (stage.team.browser(), stage.team.browser());
    let asked = stage.start(&attacker).await;
    assert_eq!(asked["redirect_uri"], format!("{}/sign-in/acme/callback", stage.team.address));
    assert_eq!((asked["response_type"].as_str(), asked["kept"].as_str()), ("code", "1"));
    stage.impostor.set(|says| says.token = stage.key.token(&stage.claims(&asked)));
    // Somebody is led to the end of another's sign-in: in a browser that began nothing, and in one that began its own.
    assert_eq!(stage.back(&victim, &asked).await.status, 400);
    stage.start(&victim).await;
    let led = stage.back(&victim, &asked).await;
    assert!(led.status == 400 && led.body.contains("begun in another browser"), "{}", led.body);
    assert_eq!(victim.status("/api/v1/me").await, 401);
    assert!(stage.impostor.get(|says| says.redeemed.is_empty()), "no code was even tried");
    for wrong in ["code=c", "code=c&state=", "code=c&state=a&state=b", "", "error=access_denied"] {
        assert_eq!(get(&attacker, &format!("/sign-in/acme/callback?{wrong}")).await.status, 400, "{wrong}");
    }
    // Another issuer than the one that was asked.
    let mixed = format!("/sign-in/acme/callback?code=c&state={}&iss=https%3A%2F%2Fevil.example", asked["state"]);
    assert_eq!(get(&attacker, &mixed).await.status, 502);
    // The verifier is the one of the challenge, the secret is in its place.
    let before = attacker.copied();
    assert_eq!(place(&stage.back(&attacker, &asked).await), "/");
    let redeemed = stage.impostor.get(|says| says.redeemed.clone());
    let [form] = &redeemed[..] else { panic!("{redeemed:?}") };
    let form: HashMap<_, _> = form.iter().cloned().collect();
    let digest = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    let challenge = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest);
    assert_eq!((&asked["code_challenge"], asked["code_challenge_method"].as_str()), (&challenge, "S256"));
    assert_eq!((form["code"].as_str(), &form["redirect_uri"]), ("c-1", &asked["redirect_uri"]));
    // Again, with everything that there was, and a provider that takes a code twice.
    assert_eq!(stage.back(&before, &asked).await.status, 400);
    assert_eq!(before.status("/api/v1/me").await, 401);
    // A word of the provider's is shown as text.
    let asked = stage.start(&victim).await;
    let refused = format!("/sign-in/acme/callback?error=%3Cb%3Eno&state={}", asked["state"]);
    let refused = get(&victim, &refused).await;
    assert!(refused.status == 403 && refused.body.contains("&lt;b&gt;no"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_providers_cannot_be_taken_for_each_other() {
    let (honest, evil, key) = (Impostor::new().await, Impostor::new().await, SigningKey::new("one"));
    for one in [&honest, &evil] {
        one.set(|says| says.keys = vec![key.public()]);
    }
    let team = team_at(vec![provider("honest", &honest.issuer), provider("evil", &evil.issuer)]).await;
    let browser = team.browser();
    let url: url::Url = place(&get(&browser, "/sign-in/evil").await).parse().unwrap();
    let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
    // The evil one sends the browser to the honest one with what it was asked, and the code comes to the honest one's
    // address here; or the other way about.
    let mixed = get(&browser, &format!("/sign-in/honest/callback?code=c&state={}", asked["state"])).await;
    assert_eq!(mixed.status, 400);
    assert!(honest.get(|says| says.redeemed.is_empty()) && evil.get(|says| says.redeemed.is_empty()));
    // One that announces that it says who it is has to.
    evil.set(|says| says.metadata = json!({ "authorization_response_iss_parameter_supported": true }));
    let team = team_at(vec![provider("evil", &evil.issuer)]).await;
    let browser = team.browser();
    let url: url::Url = place(&get(&browser, "/sign-in/evil").await).parse().unwrap();
    let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
    let silent = get(&browser, &format!("/sign-in/evil/callback?code=c&state={}", asked["state"])).await;
    assert_eq!(silent.status, 502);
    // One that calls itself another is not asked any further.
    evil.set(|says| says.issuer = Some(honest.issuer.clone()));
    let team = team_at(vec![provider("evil", &evil.issuer)]).await;
    assert_eq!(get(&team.browser(), "/sign-in/evil").await.status, 502);
    assert_eq!(get(&team.browser(), "/sign-in/nobody").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_may_change_its_keys_and_cannot_be_made_to_give_them_out_for_ever() {
    let stage = Stage::new().await;
    let sign_in = async |key: &SigningKey| {
        let browser = stage.team.browser();
        let asked = stage.start(&browser).await;
        stage.impostor.set(|says| says.token = key.token(&stage.claims(&asked)));
        stage.back(&browser, &asked).await.status
    };
    assert_eq!(sign_in(&stage.key).await, 303);
    assert_eq!(sign_in(&stage.key).await, 303);
    assert_eq!(stage.impostor.get(|says| says.fetched), 1);
    stage.team.advance(Duration::from_secs(60));
    let new = SigningKey::new("two");
    stage.impostor.set(|says| says.keys = vec![new.public()]);
    assert_eq!(sign_in(&new).await, 303, "a key that it has now");
    assert_eq!(sign_in(&stage.key).await, 502, "a key that it has withdrawn");
    for _ in 0..5 {
        assert_eq!(sign_in(&SigningKey::new("unknown")).await, 502);
    }
    assert_eq!(stage.impostor.get(|says| says.fetched), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_only_at_the_providers_endpoint_for_it_is_asked_there_and_is_about_the_same_person() {
    let stage = Stage::new().await;
    let sign_in = async |sub: &str| {
        let browser = stage.team.browser();
        let asked = stage.start(&browser).await;
        let mut claims = stage.claims(&asked);
        claims.as_object_mut().unwrap().retain(|name, _| !name.starts_with("email"));
        let said = json!({ "sub": sub, "email": "kim@shop.example", "email_verified": "true" });
        stage.impostor.set(|says| (says.token, says.userinfo) = (stage.key.token(&claims), said));
        stage.back(&browser, &asked).await.status
    };
    assert_eq!(sign_in("s-2").await, 502);
    assert_eq!(sign_in("s-1").await, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_in_the_own_network_is_called_only_if_the_operator_lists_it() {
    let impostor = Impostor::new().await;
    let options = || SignInOptions { password: true, providers: vec![provider("acme", &impostor.issuer)] };
    let refused = team(options(), &[]).await;
    let answer = get(&refused.browser(), "/sign-in/acme").await;
    assert!(answer.status == 502 && answer.body.contains("does not answer as it should"), "{}", answer.body);
    // Nor does a provider send this host to an address inside.
    impostor.set(|says| says.metadata = json!({ "token_endpoint": "http://127.0.0.2:1/token" }));
    let team = team(options(), &[&impostor.issuer]).await;
    let browser = team.browser();
    let url: url::Url = place(&get(&browser, "/sign-in/acme").await).parse().unwrap();
    let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
    let answer = get(&browser, &format!("/sign-in/acme/callback?code=c&state={}", asked["state"])).await;
    assert_eq!(answer.status, 502);
    assert!(!answer.body.contains("127.0.0.2"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_passwords_are_switched_off_they_open_nothing() {
    let impostor = Impostor::new().await;
    let options = SignInOptions { password: false, providers: vec![provider("acme", &impostor.issuer)] };
    let team = team(options, &[&impostor.issuer]).await;
    let page = team.browser().ask("GET", "/sign-in", &Value::Null).await.body;
    assert!(page.contains("/sign-in/acme?") && !page.contains("type=\"password\""), "{page}");
    let secret = team.invited(None, "kim@shop.example", "agent").await;
    let kim = team.browser();
    let page = kim.ask("GET", &format!("/invitations/{secret}"), &Value::Null).await.body;
    assert!(page.contains("/sign-in/acme?") && !page.contains("type=\"password\""), "{page}");
    let accept = json!({ "secret": secret, "name": "Kim", "password": PASSWORD });
    for (path, body) in [
        ("/api/v1/invitations/accept", accept),
        ("/api/v1/session", json!({ "email": "kim@shop.example", "password": PASSWORD })),
    ] {
        let answer = kim.ask("POST", path, &body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("no_passwords")), "{path}");
    }
    assert!(kim.cookies().is_empty());
}
