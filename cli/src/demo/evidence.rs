//! What an auditor would do: every receipt and both ledgers verified with the program's own commands; then one receipt and
//! its bundle laid out for stock tools, with the commands that verify them without this program.

use std::fs;
use std::path::{Path, PathBuf};

use amanah_format::container;
use amanah_format::home;
use amanah_format::limits::DOCUMENT_BYTES_MAX;
use anyhow::{Context, Result};

use super::exchange::Arrived;
use super::launch::quoted;
use super::ministry::Ministry;
use super::pair::Pair;
use super::report::ByHand;
use super::telling::Telling;
use super::texts;

/// Where the example for stock tools is laid out.
const BY_HAND: &str = "periksa";
/// The public keys of both, for `ssh-keygen`.
const ALLOWED_SIGNERS: &str = "allowed_signers";

/// What an officer asks of manifests and register, for a shell's double quotes.
const LAPSED: &str = "SELECT tanggal_berangkat, izin_penyelenggara, status, count(*) \
FROM manifes_umrah JOIN registri_penyelenggara ON izin_kunci = izin_penyelenggara \
WHERE status <> 'AKTIF' AND tanggal_berangkat >= status_sejak AND tanggal_berangkat <= coalesce(status_sampai, tanggal_berangkat) \
GROUP BY 1, 2, 3 ORDER BY 1, 2";

/// Verifies with one command every receipt that `peer` gave to `ministry`; how many there are.
///
/// # Errors
/// There are none, or one is not valid.
pub fn verify_receipts(ministry: &Ministry, peer: &Ministry) -> Result<usize> {
    let folder = ministry.path(&home::receipts_received(peer.party()));
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let receipts: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    anyhow::ensure!(!receipts.is_empty(), "{}: no receipts", folder.display());
    let words = ["verify".as_ref()]
        .into_iter()
        .chain(receipts.iter().map(|path| path.as_os_str()));
    ministry.run(&words.collect::<Vec<_>>())?;
    Ok(receipts.len())
}

/// Verifies a ministry's own ledger.
///
/// # Errors
/// It is not intact.
pub fn verify_ledger(ministry: &Ministry) -> Result<()> {
    ministry.run(&["ledger", "verify"]).map(|_| ())
}

/// Lays out the receipt of what arrived, and the public keys, in `folder`; the commands that verify them with stock tools.
///
/// # Errors
/// Something is not there, or cannot be written.
pub(crate) fn lay_out(
    pair: &Pair,
    arrived: &Arrived,
    folder: &Path,
    telling: &Telling<'_, '_>,
) -> Result<Vec<ByHand>> {
    let place = folder.join(BY_HAND);
    fs::create_dir_all(&place)?;
    let (sender, receiver) = if &arrived.item.from == pair.phu.party() {
        (&pair.phu, &pair.imigrasi)
    } else {
        (&pair.imigrasi, &pair.phu)
    };
    let signers = sender.run(&["card", "allowed-signers"])?.stdout;
    fs::write(folder.join(ALLOWED_SIGNERS), signers)?;
    let receipt = fs::read(sender.receipt(receiver.party(), &arrived.manifest))?;
    for (name, bytes) in container::unpack_small(&receipt, DOCUMENT_BYTES_MAX)? {
        fs::write(place.join(name), bytes)?;
    }
    Ok(commands(sender, receiver, arrived, folder, telling))
}

fn commands(
    sender: &Ministry,
    receiver: &Ministry,
    arrived: &Arrived,
    folder: &Path,
    telling: &Telling<'_, '_>,
) -> Vec<ByHand> {
    let path = |path: &Path| quoted(&path.to_string_lossy());
    let place = path(&folder.join(BY_HAND));
    let signers = path(&folder.join(ALLOWED_SIGNERS));
    let bundle = path(&sender.archived(receiver.party(), &arrived.manifest));
    let key = path(&receiver.folder().join(home::KEY_DECRYPTION));
    let verify = |party: &Ministry, namespace: &str, text: &str| {
        format!(
            "cd {place} && ssh-keygen -Y verify -f {signers} -I {} -n {namespace} -s {text}.sig < {text}",
            party.party()
        )
    };
    let store = path(&receiver.path(home::TABLES));
    let commands = [
        (
            texts::HAND_RECEIPT,
            verify(receiver, "receipt@amanah", "receipt.json"),
        ),
        (
            texts::HAND_DIGEST,
            format!(
                "cd {place} && tar xf {bundle} && sha256sum manifest.json payload.tar.zst.age && grep '\"manifest\"' receipt.json"
            ),
        ),
        (
            texts::HAND_MANIFEST,
            verify(sender, "bundle@amanah", "manifest.json"),
        ),
        (
            texts::HAND_OPEN,
            format!("cd {place} && age -d -i {key} payload.tar.zst.age | zstd -dq | tar t"),
        ),
        (
            texts::HAND_ROWS,
            format!("sqlite3 -readonly {store} \"{LAPSED}\""),
        ),
    ];
    let by_hand = |(shows, command)| ByHand {
        shows: telling.text(shows, &[]),
        command,
    };
    commands.into_iter().map(by_hand).collect()
}
