//! Packages in folders and in other people's registries: published, read back, copied, interrupted, with logins.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use channel_tests::registry::{DockerRegistry, FerroRegistry, USER, client, login, repository};
use harness_package::{
    Digest,
    layout::Layout,
    oci::{BUNDLE, Descriptor, MANIFEST, Manifest, WASM},
    registry::Logins,
    source::{Source, SourceError, Target},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::sample::{MAX, Sample, VERSION, copy, put_referrer, read, referrers};

const NAME: &str = "acme/web-chat";

async fn layout() -> (TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(&folder.path().join("packages")).await.unwrap();
    (folder, layout)
}

#[tokio::test]
async fn a_package_is_published_from_a_folder_and_read_back_by_tag_and_by_digest() {
    let registry = DockerRegistry::open().await;
    let (_kept, folder) = layout().await;
    let package = Sample::of(b"component").put(&folder).await;
    assert_eq!(read(&folder, VERSION).await, (package.clone(), b"component".to_vec(), referrers()));

    let published = registry.repository(NAME);
    copy(&folder, &published, &package, Some(VERSION)).await;
    let read_back = read(&published, VERSION).await;
    assert_eq!(read_back.0.digest, package.digest, "the same bytes, the same digest");
    assert_eq!((read_back.1.as_slice(), read_back.2), (&b"component"[..], referrers()));
    assert_eq!(published.tags().await.unwrap().iter().filter(|tag| *tag == VERSION).count(), 1);
    // Again changes nothing.
    copy(&folder, &published, &package, Some(VERSION)).await;

    let (_kept, pulled) = layout().await;
    copy(&published, &pulled, &package, Some(VERSION)).await;
    let read_back = read(&pulled, VERSION).await;
    assert_eq!((read_back.0.digest, read_back.2), (package.digest, referrers()));
    assert_eq!(pulled.tags().await.unwrap(), [VERSION]);
}

#[tokio::test]
async fn a_registry_that_lists_referrers_itself_is_left_to_do_it() {
    let registry = FerroRegistry::open().await;
    let published = registry.repository(NAME);
    let (_kept, folder) = layout().await;
    let package = Sample::of(&large()).put(&folder).await;
    copy(&folder, &published, &package, Some(VERSION)).await;
    let read_back = read(&published, VERSION).await;
    assert_eq!((read_back.0.digest, read_back.2), (package.digest, referrers()));
    assert!(read_back.1 == large());
    assert_eq!(published.tags().await.unwrap(), [VERSION], "no list under a tag");
    let (_kept, pulled) = layout().await;
    copy(&published, &pulled, &package, Some(VERSION)).await;
    assert_eq!(read(&pulled, VERSION).await.2, referrers());
}

#[tokio::test]
async fn a_registry_that_has_no_such_thing_says_so() {
    let registry = DockerRegistry::open().await;
    let published = registry.repository(NAME);
    assert!(matches!(published.resolve(VERSION).await, Err(SourceError::Missing { .. })));
    assert!(matches!(published.tags().await, Err(SourceError::Missing { .. })));
    let other = Digest::of(b"other");
    assert!(matches!(published.manifest(&other).await, Err(SourceError::Missing { .. })));
    assert!(matches!(published.blob(&Descriptor::of(WASM, b"x"), MAX).await, Err(SourceError::Missing { .. })));
    assert!(published.referrers(&other).await.unwrap().manifests.is_empty());
}

#[tokio::test]
async fn a_version_does_not_change_wherever_it_lies() {
    let registry = DockerRegistry::open().await;
    let (_kept, folder) = layout().await;
    let published = registry.repository(NAME);
    let places: [&dyn Target; 2] = [&folder, &published];
    for place in places {
        let first = Sample::of(b"component").put(place).await;
        let other = Sample::of(b"another");
        place.put_blob(&other.manifest.config, &other.config).await.unwrap();
        place.put_blob(&other.manifest.layers[0], &other.component).await.unwrap();
        let bytes = other.manifest.to_bytes().unwrap();
        let refused = place.put_manifest(&bytes, Some(VERSION)).await.unwrap_err().to_string();
        assert!(refused.contains("versions do not change"), "{refused}");
        assert_eq!(place.resolve(VERSION).await.unwrap().digest, first.digest);
        place.put_manifest(&bytes, Some("0.1.1")).await.unwrap();
    }
}

#[tokio::test]
async fn a_login_is_used_where_it_is_asked_for_and_only_then() {
    let registry = DockerRegistry::with_login().await;
    let (kept, folder) = layout().await;
    let package = Sample::of(b"component").put(&folder).await;
    let of = |logins| repository(&client(&[&registry.authority], logins), &registry.authority, NAME);

    let known = login(kept.path(), &registry.authority, USER);
    copy(&folder, &of(known.clone()), &package, Some(VERSION)).await;
    assert_eq!(read(&of(known), VERSION).await.0.digest, package.digest);

    let wrong = login(kept.path(), &registry.authority, (USER.0, "battery-staple"));
    for logins in [Logins::default(), wrong] {
        let refused = of(logins).resolve(VERSION).await.unwrap_err();
        assert!(matches!(refused, SourceError::Unauthorized { status: 401, .. }), "{refused}");
        assert!(!refused.to_string().contains("battery"), "{refused}");
    }
}

#[tokio::test]
async fn bytes_that_were_changed_on_the_registrys_disk_are_refused() {
    let registry = DockerRegistry::open().await;
    let published = registry.repository(NAME);
    let sample = Sample::of(b"component");
    let package = sample.put(&published).await;
    let layer = &sample.manifest.layers[0];
    fs::write(registry.blob(&layer.digest.hex()), b"comqonent").unwrap();
    assert!(matches!(published.blob(layer, MAX).await, Err(SourceError::OtherBytes { .. })));
    fs::write(registry.blob(&layer.digest.hex()), b"comp").unwrap();
    assert!(matches!(published.blob(layer, MAX).await, Err(SourceError::Failed { .. })));
    fs::write(registry.blob(&layer.digest.hex()), b"component and more").unwrap();
    assert!(matches!(published.blob(layer, MAX).await, Err(SourceError::TooLarge { .. })));

    let (_kept, pulled) = layout().await;
    let copied = harness_package::copy::copy(&published, &pulled, &package.digest, Some(VERSION), MAX).await;
    assert!(copied.is_err());
    assert!(pulled.tags().await.unwrap().is_empty(), "nothing is there by half");
}

/// Passes bytes on to a registry, and breaks connections off: each after as many bytes as are left of the budget.
struct Breaking {
    authority: String,
    connections: Arc<AtomicU64>,
}

impl Breaking {
    /// `up`: of what the client sends. Else of what it is sent.
    async fn before(registry: &DockerRegistry, up: bool, after: Vec<u64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let (target, connections) = (registry.authority.clone(), Arc::new(AtomicU64::new(0)));
        let count = connections.clone();
        tokio::spawn(async move {
            let mut budgets = after.into_iter();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                let server = TcpStream::connect(&target).await.unwrap();
                let budget = budgets.next().unwrap_or(u64::MAX);
                tokio::spawn(async move {
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let (sent, received) = if up { (budget, u64::MAX) } else { (u64::MAX, budget) };
                    // The first that ends takes the connection with it.
                    tokio::select! {
                        () = pass(&mut from_client, &mut to_server, sent) => {}
                        () = pass(&mut from_server, &mut to_client, received) => {}
                    }
                });
            }
        });
        Self { authority, connections }
    }
}

