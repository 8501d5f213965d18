//! Heads that are no heads: the tar around, the signature, the signer, the name, and what follows. None of them buys a
//! signature; what somebody on the way could have done is damage.

use std::path::Path;
use std::process::Command;

use amanah_format::digest::Digest;
use amanah_format::document;
use amanah_format::home;
use amanah_format::signature::{Purpose, SecretKey};
use anyhow::{Context, Result, ensure};

use super::tape::{Part, file, header, open_tar, pax, special};
use super::workshop::{MANIFEST_BYTES, encrypt, frame, packed, swap};
use super::{Bundle, Case, DAMAGED, Expect, Ground, Workshop, case};

const CONTAINER: Expect = Expect::Door("container-malformed");
const SIGNATURE: Expect = Expect::Door("signature-invalid");
/// Where the payload begins.
const HEAD_BYTES: usize = 16 * 1024;

/// A right bundle in its parts.
struct Parts {
    text: Vec<u8>,
    armour: String,
    payload: Vec<u8>,
}

/// With a manifest of so many bytes.
fn parts(shop: &Workshop, manifest_bytes: usize) -> Result<Parts> {
    let draft = shop.hello();
    let payload = encrypt(&shop.recipients, &frame(&draft.tar())?)?;
    let mut text = document::print(&draft.filled(&payload));
    text.resize(manifest_bytes, b' ');
    Ok(Parts {
        armour: shop.signing.sign(Purpose::Bundle, &text),
        text,
        payload,
    })
}

fn usual(shop: &Workshop) -> Result<Parts> {
    parts(shop, MANIFEST_BYTES)
}

