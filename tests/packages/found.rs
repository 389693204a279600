//! Finding packages: what is read of the signatures beside one, which version is meant.

use harness_package::{
    found::Place,
    layout::Layout,
    oci::{BUNDLE, SBOM},
    registry::{Client, Options},
    source::Target as _,
};
use tempfile::TempDir;

use crate::sample::{MAX, Sample, put_referrer};

async fn find(folder: &TempDir) -> Place {
    let client = Client::new(harness_egress::client_builder().unwrap(), Options::default()).unwrap();
    Place::find(folder.path().to_str().unwrap(), &client, MAX).await.unwrap()
}

#[tokio::test]
async fn signatures_are_read_up_to_a_bound_and_it_is_told_how_many_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).await.unwrap();
    let package = Sample::of(b"component").put(&layout).await;
    let found = find(&folder).await.read(None).await.unwrap();
    assert_eq!((found.signatures.there, found.signatures.left_out()), (1, None));
    assert_eq!((found.component.as_slice(), found.manifest), (&b"component"[..], Some(package.digest)));
    // Other things beside it push no signature out of the list.
    for number in 0..120 {
        put_referrer(&layout, &package, SBOM, format!("{number}").as_bytes()).await;
    }
    for number in 0..30 {
        put_referrer(&layout, &package, BUNDLE, format!("{number}").as_bytes()).await;
    }
    let found = find(&folder).await.read(None).await.unwrap();
    assert_eq!((found.signatures.there, found.signatures.bundles.len()), (31, 31));
    // One that is too large signs nothing.
    put_referrer(&layout, &package, BUNDLE, &[b' '; 70_000]).await;
    let left_out = find(&folder).await.read(None).await.unwrap().signatures.left_out();
    let said = "32 signatures are there, the first 32 were looked at, and 1 of these could not be read";
    assert_eq!(left_out.as_deref(), Some(said));
    put_referrer(&layout, &package, BUNDLE, b"the one").await;
    let signatures = find(&folder).await.read(None).await.unwrap().signatures;
    assert!(!signatures.bundles.contains(&b"the one".to_vec()) && signatures.there == 33);
    assert!(signatures.left_out().unwrap().starts_with("33 signatures are there, the first 32 were looked at"));
}

#[tokio::test]
async fn a_trial_is_meant_where_it_is_named_or_a_folder_holds_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).await.unwrap();
    let newest = async |to: Option<&str>| {
        let to = to.map(|to| to.parse().unwrap());
        find(&folder).await.newest(to.as_ref()).await.unwrap().map(|version| version.to_string())
    };
    assert_eq!(newest(None).await, None);
    let put = async |version: &str| {
        let bytes = Sample::of(version.as_bytes()).manifest.to_bytes().unwrap();
        layout.put_manifest(&bytes, Some(version)).await.unwrap();
    };
    put("1.0.0-rc.1").await;
    put("1.0.0-rc.2").await;
    assert_eq!(newest(None).await.as_deref(), Some("1.0.0-rc.2"));
    assert_eq!(newest(Some("1.0.0-rc.1")).await.as_deref(), Some("1.0.0-rc.1"));
    put("0.9.0").await;
    assert_eq!(newest(None).await.as_deref(), Some("0.9.0"));
    assert_eq!(newest(Some("0.8.0")).await, None);
}
