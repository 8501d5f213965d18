//! FORMAT.md taken at its word: the commands that it prints are run with the stock tools, both ways, and its examples
//! are read. Needs sh, GNU tar and coreutils, zstd, age, ssh-keygen and openssl.

#![cfg(test)]

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::Path,
    process::{Command, Output},
};

use amanah_format::{
    agreement::Agreement,
    card::{self, Card, CardKeys, Valid, VerifiedCard},
    container,
    contents::{Binding, Contents},
    digest::Digest,
    document::{self, Document},
    entry_path::EntryPath,
    keyring::Keyring,
    ledger::{self, Checkpoint, Record, Tree},
    limits::BUNDLE_HEAD_BYTES,
    manifest::{Manifest, UnverifiedHead},
    open::{EntrySink, open_payload},
    receipt::{self, Receipt},
    recipient::Identity,
    seal::{SealOptions, Sealer},
    signature::{Purpose, SecretKey},
    slip::Slip,
};

const FORMAT: &str = include_str!("../FORMAT.md");
const SETTINGS: &str = "from=kemenhaj to=imigrasi flow=manifes-umrah purpose=PENGAWASAN\n\
    agreement_id=pks-manifes agreement_version=1 agreement=sha256:0f4c1c2a6a1de1b6b5b0a3f0d6a7d9f1b2c3d4e5f60718293a4b5c6d7e8f9011\n\
    sequence=1 previous=null\n";
/// The items of every bundle here: sub-folder, space, quote, beyond ASCII, empty.
const ITEMS: [(&str, &[u8]); 4] = [
    ("kloter/JKG-01/daftar nama.csv", b"nama\nNur Contoh\n"),
    ("kosong", b""),
    ("manifes \"umrah\" 2026.csv", b"1,2\n"),
    ("na\u{ef}f.txt", b"\x00\xff"),
];

/// The fenced blocks of FORMAT.md in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("\n```{language}\n");
    let rest = FORMAT.split(fence.as_str()).skip(1);
    rest.map(|text| text.split("\n```\n").next().unwrap())
        .collect()
}

/// Runs the block that begins with the comment `# NAME` in `folder`.
fn run(name: &str, folder: &Path) -> Output {
    let first = |block: &&str| {
        let line = block.lines().next().unwrap();
        line == format!("# {name}") || line.starts_with(&format!("# {name}:"))
    };
    let block = blocks("sh").into_iter().find(first).expect(name);
    let mut command = Command::new("sh");
    command
        .args(["-c", block])
        .current_dir(folder)
        .output()
        .unwrap()
}

fn run_well(name: &str, folder: &Path) -> String {
    let output = run(name, folder);
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn tool(folder: &Path, line: &str) {
    let status = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success(), "{line}");
}

/// Keys made by the stock tools, the card of kemenhaj over them, and what FORMAT.md §18 wants beside the bundle.
struct Party {
    folder: tempfile::TempDir,
    signing: SecretKey,
    keyring: Keyring,
}

