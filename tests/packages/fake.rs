//! A registry on loopback that is honest, but where it is told to lie. Belongs here: answering. What is expected of whoever
//! asks it stands in the tests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use harness_package::{
    layout::Layout,
    oci::{BUNDLE, Descriptor, INDEX, MANIFEST, Manifest},
    registry::{Client, Options, Registry},
    source::Source,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::sample::{MAX, Sample, VERSION};

const NAME: &str = "acme/web-chat";

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// What is answered.
pub(crate) enum Answer {
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, then others for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// Nothing, for ever.
    Hang(Vec<u8>),
}

/// Bytes of a whole answer.
pub(crate) fn whole(status: &str, headers: &str, body: &[u8]) -> Answer {
    announced(status, headers, body.len(), body)
}

/// An answer that announces another length than it has.
pub(crate) fn announced(status: &str, headers: &str, length: usize, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n");
    Answer::Raw([head.as_bytes(), body].concat())
}

/// An answer that does not say how long it is.
pub(crate) fn unannounced(length: usize) -> Answer {
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n");
    Answer::Raw([head.as_bytes(), &vec![b' '; length], b"\r\n0\r\n\r\n"].concat())
}

pub(crate) fn not_found() -> Answer {
    whole("404 Not Found", "", b"{}")
}

type Lie = Arc<dyn Fn(&Asked, usize, &Honest) -> Option<Answer> + Send + Sync>;

/// Bodies with their kinds.
type Kept = BTreeMap<String, (String, Vec<u8>)>;

/// What an honest registry has: bodies by the end of their paths.
#[derive(Clone, Default)]
pub(crate) struct Honest(Arc<Mutex<Kept>>);

impl Honest {
    pub(crate) fn answer(&self, asked: &Asked) -> Answer {
        let path = asked.path.split('?').next().unwrap().strip_prefix(&format!("/v2/{NAME}/")).unwrap_or_default();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match asked.method.as_str() {
            "PUT" if path.starts_with("manifests/") => {
                kept.insert(path.to_owned(), (asked.headers["content-type"].clone(), asked.body.clone()));
                whole("201 Created", "", b"")
            }
            _ => match kept.get(path) {
                Some((kind, bytes)) => whole("200 OK", &format!("content-type: {kind}\r\n"), bytes),
                None => not_found(),
            },
        }
    }
}

/// The registry. Ends with the runtime of its test.
pub(crate) struct Fake {
    pub(crate) authority: String,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// `lie` is given the request, how many of the same method and path came before, and what an honest registry has;
    /// where it says nothing, an honest answer is given.
    pub(crate) async fn telling(
        lie: impl Fn(&Asked, usize, &Honest) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self::behind(None, Arc::new(lie)).await
    }

    /// The same over TLS.
    pub(crate) async fn over_tls(
        tls: TlsAcceptor,
        lie: impl Fn(&Asked, usize, &Honest) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self::behind(Some(tls), Arc::new(lie)).await
    }

