//! Uploads without end, behind a head that says where the end is, and behind none: what goes beyond it is dropped while it
//! comes, not when it is handed over. How much the disk took is in the note that is kept of it.

use std::fs;

use amanah_format::container;
use amanah_format::digest::Digest;
use amanah_tests::exchange::PATIENCE;
use amanah_tests::waiting::until;
use anyhow::Context;
use serde_json::Value;

use super::{Bundle, DAMAGED, Ground};

/// How much comes behind the declared end.
const MORE_BYTES: usize = 64 << 20;
/// Most of it that lies on the disk at once: what is in flight when the head is there, at most one request.
const TAKEN_BYTES_MAX: u64 = 1 << 20;
/// The same where there is no head that could be read.
const UNREADABLE_BYTES_MAX: u64 = 33 << 20;

/// Pushes it as a case, and tells how many bytes of it were on the disk when it was dropped.
fn kept(ground: &mut Ground, name: &str, bundle: &Bundle) -> u64 {
    ground.attempt(name, bundle, DAMAGED);
    let notes = ground.exchange.pair.imigrasi.path("quarantine");
    let note = notes.join(format!("{}.json", container::bundle_name(&bundle.manifest)));
    let bytes = until("the note", PATIENCE, || {
        let Ok(note) = fs::read(&note) else {
            return Ok(None);
        };
        let note: Value = serde_json::from_slice(&note)?;
        assert_eq!(note["code"], "damaged");
        Ok(Some(note["bytes"].as_u64().context("bytes")?))
    });
    bytes.unwrap()
}

#[test]
fn an_upload_without_end_takes_no_more_of_the_disk_than_its_head_says() {
    let mut ground = Ground::new();
    let good = ground.shop.seal(&ground.shop.hello()).unwrap();
    let mut longer = good.clone();
    longer.bytes.resize(good.bytes.len() + MORE_BYTES, 7);
    let taken = kept(
        &mut ground,
        "endless: 64 MiB behind a payload of some bytes",
        &longer,
    );
    assert!(taken <= TAKEN_BYTES_MAX, "{taken}");
    let noise = Bundle {
        manifest: Digest::of(b"tanpa kepala"),
        bytes: vec![7; MORE_BYTES],
    };
    let taken = kept(&mut ground, "endless: 64 MiB without a head", &noise);
    assert!(taken <= UNREADABLE_BYTES_MAX, "{taken}");
    // The same name with its own bytes is not spoiled by what came under it.
    ground.attempt(
        "the same bundle as it should be",
        &good,
        super::Expect::Imported,
    );
    ground.end("uploads without end");
}
