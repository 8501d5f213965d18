//! The vectors of FORMAT.md: every file in `vectors/` gives the outcome that its header expects, the generator still
//! writes the same bytes, and no code that this crate can give by itself is without a vector.

#![cfg(test)]

#[path = "../examples/make_vectors/cases/mod.rs"]
mod cases;
#[path = "vectors/tables.rs"]
mod tables;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use amanah_format::{
    agreement::AgreementFile,
    card::VerifiedCard,
    container::{ContainerError, unpack_small},
    destruction::VerifiedDestruction,
    digest::Digest,
    document::{self, DocumentError},
    entry_path::EntryPath,
    keyring::Keyring,
    ledger::{self, Checkpoint},
    manifest::{Manifest, UnverifiedHead},
    open::{EntrySink, OpenError, open_payload},
    receipt::{Receipt, VerifiedReceipt},
    recipient::Identity,
    refusal::Refusal,
    signature::{self, PublicKey, Purpose, SignatureError},
    slip::VerifiedSlip,
};
use cases::Case;

type Outcome = Result<String, Box<dyn Error>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Every vector below `vectors/`, by name.
fn on_disk() -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for kind in fs::read_dir(folder()).unwrap() {
        let kind = kind.unwrap();
        if !kind.file_type().unwrap().is_dir() {
            continue;
        }
        for file in fs::read_dir(kind.path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(folder()).unwrap().to_str().unwrap();
            all.insert(name.to_owned(), fs::read(&path).unwrap());
        }
    }
    all
}

fn parsed() -> Vec<Case> {
    let parse = |(name, file): (String, Vec<u8>)| Case::parse(&name, &file).expect(&name);
    on_disk().into_iter().map(parse).collect()
}

fn header<'a>(case: &'a Case, key: &str) -> Result<&'a str, String> {
    case.get(key).ok_or(format!("{} has no {key}", case.name))
}

fn says(ok: bool) -> Outcome {
    Ok(if ok { "ok" } else { "refused" }.to_owned())
}

/// What reading the vector really gives.
fn outcome(case: &Case) -> Outcome {
    match header(case, "kind")? {
        "document" => Ok(document(&case.bytes)),
        "entry-path" => Ok(entry_path(&case.bytes)),
        "signature" => signature(case),
        "container" => container(case),
        "card" => says(VerifiedCard::verify(&case.bytes).is_ok()),
        "manifest-head" => manifest_head(case),
        "payload" => payload(case),
        "agreement" => {
            let (keyring, at) = (keyring(case)?, header(case, "at")?.parse()?);
            says(
                AgreementFile::parse(&case.bytes)
                    .is_ok_and(|file| file.verify(&keyring, at).is_ok()),
            )
        }
        "receipt" => {
            let (keyring, at) = (keyring(case)?, header(case, "at")?.parse()?);
            says(VerifiedReceipt::verify(&case.bytes, &keyring, at).is_ok())
        }
        "slip" => {
            let (keyring, at) = (keyring(case)?, header(case, "at")?.parse()?);
            says(VerifiedSlip::verify(&case.bytes, &keyring, at).is_ok())
        }
        "destruction" => {
            let (keyring, at) = (keyring(case)?, header(case, "at")?.parse()?);
            says(VerifiedDestruction::verify(&case.bytes, &keyring, at).is_ok())
        }
        "checkpoint" => {
            let keys: Vec<PublicKey> = vec![header(case, "keys")?.parse()?];
            let note = std::str::from_utf8(&case.bytes)?;
            says(Checkpoint::verify(note, &keys).is_ok())
        }
        "records" => records(case),
        "schema" => tables::schema(case),
        "table" => tables::table(case),
        kind => Err(format!("{} is of an unknown kind {kind}", case.name).into()),
    }
}

fn document(bytes: &[u8]) -> String {
    let rule = match document::parse::<Receipt>(bytes) {
        Ok(_) => "ok",
        Err(DocumentError::TooLong { .. }) => "too-long",
        Err(DocumentError::Json(_)) => "json",
        Err(DocumentError::Shape { .. }) => "shape",
        Err(DocumentError::Format { .. }) => "format",
        Err(DocumentError::Critical(_)) => "critical",
    };
    rule.to_owned()
}