impl Parts {
    /// The bytes from these entries, a payload header of this length, and the payload.
    fn framed(&self, entries: &[Part<'_>], payload_bytes: usize) -> Bundle {
        let mut bytes = open_tar(entries);
        bytes.extend(header(&file("payload.tar.zst.age", b""), payload_bytes));
        bytes.resize(HEAD_BYTES, 0);
        bytes.extend(&self.payload);
        bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
        Bundle {
            manifest: Digest::of(&self.text),
            bytes,
        }
    }

    fn named(&self, first: &str, second: &str) -> Bundle {
        let entries = [
            file(first, &self.text),
            file(second, self.armour.as_bytes()),
        ];
        self.framed(&entries, self.payload.len())
    }

    /// With another signature file of any length.
    fn signed_as(mut self, shop: &Workshop, change: impl Fn(&str) -> String) -> Result<Bundle> {
        let blocks = change(&self.armour).len().next_multiple_of(512);
        let text_bytes = HEAD_BYTES - 3 * 512 - blocks;
        self = parts(shop, text_bytes)?;
        let armour = change(&self.armour);
        let entries = [
            file("manifest.json", &self.text),
            file("manifest.json.sig", armour.as_bytes()),
        ];
        Ok(self.framed(&entries, self.payload.len()))
    }
}

fn tar(name: &str, make: fn(&Parts) -> Bundle) -> Case {
    case(name, CONTAINER, move |shop| Ok(make(&usual(shop)?)))
}

fn signature(name: &str, change: fn(&str) -> String) -> Case {
    case(name, SIGNATURE, move |shop| {
        usual(shop)?.signed_as(shop, change)
    })
}

/// The right bundle with its bytes changed after sealing.
fn bytes(name: &str, expect: Expect, change: fn(&mut Vec<u8>)) -> Case {
    case(name, expect, move |shop| {
        let mut bundle = shop.seal(&shop.hello())?;
        change(&mut bundle.bytes);
        Ok(bundle)
    })
}

// One case a line, as in a table.
#[rustfmt::skip]
fn containers() -> Vec<Case> {
    vec![
        tar("container: the signature first", |parts| {
            let entries = [file("manifest.json.sig", parts.armour.as_bytes()), file("manifest.json", &parts.text)];
            parts.framed(&entries, parts.payload.len())
        }),
        tar("container: another name", |parts| parts.named("manifest.txt", "manifest.json.sig")),
        tar("container: a name that climbs", |parts| parts.named("../manifest.json", "manifest.json.sig")),
        tar("container: the manifest twice", |parts| parts.named("manifest.json", "manifest.json")),
        tar("container: a receipt's names", |parts| parts.named("receipt.json", "receipt.json.sig")),
        tar("container: the signature is a link", |parts| {
            let entries = [file("manifest.json", &parts.text), special("manifest.json.sig", b'2', b"/etc/passwd")];
            parts.framed(&entries, parts.payload.len())
        }),
        tar("container: a PAX record of another key", |parts| {
            let entries = [pax(b"13 mtime=1.5\n"), file("manifest.json", &parts.text[..13_312]), file("manifest.json.sig", parts.armour.as_bytes())];
            parts.framed(&entries, parts.payload.len())
        }),
        tar("container: the payload too early", |parts| {
            let entries = [file("manifest.json", &parts.text[..512]), file("manifest.json.sig", parts.armour.as_bytes())];
            parts.framed(&entries, parts.payload.len())
        }),
        tar("container: another length than the manifest says", |parts| {
            let entries = [file("manifest.json", &parts.text), file("manifest.json.sig", parts.armour.as_bytes())];
            parts.framed(&entries, parts.payload.len() + 1)
        }),
        tar("container: zeros", |parts| Bundle { manifest: Digest::of(&parts.text), bytes: vec![0; 20_000] }),
        tar("container: noise", |parts| Bundle { manifest: Digest::of(&parts.text), bytes: b"\xff\x01".repeat(10_000) }),
        bytes("container: cut in the head", CONTAINER, |bytes| bytes.truncate(16_383)),
        bytes("container: one byte", CONTAINER, |bytes| bytes.truncate(1)),
        bytes("container: wrong checksum", CONTAINER, |bytes| bytes[148] ^= 1),
        bytes("container: of GNU", CONTAINER, |bytes| bytes.splice(257..265, *b"ustar  \0").for_each(drop)),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn signatures() -> Vec<Case> {
    vec![
        signature("signature: text before", |armour| format!("x\n{armour}")),
        signature("signature: text after", |armour| format!("{armour}x\n")),
        signature("signature: two", |armour| format!("{armour}{armour}")),
        signature("signature: CRLF", |armour| armour.replace('\n', "\r\n")),
        signature("signature: no line feed at its end", |armour| armour.trim_end().to_owned()),
        signature("signature: in one line", |armour| {
            let body: String = armour.lines().filter(|line| !line.starts_with('-')).collect();
            format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n")
        }),
        signature("signature: a space in it", |armour| armour.replacen("\nU", "\n U", 1)),
        signature("signature: no base64", |armour| armour.replacen('U', "*", 1)),
        signature("signature: cut", |armour| armour[..150].to_owned()),
        signature("signature: of another armour", |armour| armour.replace("SSH SIGNATURE", "PGP SIGNATURE")),
        signature("signature: only a line feed", |_| "\n".to_owned()),
        signature("signature: small-order key, right for every text", |_| vector("small-order")),
        signature("signature: by a security key", |_| vector("security-key")),
        case("signature: by a certificate of the sender's own key", SIGNATURE, |shop| {
            let own = beside(shop, "bersertifikat")?;
            std::fs::copy(shop.folder.join("phu").join(home::KEY_SIGNING), &own)?;
            by_openssh(shop, &certified(&own)?, &[])
        }),
        case("signature: by a certificate of nobody's key", SIGNATURE, |shop| {
            let key = made(shop, "ed25519")?;
            by_openssh(shop, &certified(&key)?, &[])
        }),
        signature("signature: 65 bytes", |_| vector("65-bytes")),
        signature("signature: blob version 2", |_| vector("version-2")),
        signature("signature: reserved field", |_| vector("reserved")),
        case("signature: as a receipt", SIGNATURE, |shop| by(shop, &shop.signing, Purpose::Receipt)),
        case("signature: as a card", SIGNATURE, |shop| by(shop, &shop.signing, Purpose::Card)),
        case("signature: as an agreement", SIGNATURE, |shop| by(shop, &shop.signing, Purpose::Agreement)),
        case("signature: as a slip", SIGNATURE, |shop| by(shop, &shop.signing, Purpose::Slip)),
        case("signature: moved from another manifest", SIGNATURE, |shop| {
            let (one, other) = (usual(shop)?, usual(shop)?);
            packed(&one.text, &other.armour, &one.payload)
        }),
        case("signature: a space of the text became a tab", SIGNATURE, |shop| {
            let mut parts = usual(shop)?;
            parts.text[MANIFEST_BYTES - 1] = b'\t';
            packed(&parts.text, &parts.armour, &parts.payload)
        }),
        case("signature: with SHA-256, by OpenSSH", SIGNATURE, |shop| {
            let key = shop.folder.join("phu").join(home::KEY_SIGNING);
            by_openssh(shop, key.to_str().context("a path")?, &["-O", "hashalg=sha256"])
        }),
        case("signature: by an ECDSA key", SIGNATURE, |shop| by_openssh(shop, &made(shop, "ecdsa")?, &[])),
        case("signature: by an RSA key", SIGNATURE, |shop| by_openssh(shop, &made(shop, "rsa")?, &[])),
        case("signer: nobody's key", Expect::Door("signer-unknown"), |shop| by(shop, &SecretKey::from_seed(&[9; 32]), Purpose::Bundle)),
        case("signer: the recipient itself", Expect::Door("signer-not-peer"), |shop| by(shop, &shop.others_signing, Purpose::Bundle)),
        case("signer: the sender's transport key", Expect::Door("signer-unknown"), |shop| {
            let text = std::fs::read_to_string(shop.folder.join("phu").join(home::KEY_TRANSPORT))?;
            by(shop, &SecretKey::from_openssh(&text)?, Purpose::Bundle)
        }),
        case("name: another digest", Expect::Door("name-mismatch"), |shop| {
            Ok(Bundle { manifest: Digest::of(b"lain"), ..shop.seal(&shop.hello())? })
        }),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn damages() -> Vec<Case> {
    vec![
        bytes("damage: a bit of the payload", DAMAGED, |bytes| bytes[HEAD_BYTES + 100] ^= 1),
        bytes("damage: the last byte of the payload", DAMAGED, |bytes| { let at = bytes.len() - 1024 - 512; bytes[at] ^= 1; }),
        bytes("damage: no payload", DAMAGED, |bytes| bytes.truncate(HEAD_BYTES)),
        bytes("damage: the payload cut short", DAMAGED, |bytes| bytes.truncate(HEAD_BYTES + 200)),
        bytes("damage: no end", DAMAGED, |bytes| bytes.truncate(bytes.len() - 1024)),
        bytes("damage: a byte in the end", DAMAGED, |bytes| { let at = bytes.len() - 1; bytes[at] = 1; }),
        bytes("damage: 20 KiB of zeros more", DAMAGED, |bytes| bytes.resize(bytes.len() + 20_000, 0)),
        bytes("damage: a second bundle after it", DAMAGED, |bytes| bytes.extend_from_within(..)),
        case("damage: the payload of another manifest", DAMAGED, |shop| {
            let (one, other) = (shop.seal(&shop.hello())?, shop.seal(&shop.hello())?);
            let bytes = [&one.bytes[..HEAD_BYTES], &other.bytes[HEAD_BYTES..]].concat();
            Ok(Bundle { manifest: one.manifest, bytes })
        }),
        case("damage: encrypted anew for the same recipient", DAMAGED, |shop| {
            let draft = shop.hello();
            let payload = encrypt(&shop.recipients, &frame(&draft.tar())?)?;
            let right = shop.carrying(&draft, &payload)?;
            let again = shop.seal(&draft)?;
            let bytes = [&right.bytes[..HEAD_BYTES], &again.bytes[HEAD_BYTES..]].concat();
            Ok(Bundle { manifest: right.manifest, bytes })
        }),
    ]
}

fn by(shop: &Workshop, key: &SecretKey, purpose: Purpose) -> Result<Bundle> {
    let parts = usual(shop)?;
    packed(&parts.text, &key.sign(purpose, &parts.text), &parts.payload)
}

/// The armour of a signature vector.
fn vector(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../format/vectors/signature");
    let file = std::fs::read_to_string(folder.join(name)).unwrap();
    file.split_once("\n\n").unwrap().1.to_owned()
}

fn ssh_keygen(arguments: &[&str]) -> Result<Vec<u8>> {
    let ran = Command::new("ssh-keygen").args(arguments).output()?;
    ensure!(ran.status.success(), "ssh-keygen {arguments:?}: {ran:?}");
    Ok(ran.stdout)
}

fn beside(shop: &Workshop, name: &str) -> Result<String> {
    let path = shop.bench.path().join(name).into_os_string();
    path.into_string().ok().context("a path in UTF-8")
}

fn made(shop: &Workshop, kind: &str) -> Result<String> {
    let key = beside(shop, kind)?;
    ssh_keygen(&["-q", "-N", "", "-t", kind, "-f", &key])?;
    Ok(key)
}

/// The certificate of a key, by an authority that nobody knows: ssh-keygen signs with its file.
fn certified(key: &str) -> Result<String> {
    let public = format!("{key}.pub");
    std::fs::write(&public, ssh_keygen(&["-y", "-f", key])?)?;
    let authority = format!("{key}-ca");
    ssh_keygen(&["-q", "-N", "", "-t", "ed25519", "-f", &authority])?;
    ssh_keygen(&["-q", "-s", &authority, "-I", "phu", "-n", "phu", &public])?;
    Ok(format!("{key}-cert.pub"))
}

/// Signed by the stock tool.
fn by_openssh(shop: &Workshop, key: &str, options: &[&str]) -> Result<Bundle> {
    let place = shop.bench.path().join("manifest.json");
    let signature = shop.bench.path().join("manifest.json.sig");
    let sign = |text: &[u8]| -> Result<String> {
        std::fs::write(&place, text)?;
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-Y", "sign", "-n", "bundle@amanah"])
            .args(options);
        let signed = command.arg("-f").arg(key).arg(&place).status()?;
        ensure!(signed.success(), "ssh-keygen signs");
        let armour = std::fs::read_to_string(&signature)?;
        std::fs::remove_file(&signature)?;
        std::fs::remove_file(&place)?;
        Ok(armour)
    };
    let length = sign(b"")?.len();
    let parts = parts(shop, HEAD_BYTES - 3 * 512 - length.next_multiple_of(512))?;
    let armour = swap(&sign(&parts.text)?, "-----BEGIN", "-----BEGIN");
    let entries = [
        file("manifest.json", &parts.text),
        file("manifest.json.sig", armour.as_bytes()),
    ];
    Ok(parts.framed(&entries, parts.payload.len()))
}

#[test]
fn a_head_that_proves_nothing_buys_no_signature() {
    let cases = containers()
        .into_iter()
        .chain(signatures())
        .chain(damages());
    Ground::all("heads, signatures, damage", cases.collect());
}