async fn pass(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, mut budget: u64) {
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = match from.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(count) => count,
        };
        let passed = usize::try_from(budget).unwrap_or(usize::MAX).min(count);
        if to.write_all(&piece[..passed]).await.is_err() {
            return;
        }
        budget -= passed as u64;
        if budget == 0 {
            return;
        }
    }
}

/// As long as two chunks and a bit.
fn large() -> Vec<u8> {
    (0..9_500_000_u32).map(|number| (number % 251) as u8).collect()
}

#[tokio::test]
async fn a_download_that_breaks_off_is_gone_on_with() {
    let registry = DockerRegistry::open().await;
    let sample = Sample::of(&large());
    sample.put(&registry.repository(NAME)).await;
    let breaking = Breaking::before(&registry, false, vec![3_000_000, 2_000_000, 100]).await;
    let through = repository(&client(&[&breaking.authority], Logins::default()), &breaking.authority, NAME);
    assert!(through.blob(&sample.manifest.layers[0], MAX).await.unwrap() == large());
    assert!(breaking.connections.load(Ordering::Relaxed) >= 3);

    let breaking = Breaking::before(&registry, false, vec![1_000_000; 20]).await;
    let through = repository(&client(&[&breaking.authority], Logins::default()), &breaking.authority, NAME);
    let refused = through.blob(&sample.manifest.layers[0], MAX).await.unwrap_err().to_string();
    assert!(refused.contains("broke"), "{refused}");
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_gone_on_with_or_begun_again() {
    let registry = DockerRegistry::open().await;
    let layer = Descriptor::of(WASM, &large());
    // In the first chunk, and in the second.
    for (name, after) in [("acme/first", 2_000_000), ("acme/second", 6_000_000)] {
        let breaking = Breaking::before(&registry, true, vec![after]).await;
        let through = repository(&client(&[&breaking.authority], Logins::default()), &breaking.authority, name);
        through.put_blob(&layer, &large()).await.unwrap();
        assert!(breaking.connections.load(Ordering::Relaxed) >= 2);
        assert!(registry.repository(name).blob(&layer, MAX).await.unwrap() == large());
    }
}

#[tokio::test]
async fn what_refers_to_a_package_is_added_to_what_is_listed_already() {
    let registry = DockerRegistry::open().await;
    let published = registry.repository(NAME);
    let package = Sample::of(b"component").put(&published).await;
    for number in 0..4 {
        put_referrer(&published, &package, BUNDLE, format!("signature {number}").as_bytes()).await;
    }
    assert_eq!(published.referrers(&package.digest).await.unwrap().manifests.len(), 7);
}

#[tokio::test]
async fn a_folder_is_read_without_following_a_link() {
    let (kept, folder) = layout().await;
    let sample = Sample::of(b"component");
    sample.put(&folder).await;
    let root = kept.path().join("packages");
    let layer = &sample.manifest.layers[0];
    let file = root.join("blobs/sha256").join(layer.digest.hex());
    let outside = kept.path().join("outside");

    fs::rename(&file, &outside).unwrap();
    symlink(&outside, &file).unwrap();
    let refused = folder.blob(layer, MAX).await.unwrap_err().to_string();
    assert!(refused.contains("link"), "{refused}");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(folder.blob(layer, MAX).await, Err(SourceError::Failed { .. })));
    fs::remove_dir(&file).unwrap();
    folder.put_blob(layer, b"component").await.unwrap();
    assert_eq!(folder.blob(layer, MAX).await.unwrap(), b"component");

    fs::rename(root.join("blobs"), kept.path().join("elsewhere")).unwrap();
    symlink(kept.path().join("elsewhere"), root.join("blobs")).unwrap();
    assert!(folder.blob(layer, MAX).await.unwrap_err().to_string().contains("link"));
    assert!(folder.put_blob(&Descriptor::of(WASM, b"other"), b"other").await.is_err());
    assert_eq!(fs::read_dir(kept.path().join("elsewhere/sha256")).unwrap().count(), 10, "nothing was written there");
}