fn entry_path(bytes: &[u8]) -> String {
    let path = EntryPath::parse(bytes);
    path.map_or("entry-path", |_| "ok").to_owned()
}

fn signature(case: &Case) -> Outcome {
    let message = header(case, "message")?.as_bytes();
    let signer = case.get("signer").map_or_else(|| header(case, "key"), Ok)?;
    let rule = match signature::verify(Purpose::Bundle, message, &case.bytes) {
        Ok(key) if key.to_string() == signer => "ok",
        Ok(_) => "another key",
        Err(SignatureError::Malformed(_)) => "malformed",
        Err(SignatureError::Namespace { .. }) => "namespace",
        Err(SignatureError::Wrong) => "wrong",
    };
    Ok(rule.to_owned())
}

fn container(case: &Case) -> Outcome {
    let rule = match unpack_small(&case.bytes, 1 << 20) {
        Ok(files) => {
            let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names.join(" "), header(case, "files")?, "{}", case.name);
            "ok"
        }
        Err(ContainerError::Rule(_)) => "rule",
        Err(ContainerError::Kind(_)) => "kind",
        Err(ContainerError::Truncated) => "truncated",
        Err(ContainerError::Io(_)) => "io",
    };
    Ok(rule.to_owned())
}

/// The cards that the vector names, trusted.
fn keyring(case: &Case) -> Result<Keyring, Box<dyn Error>> {
    let mut keyring = Keyring::default();
    for name in header(case, "cards")?.split(' ') {
        let card = Case::parse(name, &fs::read(folder().join(name))?).ok_or("not a vector")?;
        keyring.trust(VerifiedCard::verify(&card.bytes)?);
    }
    Ok(keyring)
}

fn manifest_head(case: &Case) -> Outcome {
    let received = header(case, "received")?.parse()?;
    let (refusal, signer) = match UnverifiedHead::parse(&case.bytes) {
        Err(refusal) => (Some(refusal), None),
        Ok(head) => match head.verify(&keyring(case)?, received) {
            Ok(head) => (None, Some(head.manifest().from.clone())),
            Err(error) => (Some(error.refusal), error.signer),
        },
    };
    let signer = signer.map_or("none".to_owned(), |party| party.to_string());
    if signer != header(case, "signer")? {
        return Err(format!("signer {signer}").into());
    }
    Ok(refusal.map_or("ok", Refusal::code).to_owned())
}

/// Reads entries and forgets them.
struct Sink;

impl EntrySink for Sink {
    fn entry(&mut self, _: &EntryPath, _: u64, content: &mut dyn io::Read) -> io::Result<()> {
        io::copy(content, &mut io::sink()).map(drop)
    }
}

fn payload(case: &Case) -> Outcome {
    let identities = Identity::read_all(header(case, "identity")?)?;
    let manifest: Manifest = document::parse(header(case, "manifest")?.as_bytes())?;
    assert_eq!(
        manifest.payload.digest,
        Digest::of(&case.bytes),
        "{}",
        case.name
    );
    match open_payload(
        &mut case.bytes.as_slice(),
        &identities,
        &manifest,
        &mut Sink,
    ) {
        Ok(_) => Ok("ok".to_owned()),
        Err(OpenError::Refused(refusal)) => Ok(refusal.code().to_owned()),
        Err(OpenError::Io(error)) => Err(error.into()),
    }
}

fn records(case: &Case) -> Outcome {
    let checkpoint = Checkpoint {
        origin: header(case, "origin")?.to_owned(),
        size: header(case, "size")?.parse()?,
        root: header(case, "root")?.parse()?,
    };
    let lines = case.bytes.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    says(ledger::verify_records(lines, &checkpoint).is_ok())
}

