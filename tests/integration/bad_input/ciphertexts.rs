//! The age layer: headers that want memory, work or another key, stanzas added, removed and exchanged with a right MAC, and a
//! body whose chunks were moved. The manifest names each of these payloads by its true digest.

use std::collections::HashSet;
use std::io::Write;

use age_core::format::{FileKey, Stanza};
use anyhow::{Context, Result};

use super::workshop::{Draft, age_keys, encrypt, encrypt_for, frame};
use super::{Bundle, Case, Expect, Ground, Workshop, case};

const FAILED: Expect = Expect::Refused("decryption-failed");
/// One encrypted chunk (C2SP age: 64 KiB and a tag).
const CHUNK: usize = 65_552;

/// Wraps the key as the true recipient does, and then turns what comes: the MAC covers the turned stanzas.
struct Turned {
    inner: age::x25519::Recipient,
    turn: fn(Vec<Stanza>) -> Vec<Stanza>,
}

impl age::Recipient for Turned {
    fn wrap_file_key(
        &self,
        key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let (stanzas, labels) = self.inner.wrap_file_key(key)?;
        Ok(((self.turn)(stanzas), labels))
    }
}

fn stanza(tag: &str, args: &[&str], bytes: usize) -> Stanza {
    Stanza {
        tag: tag.to_owned(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        body: vec![7; bytes],
    }
}

fn again(of: &Stanza) -> Stanza {
    Stanza {
        tag: of.tag.clone(),
        args: of.args.clone(),
        body: of.body.clone(),
    }
}

/// Stanzas turned under a right MAC.
fn turned(name: &str, expect: Expect, turn: fn(Vec<Stanza>) -> Vec<Stanza>) -> Case {
    case(name, expect, move |shop| {
        let draft = shop.hello();
        let inner = age_keys(&shop.recipients)?.pop().context("a recipient")?;
        let key = Turned { inner, turn };
        let keys = std::iter::once::<&dyn age::Recipient>(&key);
        shop.carrying(&draft, &encrypt_for(keys, &frame(&draft.tar())?)?)
    })
}

fn right(shop: &Workshop, draft: &Draft) -> Result<Vec<u8>> {
    encrypt(&shop.recipients, &frame(&draft.tar())?)
}

/// The right age file, changed as bytes.
fn bytes(name: &str, change: fn(Vec<u8>) -> Vec<u8>) -> Case {
    case(name, FAILED, move |shop| {
        let draft = shop.hello();
        shop.carrying(&draft, &change(right(shop, &draft)?))
    })
}

/// An age file of several chunks, these exchanged.
fn chunks(name: &str, change: fn(&mut Vec<Vec<u8>>)) -> Case {
    case(name, FAILED, move |shop| {
        let noise: Vec<u8> = (0..8_000_u32)
            .flat_map(|n| *amanah_format::digest::Digest::of(&n.to_le_bytes()).as_bytes())
            .collect();
        let draft = shop.draft(&[("bising.bin", &noise)]);
        let payload = right(shop, &draft)?;
        let (head, body) = payload.split_at(body_at(&payload)?);
        let mut pieces: Vec<Vec<u8>> = body.chunks(CHUNK).map(<[u8]>::to_vec).collect();
        assert!(pieces.len() >= 4, "{} chunks", pieces.len());
        change(&mut pieces);
        shop.carrying(&draft, &[head.to_vec(), pieces.concat()].concat())
    })
}

/// Where the chunks begin: after the MAC's line and the nonce.
fn body_at(payload: &[u8]) -> Result<usize> {
    let mac = payload
        .windows(5)
        .position(|five| five == b"\n--- ")
        .context("a MAC")?;
    let line = payload[mac + 1..]
        .iter()
        .position(|byte| *byte == b'\n')
        .context("its end")?;
    Ok(mac + 1 + line + 1 + 16)
}

/// `more` after the version line: the MAC does not cover it, and must not be needed to refuse it.
fn inserted(mut payload: Vec<u8>, more: &str) -> Vec<u8> {
    payload.splice(22..22, more.bytes());
    payload
}

fn passphrase(shop: &Workshop) -> Result<Bundle> {
    let draft = shop.hello();
    let encryptor = age::Encryptor::with_user_passphrase("rahasia".to_owned().into());
    let mut out = encryptor.wrap_output(Vec::new())?;
    out.write_all(&frame(&draft.tar())?)?;
    shop.carrying(&draft, &out.finish()?)
}

// One case a line, as in a table.
#[rustfmt::skip]
fn stanzas() -> Vec<Case> {
    vec![
        turned("stanza: as it should be", Expect::Imported, |list| list),
        turned("stanza: a grease beside age's own", FAILED, |mut list| { list.push(stanza("x-grease", &["1"], 20)); list }),
        turned("stanza: two grease", FAILED, |mut list| { list.push(stanza("x-grease", &[], 1)); list.push(stanza("y-grease", &[], 1)); list }),
        turned("stanza: one X25519 more than named", FAILED, |mut list| { list.push(again(&list[0])); list }),
        turned("stanza: removed", FAILED, |_| vec![stanza("x-grease", &[], 1)]),
        turned("stanza: plugin beside", FAILED, |mut list| { list.push(stanza("yubikey", &["x"], 32)); list }),
        turned("stanza: plugin alone", FAILED, |_| vec![stanza("tpm-ecc", &["x"], 32)]),
        turned("stanza: ssh-rsa", FAILED, |_| vec![stanza("ssh-rsa", &["abcd"], 256)]),
        turned("stanza: ssh-ed25519", FAILED, |_| vec![stanza("ssh-ed25519", &["abcd", "x"], 32)]),
        turned("stanza: post-quantum", FAILED, |_| vec![stanza("mlkem768x25519", &["x"], 32)]),
        turned("stanza: lower case", FAILED, |mut list| { list[0].tag = "x25519".to_owned(); list }),
        turned("stanza: an argument more", FAILED, |mut list| { list[0].args.push("x".to_owned()); list }),
        turned("stanza: no argument", FAILED, |mut list| { list[0].args.clear(); list }),
        turned("stanza: a share of zeros", FAILED, |mut list| { list[0].args[0] = "A".repeat(43); list }),
        turned("stanza: a body of 31 bytes", FAILED, |mut list| { list[0].body.pop(); list }),
        turned("stanza: another wrapped key", FAILED, |mut list| { list[0].body[0] ^= 1; list }),
        turned("header: 50 KiB of grease, and too long", FAILED, |mut list| { list.push(stanza("x-grease", &[], 60 << 10)); list }),
        case("stanza: passphrase alone", FAILED, passphrase),
        case("stanza: for the sender alone", FAILED, |shop| {
            let draft = shop.hello();
            shop.carrying(&draft, &encrypt(&shop.own_recipients, &frame(&draft.tar())?)?)
        }),
        case("stanza: a third party beside, unsaid", FAILED, |shop| {
            let draft = shop.hello();
            let third = amanah_format::recipient::Identity::generate().recipient();
            let keys = [shop.recipients.clone(), vec![third]].concat();
            shop.carrying(&draft, &encrypt(&keys, &frame(&draft.tar())?)?)
        }),
        case("stanza: one recipient named and missing", FAILED, |shop| {
            let mut draft = shop.hello();
            draft.manifest.recipients.extend(shop.own_recipients.iter().map(amanah_format::recipient::Recipient::digest));
            shop.seal(&draft)
        }),
        case("stanza: sender and recipient, both named", Expect::Imported, |shop| {
            let mut draft = shop.hello();
            draft.manifest.recipients.extend(shop.own_recipients.iter().map(amanah_format::recipient::Recipient::digest));
            let keys = [shop.own_recipients.clone(), shop.recipients.clone()].concat();
            shop.carrying(&draft, &encrypt(&keys, &frame(&draft.tar())?)?)
        }),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn files() -> Vec<Case> {
    vec![
        bytes("age: nothing", |_| Vec::new()),
        bytes("age: version 2", |mut age| { age[20] = b'2'; age }),
        bytes("age: CRLF", |age| inserted(age, "\r\n")),
        bytes("age: a blank line", |age| inserted(age, "\n")),
        bytes("age: armour", |_| b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n".to_vec()),
        bytes("age: a stanza outside the MAC", |age| inserted(age, "-> x-grease 1\n\n")),
        bytes("age: a header of 10 MiB", |age| inserted(age, &format!("-> x-grease 1\n{}\n", format!("{}\n", "A".repeat(64)).repeat(160_000)))),
        bytes("age: a line of 10 MiB", |age| inserted(age, &format!("-> x-grease {}\n\n", "a".repeat(10 << 20)))),
        bytes("age: 100,000 stanzas", |age| inserted(age, &"-> x-grease 1\n\n".repeat(100_000))),
        bytes("age: a passphrase of work factor 62 outside the MAC", |age| inserted(age, "-> scrypt c2FsdHNhbHRzYWx0c2FsdA 62\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")),
        bytes("age: another MAC", |mut age| { let mac = age.windows(5).position(|five| five == b"\n--- ").unwrap() + 6; age[mac] = if age[mac] == b'A' { b'B' } else { b'A' }; age }),
        bytes("age: no MAC", |age| { let mac = age.windows(5).position(|five| five == b"\n--- ").unwrap(); age[..=mac].to_vec() }),
        bytes("age: no nonce", |age| { let at = body_at(&age).unwrap() - 16; age[..at].to_vec() }),
        bytes("age: another nonce", |mut age| { let at = body_at(&age).unwrap() - 1; age[at] ^= 1; age }),
        bytes("age: no chunk", |age| { let at = body_at(&age).unwrap(); age[..at].to_vec() }),
        bytes("age: the last byte changed", |mut age| { let at = age.len() - 1; age[at] ^= 1; age }),
        bytes("age: the last byte missing", |mut age| { age.pop(); age }),
        bytes("age: a byte after", |mut age| { age.push(0); age }),
        bytes("age: a second file after", |age| [&*age, &*age].concat()),
        chunks("chunks: two exchanged", |list| list.swap(0, 1)),
        chunks("chunks: the first missing", |list| drop(list.remove(0))),
        chunks("chunks: one in the middle missing", |list| drop(list.remove(1))),
        chunks("chunks: the last missing", |list| drop(list.pop())),
        chunks("chunks: one twice", |list| list.insert(1, list[1].clone())),
        chunks("chunks: the last twice", |list| list.push(list[list.len() - 1].clone())),
        chunks("chunks: the last first", |list| list.rotate_right(1)),
        chunks("chunks: the last cut to its tag", |list| list.last_mut().unwrap().truncate(16)),
    ]
}

#[test]
fn an_age_file_that_is_not_as_it_should_be_is_refused() {
    Ground::all("age", stanzas().into_iter().chain(files()).collect());
}
