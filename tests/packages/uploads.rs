//! Uploads to a registry that breaks off: gone on with where it says that it stands, begun again where it does not say.

use std::sync::{Arc, Mutex};

use harness_package::{
    Digest,
    oci::{Descriptor, WASM},
    registry::Options,
    source::Target,
};

use crate::fake::{Answer, Asked, Fake, not_found, whole};

const CHUNK: usize = 4 << 20;

fn large() -> Vec<u8> {
    (0..3 * CHUNK / 2 + CHUNK).map(|number| (number % 253) as u8).collect()
}

/// An upload as a registry has it.
#[derive(Default)]
struct Upload {
    bytes: Vec<u8>,
    finished: Option<Digest>,
}

impl Upload {
    fn at(&self, status: &str) -> Answer {
        let range = self.bytes.len().saturating_sub(1);
        whole(status, &format!("location: /uploads/{}\r\nrange: 0-{range}\r\n", self.bytes.len()), b"")
    }

    /// An honest answer.
    fn answer(&mut self, asked: &Asked) -> Option<Answer> {
        Some(match asked.method.as_str() {
            "POST" => {
                self.bytes.clear();
                self.at("202 Accepted")
            }
            "PATCH" => {
                let from = asked.headers["content-range"].split('-').next().unwrap();
                if from != self.bytes.len().to_string() {
                    return Some(whole("416 Range Not Satisfiable", "", b""));
                }
                self.bytes.extend(&asked.body);
                self.at("202 Accepted")
            }
            "GET" if asked.path.starts_with("/uploads/") => self.at("204 No Content"),
            "PUT" => {
                self.bytes.extend(&asked.body);
                self.finished = Some(Digest::of(&self.bytes));
                whole("201 Created", "", b"")
            }
            _ => return None,
        })
    }
}

/// A registry that keeps an upload honestly, but for this lie: by the request, and how many of its method came before.
async fn registry(
    lie: impl Fn(&Asked, usize, &mut Upload) -> Option<Answer> + Send + Sync + 'static,
) -> (Fake, Arc<Mutex<Upload>>) {
    let upload = Arc::new(Mutex::new(Upload::default()));
    let kept = (Arc::clone(&upload), Mutex::new(Vec::<String>::new()));
    let fake = Fake::telling(move |asked, _, _| {
        let mut methods = kept.1.lock().unwrap();
        let before = methods.iter().filter(|method| **method == asked.method).count();
        methods.push(asked.method.clone());
        let mut upload = kept.0.lock().unwrap();
        lie(asked, before, &mut upload).or_else(|| upload.answer(asked))
    })
    .await;
    (fake, upload)
}

fn methods(fake: &Fake) -> Vec<String> {
    fake.asked().into_iter().map(|asked| asked.method).collect()
}

async fn put(fake: &Fake) -> Result<(), String> {
    let of = Descriptor::of(WASM, &large());
    fake.registry(Options::default()).put_blob(&of, &large()).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_large_blob_goes_in_chunks_and_a_small_one_at_once() {
    let (fake, upload) = registry(|_, _, _| None).await;
    put(&fake).await.unwrap();
    assert_eq!(methods(&fake), ["HEAD", "POST", "PATCH", "PATCH", "PATCH", "PUT"]);
    assert_eq!(upload.lock().unwrap().finished, Some(Digest::of(&large())));
    assert!(fake.asked()[5].path.contains(&format!("digest=sha256%3A{}", Digest::of(&large()).hex())));

    let (fake, upload) = registry(|_, _, _| None).await;
    fake.registry(Options::default()).put_blob(&Descriptor::of(WASM, b"small"), b"small").await.unwrap();
    assert_eq!(methods(&fake), ["HEAD", "POST", "PUT"]);
    assert_eq!(upload.lock().unwrap().finished, Some(Digest::of(b"small")));
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_sent_again() {
    let (fake, _) = registry(|asked, _, _| (asked.method == "HEAD").then(|| whole("200 OK", "", b""))).await;
    put(&fake).await.unwrap();
    assert_eq!(methods(&fake), ["HEAD"]);
}

#[tokio::test]
async fn an_upload_goes_on_where_the_registry_stands() {
    // The second chunk comes in by half.
    let (fake, upload) = registry(|asked, before, upload| {
        (asked.method == "PATCH" && before == 1).then(|| {
            upload.bytes.extend(&asked.body[..1_000_000]);
            whole("500 Internal Server Error", "", b"")
        })
    })
    .await;
    put(&fake).await.unwrap();
    assert_eq!(methods(&fake), ["HEAD", "POST", "PATCH", "PATCH", "GET", "PATCH", "PATCH", "PUT"]);
    assert_eq!(fake.asked()[5].headers["content-range"], format!("{}-{}", CHUNK + 1_000_000, 2 * CHUNK + 999_999));
    assert_eq!(upload.lock().unwrap().finished, Some(Digest::of(&large())));
}

#[tokio::test]
async fn an_upload_is_begun_again_where_the_registry_does_not_say_where_it_stands() {
    let answers: [fn() -> Answer; 4] = [
        not_found,
        || whole("204 No Content", "range: 0-0\r\n", b""),
        || whole("204 No Content", "range: 0-99999999999\r\n", b""),
        || whole("204 No Content", "range: bytes\r\n", b""),
    ];
    for answer in answers {
        let (fake, upload) = registry(move |asked, before, _| match asked.method.as_str() {
            "PATCH" if before == 1 => Some(whole("500 Internal Server Error", "", b"")),
            "GET" => Some(answer()),
            _ => None,
        })
        .await;
        put(&fake).await.unwrap();
        assert_eq!(methods(&fake).iter().filter(|method| *method == "POST").count(), 2);
        assert_eq!(upload.lock().unwrap().finished, Some(Digest::of(&large())));
    }
}

#[tokio::test]
async fn an_upload_that_always_breaks_off_is_given_up() {
    let failed = || Some(whole("500 Internal Server Error", "", b""));
    let (fake, _) = registry(move |asked, _, _| if asked.method == "PATCH" { failed() } else { None }).await;
    assert!(put(&fake).await.unwrap_err().contains("HTTP 500"));
    let (fake, _) = registry(move |asked, _, _| if asked.method == "PUT" { failed() } else { None }).await;
    assert!(put(&fake).await.unwrap_err().contains("HTTP 500"));
    assert_eq!(methods(&fake).iter().filter(|method| *method == "POST").count(), 3);
    // What is refused is not tried again.
    for (method, status) in
        [("POST", "413 Content Too Large"), ("PATCH", "429 Too Many Requests"), ("PUT", "400 Bad Request")]
    {
        let (fake, _) = registry(move |asked, _, _| (asked.method == method).then(|| whole(status, "", b""))).await;
        assert!(put(&fake).await.unwrap_err().contains(&format!("HTTP {}", &status[..3])), "{status}");
        assert_eq!(methods(&fake).iter().filter(|asked| *asked == method).count(), 1, "{status}");
    }
}