impl Party {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        tool(path, "ssh-keygen -q -t ed25519 -N '' -C '' -f signing_key");
        tool(
            path,
            "age-keygen -o identity 2>/dev/null && age-keygen -y identity > recipients",
        );
        fs::write(path.join("settings"), SETTINGS).unwrap();
        let signing = SecretKey::from_openssh(&read(path, "signing_key")).unwrap();
        let mut keyring = Keyring::default();
        keyring.trust(card_of("kemenhaj", &signing, &identities(path)));
        keyring.trust(card_of(
            "imigrasi",
            &SecretKey::from_seed(&[40; 32]),
            &identities(path),
        ));
        fs::write(path.join("allowed_signers"), keyring.to_allowed_signers()).unwrap();
        Self {
            folder,
            signing,
            keyring,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn identities(folder: &Path) -> Vec<Identity> {
    Identity::read_all(&read(folder, "identity")).unwrap()
}

fn card_of(party: &str, signing: &SecretKey, identities: &[Identity]) -> VerifiedCard {
    fn valid<K>(key: K) -> Vec<Valid<K>> {
        let (from, until) = ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
        vec![Valid {
            key,
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        }]
    }
    // Of no use here; a card lists one key of each kind, each once.
    let unused = |number: u8| SecretKey::from_seed(&[number; 32]).public();
    let card = Card {
        format: Card::FORMAT.into(),
        party: party.parse().unwrap(),
        name: party.into(),
        number: 1,
        previous: None,
        created: "2020-01-01T00:00:00Z".parse().unwrap(),
        keys: CardKeys {
            signing: valid(signing.public()),
            transport: valid(unused(50)),
            decryption: valid(identities[0].recipient()),
            ledger: valid(unused(51)),
        },
        addresses: Vec::new(),
        contact: "Piket".into(),
        formats: vec![Manifest::FORMAT.into()],
        successor_of: None,
        ext: document::Ext::default(),
        critical: Vec::new(),
    };
    VerifiedCard::verify(&card::sign(&card, signing).unwrap()).unwrap()
}

/// Keeps what it is given.
#[derive(Default)]
struct Kept(BTreeMap<String, Vec<u8>>);

impl EntrySink for Kept {
    fn entry(&mut self, path: &EntryPath, _: u64, content: &mut dyn Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        self.0.insert(path.as_str().to_owned(), bytes);
        Ok(())
    }
}

fn items() -> BTreeMap<String, Vec<u8>> {
    ITEMS
        .iter()
        .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))
        .collect()
}