#[test]
fn every_vector_gives_what_its_header_expects() {
    let mut wrong = Vec::new();
    let all = parsed();
    assert!(all.len() >= 60, "{} vectors", all.len());
    for case in &all {
        let found = outcome(case).unwrap_or_else(|error| format!("error: {error}"));
        if Ok(found.as_str()) != header(case, "expect") {
            wrong.push(format!(
                "{}: {:?} expected, {found} found",
                case.name,
                case.get("expect")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ssh_keygen_judges_signatures_as_their_headers_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("message.sig");
    let signatures = parsed()
        .into_iter()
        .filter(|case| case.get("kind") == Some("signature"));
    for case in signatures {
        fs::write(&path, &case.bytes).unwrap();
        let mut ssh_keygen = Command::new("ssh-keygen")
            .args(["-q", "-Y", "check-novalidate", "-n", "bundle@amanah", "-s"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let message = header(&case, "message").unwrap();
        // It may have refused before it read the message.
        drop(
            ssh_keygen
                .stdin
                .take()
                .unwrap()
                .write_all(message.as_bytes()),
        );
        let accepts = ssh_keygen.wait().unwrap().success();
        let said = header(&case, "ssh-keygen").unwrap();
        assert_eq!(accepts, said == "accepts", "{}", case.name);
    }
}

#[test]
fn the_checkpoint_that_format_md_shows_is_the_vector() {
    let note = parsed()
        .into_iter()
        .find(|case| case.name == "checkpoint/ok")
        .unwrap();
    let note = String::from_utf8(note.bytes).unwrap();
    assert!(include_str!("../FORMAT.md").contains(&format!("```text\n{note}```\n")));
}

#[test]
fn the_generator_writes_what_is_committed() {
    let disk = on_disk();
    let made = cases::deterministic().unwrap();
    let mut names: BTreeSet<&str> = cases::payloads::all()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for case in &made {
        assert!(names.insert(&case.name), "{} is made twice", case.name);
        let committed = disk.get(&case.name).map(Vec::as_slice);
        assert!(committed == Some(&case.to_bytes()), "{} differs", case.name);
    }
    let committed: BTreeSet<&str> = disk.keys().map(String::as_str).collect();
    assert_eq!(names, committed);
}

#[test]
fn a_payload_made_anew_gives_what_the_committed_one_gives() {
    for (name, make) in cases::payloads::all() {
        let case = make(name).unwrap();
        assert_eq!(
            outcome(&case).unwrap(),
            header(&case, "expect").unwrap(),
            "{name}"
        );
    }
}

/// Codes that need a connection, an agreement, a stream or a table, and so are not this crate's to give.
fn is_of_the_daemon(refusal: Refusal) -> bool {
    use Refusal as R;
    match refusal {
        R::SignerNotPeer
        | R::NameMismatch
        | R::WrongRecipient
        | R::AgreementNotInForce
        | R::FlowNotAgreed
        | R::DirectionNotAgreed
        | R::PurposeNotAgreed
        | R::TooLarge
        | R::Expired
        | R::SequenceConflict
        | R::SequenceTooFar
        | R::PreviousMismatch
        | R::BundleIdReused
        | R::Voided
        | R::SchemaMismatch
        | R::RecordsInvalid
        | R::TotalsMismatch => true,
        R::ContainerMalformed
        | R::SignatureInvalid
        | R::SignerUnknown
        | R::ManifestMalformed
        | R::FormatUnsupported
        | R::SignerNotValid
        | R::SenderMismatch
        | R::DecryptionFailed
        | R::PayloadMalformed
        | R::PayloadExceeds
        | R::EntryPath
        | R::EntryKind
        | R::ContentsMismatch => false,
    }
}

#[test]
fn every_code_of_this_crate_has_a_vector() {
    let all = parsed();
    let expected: BTreeSet<&str> = all.iter().filter_map(|case| case.get("expect")).collect();
    for refusal in Refusal::ALL.iter().filter(|each| !is_of_the_daemon(**each)) {
        assert!(
            expected.contains(refusal.code()),
            "{} has no vector",
            refusal.code()
        );
    }
    let kinds: BTreeSet<&str> = all.iter().filter_map(|case| case.get("kind")).collect();
    for kind in kinds {
        assert!(has_ok(&all, kind), "no valid {kind}");
    }
}

fn has_ok(all: &[Case], kind: &str) -> bool {
    all.iter()
        .any(|case| case.get("kind") == Some(kind) && case.get("expect") == Some("ok"))
}

#[test]
fn the_vectors_stay_small() {
    let bytes: usize = on_disk().values().map(Vec::len).sum();
    assert!(bytes < 2 << 20, "{bytes} bytes");
}