#[tokio::test]
async fn a_folder_that_was_tampered_with_is_refused() {
    let (kept, folder) = layout().await;
    let sample = Sample::of(b"component");
    let package = sample.put(&folder).await;
    let root = kept.path().join("packages");
    let layer = &sample.manifest.layers[0];
    let file = root.join("blobs/sha256").join(layer.digest.hex());
    for bytes in [&b"comqonent"[..], b"comp", b"component and more"] {
        fs::write(&file, bytes).unwrap();
        assert!(folder.blob(layer, MAX).await.is_err(), "{bytes:?}");
    }
    assert!(matches!(folder.blob(layer, 8).await, Err(SourceError::TooLarge { max: 8, .. })));

    let manifest = root.join("blobs/sha256").join(package.digest.hex());
    fs::write(&manifest, fs::read(&manifest).unwrap().to_ascii_uppercase()).unwrap();
    assert!(matches!(folder.manifest(&package.digest).await, Err(SourceError::OtherBytes { .. })));
    fs::File::options().write(true).open(&manifest).unwrap().set_len(4 << 30).unwrap();
    assert!(matches!(folder.manifest(&package.digest).await, Err(SourceError::TooLarge { .. })));

    let index = root.join("index.json");
    let two = format!(
        r#"{{"schemaVersion":2,"manifests":[{0}"{1}"{2},{0}"{3}"{2}]}}"#,
        format_args!(r#"{{"mediaType":"{MANIFEST}","size":1,"digest":"#),
        Digest::of(b"one"),
        r#","annotations":{"org.opencontainers.image.ref.name":"0.1.0"}}"#,
        Digest::of(b"two"),
    );
    fs::write(&index, two).unwrap();
    assert!(folder.resolve(VERSION).await.unwrap_err().to_string().contains("two packages"));
    for broken in ["", "[]", "{}", "\u{1b}[2J", r#"{"schemaVersion":2,"mediaType":"\u001b[2J","manifests":[]}"#] {
        fs::write(&index, broken).unwrap();
        let refused = folder.resolve(VERSION).await.unwrap_err().to_string();
        assert!(!refused.contains('\u{1b}'), "{refused:?}");
    }
    fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    assert!(Layout::open(&root).await.is_err());
}

#[tokio::test]
async fn a_folder_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Layout::open(folder.path()).await.is_err(), "an empty folder is no layout");
    fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    assert!(Layout::create(folder.path()).await.is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_folder_takes_many_at_a_time() {
    let (_kept, folder) = layout().await;
    let package = Sample::of(b"component").put(&folder).await;
    let writers = (0..16).map(|number| {
        let (folder, package) = (folder.clone(), package.clone());
        tokio::spawn(async move {
            put_referrer(&folder, &package, BUNDLE, format!("signature {number}").as_bytes()).await;
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(folder.referrers(&package.digest).await.unwrap().manifests.len(), 19);
    let manifest = Manifest::read(&folder.manifest(&package.digest).await.unwrap()).unwrap();
    assert_eq!(folder.blob(manifest.component().unwrap(), MAX).await.unwrap(), b"component");
}