#[test]
fn a_bundle_made_by_hand_verifies_and_opens_here() {
    let party = Party::new();
    for (path, bytes) in ITEMS {
        let path = party.path().join("items").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    run_well("make", party.path());
    let name = Digest::of(&fs::read(party.path().join("manifest.json")).unwrap());
    let bundle = fs::read(party.path().join(container::bundle_name(&name))).unwrap();
    let (head, rest) = bundle.split_at(usize::try_from(BUNDLE_HEAD_BYTES).unwrap());

    let unverified = UnverifiedHead::parse(head).unwrap();
    assert_eq!(unverified.digest(), name);
    let text = fs::read(party.path().join("manifest.json")).unwrap();
    let created = document::parse::<Manifest>(&text).unwrap().created;
    let verified = unverified
        .verify(&party.keyring, created)
        .unwrap_or_else(|error| panic!("{error}"));
    let manifest = verified.manifest();
    let (payload, tail) = rest.split_at(usize::try_from(manifest.payload.bytes).unwrap());
    container::check_tail(manifest.payload.bytes, tail).unwrap();
    assert_eq!(Digest::of(payload), manifest.payload.digest);

    let mut kept = Kept::default();
    open_payload(
        &mut &payload[..],
        &identities(party.path()),
        manifest,
        &mut kept,
    )
    .unwrap();
    assert_eq!(kept.0, items());
}

/// A bundle by this crate in the party's folder; its manifest's digest.
fn seal_here(party: &Party) -> Digest {
    let recipients = party.keyring.recipients(
        &"imigrasi".parse().unwrap(),
        "2026-11-22T20:32:00Z".parse().unwrap(),
    );
    let mut sealer = Sealer::new(
        Vec::new(),
        &recipients,
        SealOptions {
            level: 3,
            workers: 2,
        },
    )
    .unwrap();
    for (path, mut bytes) in ITEMS {
        let path = EntryPath::parse(path.as_bytes()).unwrap();
        sealer
            .entry(&path, u64::try_from(bytes.len()).unwrap(), &mut bytes)
            .unwrap();
    }
    let example = example::<Manifest>();
    let binding: Binding = example.binding();
    let sealed = sealer.finish(&binding, [7; 32]).unwrap();
    let manifest = Manifest {
        recipients: recipients
            .iter()
            .map(amanah_format::recipient::Recipient::digest)
            .collect(),
        payload: sealed.payload,
        contents: sealed.contents,
        ..example
    };
    let text = manifest.to_bytes().unwrap();
    let armour = party.signing.sign(Purpose::Bundle, &text);
    let mut bundle = container::bundle_head(&text, &armour, manifest.payload.bytes).unwrap();
    bundle.extend(sealed.out);
    bundle.extend(container::bundle_tail(manifest.payload.bytes));
    let digest = Digest::of(&text);
    fs::write(party.path().join(container::bundle_name(&digest)), bundle).unwrap();
    digest
}

#[test]
fn a_bundle_of_ours_verifies_and_opens_by_hand() {
    let party = Party::new();
    seal_here(&party);
    assert!(
        run_well("verify", party.path()).contains("Good \"bundle@amanah\" signature for kemenhaj")
    );
    run_well("open", party.path());
    for (path, bytes) in ITEMS {
        assert_eq!(
            fs::read(party.path().join("opened").join(path)).unwrap(),
            bytes
        );
    }
}

#[test]
fn a_changed_bundle_is_refused_by_hand() {
    let party = Party::new();
    let bundle = party
        .path()
        .join(container::bundle_name(&seal_here(&party)));
    let good = fs::read(&bundle).unwrap();
    // In the manifest's text, its padding, the signature, the payload.
    for place in [700, 14_000, 15_500, 16_900] {
        let mut changed = good.clone();
        changed[place] ^= 1;
        fs::write(&bundle, changed).unwrap();
        assert!(!run("verify", party.path()).status.success(), "{place}");
    }
    fs::write(&bundle, good).unwrap();
    assert!(run("verify", party.path()).status.success());
}

#[test]
fn a_receipt_of_ours_verifies_by_hand() {
    let party = Party::new();
    let receipt = example::<Receipt>();
    let text = document::print(&receipt);
    let put = |seed: u8| {
        let armour = SecretKey::from_seed(&[seed; 32]).sign(Purpose::Receipt, &text);
        let path = party.path().join(receipt::name(&receipt.manifest));
        fs::write(path, receipt::pack(&text, &armour)).unwrap();
    };
    put(40);
    assert!(run_well("receipt", party.path()).contains("\"outcome\": \"imported\""));
    put(41);
    assert!(!run("receipt", party.path()).status.success());
}

#[test]
fn a_ledger_of_ours_is_checked_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let key = SecretKey::from_seed(&[42; 32]);
    let line = blocks("text")
        .into_iter()
        .find(|block| block.starts_with("{\"index\":0"))
        .unwrap();
    let first = Record::parse(line.as_bytes()).unwrap();
    assert_eq!(first.to_line(), line.as_bytes());
    let (mut tree, mut lines) = (Tree::default(), Vec::new());
    for index in 0..11 {
        let line = Record {
            index,
            ..first.clone()
        }
        .to_line();
        tree.push(ledger::leaf_hash(&line));
        lines.extend(line);
        lines.push(b'\n');
    }
    let origin = "amanah/imigrasi/1".to_owned();
    let note = Checkpoint {
        origin,
        size: tree.size(),
        root: tree.root(),
    }
    .sign(&key);
    fs::write(folder.path().join("records.jsonl"), lines).unwrap();
    fs::write(folder.path().join("checkpoint"), &note).unwrap();
    fs::write(folder.path().join("ledger_key"), key.public().to_string()).unwrap();

    let said: Vec<String> = run_well("ledger-root", folder.path())
        .lines()
        .map(str::to_owned)
        .collect();
    let signed: Vec<&str> = note.lines().skip(1).take(2).collect();
    assert_eq!(said, signed);
    run_well("ledger-signature", folder.path());
    fs::write(
        folder.path().join("checkpoint"),
        note.replacen("\n11\n", "\n12\n", 1),
    )
    .unwrap();
    assert!(!run("ledger-signature", folder.path()).status.success());
}

/// The example of a document in FORMAT.md.
fn example<D: Document>() -> D {
    let line = format!("\"format\": \"{}\"", D::FORMAT);
    let block = blocks("json")
        .into_iter()
        .find(|block| block.contains(&line))
        .expect(D::FORMAT);
    document::parse(block.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", D::FORMAT))
}

#[test]
fn the_examples_are_what_they_say() {
    let manifest = example::<Manifest>();
    assert_eq!(manifest.binding(), example::<Contents>().binding());
    example::<Card>();
    example::<Receipt>();
    example::<Slip>();
    example::<Agreement>().check().unwrap();
    assert_eq!(blocks("json").len(), 6);
}
