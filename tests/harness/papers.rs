//! What two parties sign beyond the demo's pair: further agreements between them, and further parties. The commands of the
//! manual, in its order, typed by those to whom they belong.

use std::net::SocketAddr;
use std::path::Path;

use amanah::demo::ministry::Ministry;
use amanah_format::container::unpack_small;
use amanah_format::digest::Digest;
use amanah_format::home;
use anyhow::{Context, Result};
use serde_json::Value;

/// First and last day of these agreements.
const DAYS: [&str; 2] = ["2026-01-01", "2099-12-31"];

/// Longer is no agreement of a test.
const AGREEMENT_BYTES_MAX: u64 = 1 << 20;

/// Where a party listens, where it does.
pub type Listens = Option<SocketAddr>;

/// A party's keys and card.
///
/// # Errors
/// A command fails.
pub fn found(ministry: &Ministry, listens: Listens) -> Result<()> {
    let party = ministry.party().as_str();
    let (name, contact) = (
        format!("Instansi {party} (uji)"),
        format!("piket@{party}.test"),
    );
    let mut words = vec![
        "init",
        "--party",
        party,
        "--name",
        &name,
        "--contact",
        &contact,
    ];
    let address = listens.map(|address| address.to_string());
    if let Some(address) = &address {
        words.extend(["--address", address, "--network", "127.0.0.0/8"]);
    }
    ministry.run(&words).map(drop)
}

/// Each adds the other's card; `dials` is where the first one reaches the second.
///
/// # Errors
/// A command fails.
pub fn introduce(
    first: &Ministry,
    second: &Ministry,
    dials: SocketAddr,
    desk: &Path,
) -> Result<()> {
    let address = dials.to_string();
    for (owner, other) in [(second, first), (first, second)] {
        let card = desk.join(format!("{}.card.amanah", owner.party()));
        let card = card.to_string_lossy();
        if Path::new(&*card).exists() {
            std::fs::remove_file(&*card)?;
        }
        let exported = owner.run(&["card", "export", &card, "--json"])?;
        let facts: serde_json::Value = serde_json::from_str(&exported.stdout)?;
        let fingerprint = facts.get("fingerprint").and_then(|text| text.as_str());
        let fingerprint = fingerprint.context("a card without a fingerprint")?;
        let mut words = vec!["peer", "add", &card, "--fingerprint", fingerprint];
        if other.party() == first.party() {
            words.extend(["--dial", &address]);
        }
        other.run(&words)?;
    }
    Ok(())
}

/// An agreement of these flows, as `--flow` has them, drafted by the first and signed by both.
///
/// # Errors
/// A command fails.
pub fn agree(
    (first, second): (&Ministry, &Ministry),
    id: &str,
    flows: &[&str],
    desk: &Path,
) -> Result<()> {
    let [from, until] = DAYS;
    let (peer, own) = (second.party().as_str(), first.party().as_str());
    let officers = [format!("ppdp@{own}.test"), format!("ppdp@{peer}.test")];
    let mut words = vec![
        "agreement",
        "draft",
        "--id",
        id,
        "--peer",
        peer,
        "--title",
        "Uji",
        "--from",
        from,
        "--until",
        until,
        "--purpose",
        "UJI:Menguji pertukaran",
        "--legal-basis",
        "UU 27/2022 pasal 20 ayat (2) huruf e",
        "--dpia",
        "DPIA-UJI-01",
        "--officer",
        &officers[0],
        "--peer-officer",
        &officers[1],
    ];
    for flow in flows {
        words.extend(["--flow", flow]);
    }
    first.run(&words)?;
    sign_both((first, second), id, desk)
}

/// A draft of the first's is signed by both; of several versions the newest.
///
/// # Errors
/// A command fails.
pub fn sign_both((first, second): (&Ministry, &Ministry), id: &str, desk: &Path) -> Result<()> {
    let paper = |number: u8| desk.join(format!("{id}.{number}.amanah"));
    let (half, whole) = (paper(1), paper(2));
    for paper in [&half, &whole] {
        // A version before was handed over under the same name.
        if paper.exists() {
            std::fs::remove_file(paper)?;
        }
    }
    let (half, whole) = (half.to_string_lossy(), whole.to_string_lossy());
    for (ministry, words) in [
        (first, ["sign", id].as_slice()),
        (first, &["export", id, &half]),
        (second, &["import", &half]),
        (second, &["sign", id]),
        (second, &["export", id, &whole]),
        (first, &["import", &whole]),
    ] {
        ministry.run(&[&["agreement"], words].concat())?;
    }
    Ok(())
}

/// The text of the newest agreement that a ministry has, and the digest of its bytes.
///
/// # Errors
/// It has none, or it cannot be read.
pub fn newest(ministry: &Ministry) -> Result<(Value, Digest)> {
    let mut newest: Option<(Value, Digest)> = None;
    for file in std::fs::read_dir(ministry.folder().join(home::AGREEMENTS))? {
        let parts = unpack_small(&std::fs::read(file?.path())?, AGREEMENT_BYTES_MAX);
        let parts = parts.ok().context("an agreement that is no container")?;
        let (_, bytes) = parts.first().context("an empty agreement")?;
        let text: Value = serde_json::from_slice(bytes)?;
        let version = |text: &Value| text.get("version").and_then(Value::as_u64);
        if newest
            .as_ref()
            .is_none_or(|(known, _)| version(known) < version(&text))
        {
            newest = Some((text, Digest::of(bytes)));
        }
    }
    newest.context("no agreement")
}

/// Both take their agreements away, before another one is drafted under the same id.
///
/// # Errors
/// They cannot be removed.
pub fn take_away(both: [&Ministry; 2]) -> Result<()> {
    for ministry in both {
        for file in std::fs::read_dir(ministry.folder().join(home::AGREEMENTS))? {
            std::fs::remove_file(file?.path())?;
        }
    }
    Ok(())
}