    async fn behind(tls: Option<TlsAcceptor>, lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let (honest, asked) = (honest().await, Arc::default());
        let fake = Self { authority, asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (tls, honest) = (tls.clone(), honest.clone());
                let (asked, lie) = (Arc::clone(&asked), Arc::clone(&lie));
                tokio::spawn(async move {
                    let Some(tls) = tls else { return serve(stream, honest, asked, lie).await };
                    // A client that does not trust the certificate ends here.
                    if let Ok(mut stream) = tls.accept(stream).await {
                        serve(&mut stream, honest, asked, lie).await;
                        let _ = stream.shutdown().await;
                    }
                });
            }
        });
        fake
    }

    pub(crate) fn registry(&self, options: Options) -> Registry {
        let plain_http = [self.authority.clone()].into_iter().chain(options.plain_http.clone()).collect();
        let client = Client::new(harness_egress::client_builder().unwrap(), Options { plain_http, ..options }).unwrap();
        Registry::new(&client, &format!("{}/{NAME}", self.authority).parse().unwrap()).unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A package with what refers to it, as an honest registry without a referrers API has it.
async fn honest() -> Honest {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).await.unwrap();
    let sample = sample();
    let package = sample.put(&layout).await;
    let mut kept = BTreeMap::new();
    let mut keep = |path: String, kind: &str, bytes: Vec<u8>| kept.insert(path, (kind.to_owned(), bytes));
    let manifest = layout.manifest(&package.digest).await.unwrap();
    keep(format!("manifests/{VERSION}"), MANIFEST, manifest.clone());
    keep(format!("manifests/{}", package.digest), MANIFEST, manifest);
    let index = layout.referrers(&package.digest).await.unwrap();
    let mut blobs = vec![sample.manifest.config.clone(), sample.manifest.layers[0].clone()];
    for entry in &index.manifests {
        let bytes = layout.manifest(&entry.digest).await.unwrap();
        let referrer = Manifest::read(&bytes).unwrap();
        blobs.extend([referrer.config, referrer.layers[0].clone()]);
        keep(format!("manifests/{}", entry.digest), MANIFEST, bytes);
    }
    for blob in blobs {
        let bytes = layout.blob(&blob, MAX).await.unwrap();
        keep(format!("blobs/{}", blob.digest), "application/octet-stream", bytes);
    }
    keep(format!("manifests/sha256-{}", package.digest.hex()), INDEX, serde_json::to_vec(&index).unwrap());
    keep("tags/list".into(), "application/json", format!(r#"{{"tags":["{VERSION}"]}}"#).into());
    Honest(Arc::new(Mutex::new(kept)))
}

pub(crate) fn sample() -> Sample {
    Sample::of(&b"component".repeat(1000))
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, honest: Honest, all: Arc<Mutex<Vec<Asked>>>, lie: Lie) {
    let mut reader = BufReader::new(&mut stream);
    let mut line = String::new();
    reader.read_line(&mut line).await.unwrap_or_default();
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap_or_default();
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).await.is_err() {
        return;
    }
    let asked = Asked { method, path, headers, body };
    let before = {
        let mut all = all.lock().unwrap();
        let same = |other: &&Asked| other.method == asked.method && other.path == asked.path;
        let before = all.iter().filter(same).count();
        all.push(asked.clone());
        before
    };
    match lie(&asked, before, &honest).unwrap_or_else(|| honest.answer(&asked)) {
        Answer::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Answer::Endless(head, piece) => {
            let mut written = stream.write_all(&head).await;
            while written.is_ok() {
                written = stream.write_all(&piece).await;
            }
        }
        Answer::Hang(head) => {
            let _ = stream.write_all(&head).await;
            std::future::pending::<()>().await;
        }
    }
}

/// Where a lie is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    Tag,
    Manifest,
    Config,
    Layer,
    Referrers,
    Fallback,
    Referrer,
    Bundle,
}

impl Step {
    pub(crate) const ALL: [Self; 8] = [
        Self::Tag,
        Self::Manifest,
        Self::Config,
        Self::Layer,
        Self::Referrers,
        Self::Fallback,
        Self::Referrer,
        Self::Bundle,
    ];

    pub(crate) fn is_of(self, asked: &Asked) -> bool {
        let manifest = &sample().manifest;
        let package = Descriptor::of(MANIFEST, &manifest.to_bytes().unwrap());
        let bundle = Descriptor::of(BUNDLE, b"a signature");
        let referrer = Manifest::of_referrer(BUNDLE, bundle.clone(), &package).to_bytes().unwrap();
        let end = match self {
            Self::Tag => format!("/manifests/{VERSION}"),
            Self::Manifest => format!("/manifests/{}", package.digest),
            Self::Config => format!("/blobs/{}", manifest.config.digest),
            Self::Layer => format!("/blobs/{}", manifest.layers[0].digest),
            Self::Referrers => format!("/referrers/{}", package.digest),
            Self::Fallback => format!("/manifests/sha256-{}", package.digest.hex()),
            Self::Referrer => format!("/manifests/{}", Descriptor::of(MANIFEST, &referrer).digest),
            Self::Bundle => format!("/blobs/{}", bundle.digest),
        };
        asked.method == "GET" && asked.path.ends_with(&end)
    }
}
