//! Two pretend ministries that have met, and what a peer would have sent them.
//! Keys are made anew for each test; nothing is kept.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use amanah_format::{
    container::{bundle_head, bundle_tail},
    digest::Digest,
    document::{self, Ext},
    entry_path::EntryPath,
    manifest::{AgreementRef, Manifest},
    receipt::{self, LedgerRef, Outcome, Receipt, StoreRef},
    seal::{SealOptions, Sealer},
    signature::{Purpose, SecretKey},
    time::UtcTime,
};

use crate::{Exit, Streams};

/// What a command printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The facts of `--json`.
    pub(crate) fn facts(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Demands success.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.exit, Exit::Ok, "{self:?}");
        self
    }

    /// Demands this end, with these words on standard error.
    pub(super) fn fails(self, exit: Exit, part: &str) -> Self {
        assert_eq!(self.exit, exit, "{self:?}");
        assert!(self.err.contains(part), "{part}: {self:?}");
        self
    }
}

/// Runs `amanah ARGUMENTS`.
pub(crate) fn amanah(arguments: &[&str]) -> Ran {
    let arguments: Vec<OsString> = std::iter::once("amanah")
        .chain(arguments.iter().copied())
        .map(OsString::from)
        .collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = Streams {
        out: &mut out,
        err: &mut err,
        is_terminal: false,
    };
    let exit = crate::run(&arguments, streams);
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

/// A ministry: one folder that is home and configuration.
pub(crate) struct Ministry {
    pub(super) party: &'static str,
    folder: tempfile::TempDir,
}

impl Ministry {
    pub(crate) fn new(party: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ministry = Self { party, folder };
        let arguments = [
            "init",
            "--party",
            party,
            "--name",
            "Kementerian (contoh)",
            "--contact",
            "Piket",
            "--address",
            "127.0.0.1:2222",
            "--network",
            "127.0.0.0/8",
        ];
        ministry.run(&arguments).ok();
        ministry
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let home = self.path().to_str().unwrap();
        let mut all = vec!["--home", home, "--lang", "en"];
        all.extend(arguments);
        amanah(&all)
    }

    pub(super) fn card(&self) -> PathBuf {
        let name = format!("cards/{}.card.amanah", self.party);
        self.path().join(name)
    }

    pub(super) fn fingerprint(&self) -> String {
        let shown = self.run(&["card", "show", "--json"]).ok().facts();
        shown["fingerprint"].as_str().unwrap().to_owned()
    }

    pub(super) fn add(&self, other: &Self) {
        let card = other.card();
        let (card, fingerprint) = (card.to_str().unwrap(), other.fingerprint());
        self.run(&["peer", "add", card, "--fingerprint", &fingerprint])
            .ok();
    }

    pub(super) fn signing(&self) -> SecretKey {
        self.key("signing")
    }

    pub(super) fn key(&self, role: &str) -> SecretKey {
        let pem = std::fs::read_to_string(self.path().join("keys").join(role)).unwrap();
        SecretKey::from_openssh(&pem).unwrap()
    }
}

/// Two that have each other's card.
pub(super) fn pair() -> (Ministry, Ministry) {
    let (one, other) = (Ministry::new("kemenhaj"), Ministry::new("imigrasi"));
    one.add(&other);
    other.add(&one);
    (one, other)
}

/// Drafts an agreement at `one`, with a flow each way; returns its file.
pub(super) fn draft(one: &Ministry, other: &Ministry) -> PathBuf {
    let arguments = [
        "agreement",
        "draft",
        "--id",
        "pks-manifes",
        "--peer",
        other.party,
        "--title",
        "Manifes (contoh)",
        "--flow",
        "manifes-umrah:out:10GB",
        "--flow",
        "hasil-periksa:in",
        "--from",
        "2020-01-01",
        "--until",
        "2099-12-31",
        "--purpose",
        "pengawasan:Pengawasan keberangkatan",
        "--dpia",
        "DPIA-1",
        "--legal-basis",
        "UU 14/2025",
        "--officer",
        "PPDP satu",
        "--peer-officer",
        "PPDP dua",
    ];
    one.run(&arguments).ok();
    one.path()
        .join("agreements/pks-manifes-v1.agreement.amanah")
}

/// Co-signs the draft at both.
pub(super) fn agreed() -> (Ministry, Ministry) {
    let (one, other) = pair();
    let file = draft(&one, &other);
    one.run(&["agreement", "sign", "pks-manifes"]).ok();
    other
        .run(&["agreement", "import", file.to_str().unwrap()])
        .ok();
    other.run(&["agreement", "sign", "pks-manifes"]).ok();
    let back = other
        .path()
        .join("agreements/pks-manifes-v1.agreement.amanah");
    one.run(&["agreement", "import", back.to_str().unwrap()])
        .ok();
    (one, other)
}

pub(super) fn now() -> UtcTime {
    crate::papers::now()
}

/// A bundle of one file from `one` to `other`, written to `path`; returns its manifest and identity.
pub(super) fn bundle(one: &Ministry, other: &Ministry, path: &Path) -> (Manifest, Digest) {
    let identities = std::fs::read_to_string(other.path().join("keys/decryption.txt")).unwrap();
    let recipient =
        amanah_format::recipient::Identity::read_all(&identities).unwrap()[0].recipient();
    let options = SealOptions {
        level: 1,
        workers: 0,
    };
    let mut sealer = Sealer::new(Vec::new(), std::slice::from_ref(&recipient), options).unwrap();
    let entry = EntryPath::parse("manifes umrah.csv".as_bytes()).unwrap();
    sealer.entry(&entry, 5, &mut &b"a;b\n1"[..]).unwrap();
    let mut manifest = Manifest {
        format: "amanah-bundle/1".into(),
        bundle: "019a9f6e-7c00-7000-8000-000000000001".parse().unwrap(),
        agreement: AgreementRef {
            id: "pks-manifes".parse().unwrap(),
            version: 1,
            digest: Digest::of(b"agreement"),
        },
        flow: "manifes-umrah".parse().unwrap(),
        purpose: "pengawasan".into(),
        from: one.party.parse().unwrap(),
        to: other.party.parse().unwrap(),
        epoch: "1".parse().unwrap(),
        sequence: "1".parse().unwrap(),
        previous: None,
        recipients: vec![recipient.digest()],
        regarding: None,
        created: now(),
        expires: now().plus_secs(86_400),
        payload: amanah_format::manifest::PayloadRef {
            digest: Digest::of(b""),
            bytes: 0,
        },
        contents: amanah_format::contents::ContentsSummary {
            digest: Digest::of(b""),
            entries: 0,
            bytes: 0,
        },
        ext: Ext::default(),
        critical: Vec::new(),
    };
    let sealed = sealer.finish(&manifest.binding(), [7; 32]).unwrap();
    (manifest.payload, manifest.contents) = (sealed.payload, sealed.contents);
    let text = manifest.to_bytes().unwrap();
    let signature = one.signing().sign(Purpose::Bundle, &text);
    let mut bytes = bundle_head(&text, &signature, sealed.payload.bytes).unwrap();
    bytes.extend(sealed.out);
    bytes.extend(bundle_tail(sealed.payload.bytes));
    std::fs::write(path, bytes).unwrap();
    (manifest, Digest::of(&text))
}

/// The receipt of `signer` for that bundle: a container.
pub(super) fn receipt(signer: &Ministry, manifest: &Manifest, digest: Digest) -> Vec<u8> {
    receipt_at(signer, (manifest, digest), now())
}

/// The same, made at another time.
pub(super) fn receipt_at(
    signer: &Ministry,
    (manifest, digest): (&Manifest, Digest),
    at: UtcTime,
) -> Vec<u8> {
    let receipt = Receipt {
        format: "amanah-receipt/1".into(),
        manifest: digest,
        agreement: Some(manifest.agreement.digest),
        flow: Some(manifest.flow.clone()),
        epoch: Some(manifest.epoch),
        sequence: Some(manifest.sequence),
        from: manifest.to.clone(),
        to: manifest.from.clone(),
        outcome: Outcome::Imported,
        refusal: None,
        received: at,
        verified: at,
        finished: at,
        store: Some(StoreRef {
            kind: "files".into(),
            entries: 1,
            records: 0,
        }),
        contents: Some(manifest.contents.digest),
        ledger: LedgerRef {
            origin: format!("amanah/{}/1", signer.party),
            index: 3,
        },
        ext: Ext::default(),
        critical: Vec::new(),
    };
    let text = document::print(&receipt);
    receipt::pack(&text, &signer.signing().sign(Purpose::Receipt, &text))
}
