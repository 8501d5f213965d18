//! Signatures (FORMAT.md section 5.1): one that OpenSSH would write, and what is refused, part of which stock tools accept.
//! The blobs are put together field by field (PROTOCOL.sshsig), since no signer of ours writes a wrong one.

use amanah_format::signature::Purpose;
use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256, Sha512};

use super::{
    Case,
    case::swap,
    key_types,
    parties::{KEMENHAJ, STRANGER, key},
};

/// What `ssh-keygen -Y check-novalidate` accepts though we do not, and we list in FORMAT.md section 5.1.
const STOCK_ACCEPTS: [&str; 10] = [
    "small-order",
    "sha256",
    "text-after",
    "two",
    "no-line-feed",
    "one-line",
    "certificate",
    "security-key",
    "ecdsa",
    "rsa",
];

/// What is signed.
const MESSAGE: &str = "Yang dipercayakan.";

/// The fields of an SSHSIG blob.
struct Blob<'a> {
    version: u32,
    public: [u8; 32],
    namespace: &'a str,
    reserved: &'a str,
    hash: &'a str,
    signature: Vec<u8>,
}

pub(super) fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

impl Blob<'_> {
    fn armour(&self) -> String {
        let public = [string(b"ssh-ed25519"), string(&self.public)].concat();
        let signature = [string(b"ssh-ed25519"), string(&self.signature)].concat();
        let blob = [
            b"SSHSIG".to_vec(),
            self.version.to_be_bytes().to_vec(),
            string(&public),
            string(self.namespace.as_bytes()),
            string(self.reserved.as_bytes()),
            string(self.hash.as_bytes()),
            string(&signature),
        ];
        armoured(&blob.concat())
    }
}

/// The text around a blob.
pub(super) fn armoured(blob: &[u8]) -> String {
    let mut armour = "-----BEGIN SSH SIGNATURE-----\n".to_owned();
    let text = Base64::encode_string(blob);
    for (place, character) in text.chars().enumerate() {
        if place > 0 && place % 70 == 0 {
            armour.push('\n');
        }
        armour.push(character);
    }
    armour + "\n-----END SSH SIGNATURE-----\n"
}

/// What the key signs.
pub(super) fn signed_text(reserved: &str, hash: &str) -> Vec<u8> {
    let digest = if hash == "sha256" {
        Sha256::digest(MESSAGE).to_vec()
    } else {
        Sha512::digest(MESSAGE).to_vec()
    };
    let fields = [
        b"SSHSIG".to_vec(),
        string(b"bundle@amanah"),
        string(reserved.as_bytes()),
        string(hash.as_bytes()),
        string(&digest),
    ];
    fields.concat()
}

/// A blob by the key of kemenhaj, right in itself.
fn blob<'a>(version: u32, reserved: &'a str, hash: &'a str) -> Blob<'a> {
    let secret = SigningKey::from_bytes(&[KEMENHAJ; 32]);
    Blob {
        version,
        public: secret.verifying_key().to_bytes(),
        namespace: "bundle@amanah",
        reserved,
        hash,
        signature: secret
            .sign(&signed_text(reserved, hash))
            .to_bytes()
            .to_vec(),
    }
}

/// Signatures over [`MESSAGE`] as a bundle's.
// One case a line, as in a table.
#[rustfmt::skip]
pub(crate) fn all() -> Vec<Case> {
    let case = |name: &str, expect: &str, comment: &str, armour: &str| {
        let stock = if expect == "ok" || STOCK_ACCEPTS.contains(&name) { "accepts" } else { "refuses" };
        Case::new(&format!("signature/{name}"), expect, comment, armour)
            .with("ssh-keygen", stock)
            .with("message", MESSAGE)
            .with("key", key(KEMENHAJ).public().to_string())
    };
    let good = key(KEMENHAJ).sign(Purpose::Bundle, MESSAGE.as_bytes());
    let mut lenient = blob(1, "", "sha512");
    // The neutral point as key and R, zero as S: right for every message unless points of small order are refused.
    lenient.public = [0; 32];
    if let Some(first) = lenient.public.first_mut() {
        *first = 1;
    }
    lenient.signature = [lenient.public, [0; 32]].concat();
    let mut long = blob(1, "", "sha512");
    long.signature.push(0);
    let receipt = key(KEMENHAJ).sign(Purpose::Receipt, MESSAGE.as_bytes());
    let other = key(KEMENHAJ).sign(Purpose::Bundle, b"Lain.");
    let broken = swap(&good, "U1NIU0", "U1NIU*");
    vec![
        case("ok", "ok", "as ssh-keygen writes it", &good),
        case("ok-by-hand", "ok", "the blob put together field by field", &blob(1, "", "sha512").armour()),
        case("ok-other-key", "ok", "right, by another key", &key(STRANGER).sign(Purpose::Bundle, MESSAGE.as_bytes())).with("signer", key(STRANGER).public().to_string()),
        case("other-message", "wrong", "over other bytes", &other),
        case("namespace", "namespace", "for a receipt", &receipt),
        case("small-order", "wrong", "key and R of small order: only strict verification refuses it", &lenient.armour()),
        case("sha256", "malformed", "hash sha256", &blob(1, "", "sha256").armour()),
        case("version-2", "malformed", "blob version 2", &blob(2, "", "sha512").armour()),
        case("reserved", "malformed", "the reserved field is not empty", &blob(1, "x", "sha512").armour()),
        case("65-bytes", "malformed", "a byte after the signature", &long.armour()),
        case("text-before", "malformed", "a line before the armour", &format!("hello\n{good}")),
        case("text-after", "malformed", "a line after the armour", &format!("{good}hello\n")),
        case("two", "malformed", "two blocks", &format!("{good}{good}")),
        case("crlf", "malformed", "carriage returns", &good.replace('\n', "\r\n")),
        case("no-line-feed", "malformed", "no line feed at the end", good.trim_end()),
        case("one-line", "malformed", "base64 in one line", &one_line(&good)),
        case("not-base64", "malformed", "a character that is not base64", &broken),
        case("cut-short", "malformed", "the armour ends in the middle", good.split_at(150).0),
        case("empty", "malformed", "no bytes", ""),
        case("certificate", "malformed", "by the key's certificate, as ssh-keygen -f KEY-cert.pub writes it", &key_types::certificate()),
        case("security-key", "malformed", "by a security key (FIDO)", &key_types::security_key()),
        case("ecdsa", "malformed", "by an ECDSA key", key_types::ECDSA),
        case("rsa", "malformed", "by an RSA key", key_types::RSA),
    ]
}

fn one_line(armour: &str) -> String {
    let body: Vec<&str> = armour
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    format!(
        "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        body.concat()
    )
}
