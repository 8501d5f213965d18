//! Writes `keys-example/`: two pretend ministries with keys that everybody has. `cargo run -p amanah-format --example make_keys_example`.
//!
//! Keys and times are fixed, so that every run writes the same bytes; age is not deterministic: the bundle is made once, where
//! it is missing, and then stays. The README and the two configurations are written by hand.

use std::{error::Error, fs, path::Path};

use amanah_format::{
    agreement::{Agreement, AgreementFile},
    card::{self, Card},
    container,
    digest::Digest,
    document::{self, Document, Ext},
    entry_path::EntryPath,
    manifest::{AgreementRef, Manifest, UnverifiedHead},
    receipt::{self, LedgerRef, Outcome, Receipt, StoreRef},
    recipient::Identity,
    seal::{SealOptions, Sealer},
    signature::{Purpose, SecretKey},
};

type Made<T> = Result<T, Box<dyn Error>>;

/// A pretend ministry.
struct Ministry {
    id: &'static str,
    name: &'static str,
    /// Made once by age-keygen.
    identity: &'static str,
    address: &'static str,
}

const KEMENHAJ: Ministry = Ministry {
    id: "kemenhaj",
    name: "Kementerian Haji dan Umrah (contoh)",
    identity: "AGE-SECRET-KEY-1XEYCL0Y5XE55353CPRMV003T6JEGN36FVAVW7TGNWCMK4CF7SC7SZPWQWP",
    address: "127.0.0.1:22521",
};
const IMIGRASI: Ministry = Ministry {
    id: "imigrasi",
    name: "Direktorat Jenderal Imigrasi (contoh)",
    identity: "AGE-SECRET-KEY-1QND6XMFMYLCHJLP3D5PKUZLEFZQ3SZ02PL9QRLY4C8FEL4YC6V6QEKCHV3",
    address: "127.0.0.1:22522",
};

const FROM: &str = "2026-01-01T00:00:00Z";
const UNTIL: &str = "2099-12-31T17:00:00Z";
const SEALED: &str = "2026-11-20T02:00:00Z";
const TAKEN_OVER: &str = "2026-11-20T02:00:01Z";
/// The one file of the bundle.
const FILE: &str = "manifes-contoh.csv";
const ROWS: &str = "nomor_paspor,nama,ppiu,tanggal_berangkat\nX0000001,CONTOH SATU,PPIU-000,2026-12-01\n\
                    X0000002,CONTOH DUA,PPIU-000,2026-12-01\n";

impl Ministry {
    /// From a seed that everybody can compute.
    fn key(&self, role: &str) -> SecretKey {
        let seed = Digest::of(format!("amanah keys-example {} {role}", self.id).as_bytes());
        SecretKey::from_seed(seed.as_bytes())
    }

    fn recipient(&self) -> Made<String> {
        let identities = Identity::read_all(self.identity)?;
        let first = identities.first().ok_or("no identity")?;
        Ok(first.recipient().to_string())
    }

    fn card(&self) -> Made<Card> {
        let valid =
            |key: String| format!(r#"[{{"key": "{key}", "from": "{FROM}", "until": "{UNTIL}"}}]"#);
        let public = |role| valid(self.key(role).public().to_string());
        let text = format!(
            r#"{{"format": "amanah-card/1", "party": "{}", "name": "{}", "number": 1, "previous": null, "created": "{FROM}",
"keys": {{"signing": {}, "transport": {}, "decryption": {}, "ledger": {}}},
"addresses": ["{}"], "contact": "Piket (contoh), +62 21 0000 0000", "formats": ["{}"],
"successor_of": null, "ext": {{}}, "critical": []}}"#,
            self.id,
            self.name,
            public("signing"),
            public("transport"),
            valid(self.recipient()?),
            public("ledger"),
            self.address,
            Manifest::FORMAT,
        );
        Ok(serde_json::from_str(&text)?)
    }

    /// Private and public halves, as `amanah init` lays them out.
    fn write_keys(&self, folder: &Path) -> Made<()> {
        let keys = folder.join("keys");
        fs::create_dir_all(&keys)?;
        for role in ["signing", "transport", "ledger"] {
            let (key, comment) = (self.key(role), format!("{role}@{}.contoh", self.id));
            fs::write(keys.join(role), key.to_openssh(&comment).as_bytes())?;
            fs::write(
                keys.join(format!("{role}.pub")),
                format!("{} {comment}\n", key.public()),
            )?;
        }
        let recipient = self.recipient()?;
        let text = format!(
            "# created: {FROM}\n# public key: {recipient}\n{}\n",
            self.identity
        );
        fs::write(keys.join("decryption.txt"), text)?;
        Ok(())
    }
}

fn main() -> Made<()> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../keys-example");
    let both = [KEMENHAJ, IMIGRASI];
    let mut agreement = AgreementFile::draft(&agreement()?)?;
    for ministry in &both {
        agreement.sign(&ministry.id.parse()?, &ministry.key("signing"))?;
    }
    for ministry in &both {
        let folder = top.join(ministry.id);
        ministry.write_keys(&folder)?;
        fs::create_dir_all(folder.join("cards"))?;
        fs::create_dir_all(folder.join("agreements"))?;
        for other in &both {
            let card = card::sign(&other.card()?, &other.key("signing"))?;
            fs::write(folder.join(format!("cards/{}.card.amanah", other.id)), card)?;
        }
        let name = "agreements/pks-contoh.agreement.amanah";
        fs::write(folder.join(name), agreement.to_bytes())?;
    }
    let bundle = top.join("bundle.amanah");
    if !bundle.exists() {
        fs::write(&bundle, seal(&agreement)?)?;
    }
    fs::write(top.join(FILE), ROWS)?;
    fs::write(top.join("receipt.amanah"), answer(&fs::read(&bundle)?)?)?;
    Ok(())
}

fn agreement() -> Made<Agreement> {
    let party = |ministry: &Ministry| -> Made<String> {
        let card = Digest::of(&document::print(&ministry.card()?));
        Ok(format!(
            r#"{{"id": "{}", "name": "{}", "card": "{card}", "document_number": "CONTOH/01/2026", "signatory": "Direktur Jenderal",
"contact": "Piket (contoh), +62 21 0000 0000", "data_protection_officer": "PPDP (contoh), +62 21 0000 0001"}}"#,
            ministry.id, ministry.name
        ))
    };
    let flow = |name: &str, from: &Ministry, to: &Ministry| {
        format!(
            r#"{{"name": "{name}", "from": "{}", "to": "{}", "purpose": ["CONTOH"], "kind": "files", "schema": null, "import": null,
"totals": [], "bytes_max": 1073741824, "records_max": null, "rhythm": null, "lane": "normal",
"retention": {{"days": 30, "from": "settled", "action": "destroy", "legal_hold": false}}, "classification": "biasa"}}"#,
            from.id, to.id
        )
    };
    let text = format!(
        r#"{{"format": "amanah-agreement/1", "id": "pks-contoh", "version": 1, "title": "Contoh, bukan perjanjian", "supersedes": null,
"parties": [{}, {}], "effective": "{FROM}", "ends": "{UNTIL}", "zone": "Asia/Jakarta", "legal_basis": ["contoh"],
"purposes": [{{"code": "CONTOH", "text": "Peragaan"}}], "flows": [{}, {}],
"drain_days": 30, "dpia": "DPIA-CONTOH", "ext": {{}}, "critical": []}}"#,
        party(&KEMENHAJ)?,
        party(&IMIGRASI)?,
        flow("manifes-umrah", &KEMENHAJ, &IMIGRASI),
        flow("hasil-periksa", &IMIGRASI, &KEMENHAJ),
    );
    Ok(serde_json::from_str(&text)?)
}

/// The bundle that kemenhaj sent.
fn seal(agreement: &AgreementFile) -> Made<Vec<u8>> {
    let options = SealOptions {
        level: 1,
        workers: 0,
    };
    let recipient: amanah_format::recipient::Recipient = IMIGRASI.recipient()?.parse()?;
    let mut manifest = Manifest {
        format: Manifest::FORMAT.to_owned(),
        bundle: "019a9f00-0000-7000-8000-000000000001".parse()?,
        agreement: AgreementRef {
            id: "pks-contoh".parse()?,
            version: 1,
            digest: agreement.digest(),
        },
        flow: "manifes-umrah".parse()?,
        purpose: "CONTOH".to_owned(),
        from: KEMENHAJ.id.parse()?,
        to: IMIGRASI.id.parse()?,
        epoch: serde_json::from_str("1")?,
        sequence: serde_json::from_str("1")?,
        previous: None,
        recipients: vec![recipient.digest()],
        regarding: None,
        created: SEALED.parse()?,
        expires: "2026-12-20T02:00:00Z".parse()?,
        payload: serde_json::from_str(&format!(
            r#"{{"digest": "{}", "bytes": 1}}"#,
            Digest::of(b"")
        ))?,
        contents: serde_json::from_str(&format!(
            r#"{{"digest": "{}", "entries": 1, "bytes": 1}}"#,
            Digest::of(b"")
        ))?,
        ext: Ext::default(),
        critical: Vec::new(),
    };
    let mut sealer = Sealer::new(Vec::new(), &[recipient], options)?;
    let length = u64::try_from(ROWS.len())?;
    sealer.entry(
        &EntryPath::parse(FILE.as_bytes())?,
        length,
        &mut ROWS.as_bytes(),
    )?;
    let sealed = sealer.finish(
        &manifest.binding(),
        *Digest::of(b"amanah keys-example salt").as_bytes(),
    )?;
    manifest.payload = sealed.payload;
    manifest.contents = sealed.contents;
    let text = manifest.to_bytes()?;
    let signature = KEMENHAJ.key("signing").sign(Purpose::Bundle, &text);
    let bytes = sealed.payload.bytes;
    let head = container::bundle_head(&text, &signature, bytes)?;
    Ok([head, sealed.out, container::bundle_tail(bytes)].concat())
}

/// The receipt of imigrasi for it.
fn answer(bundle: &[u8]) -> Made<Vec<u8>> {
    let head = bundle.get(..16_384).ok_or("no head")?;
    let head = UnverifiedHead::parse(head).map_err(|refusal| refusal.to_string())?;
    let (text, _) = head.evidence();
    let manifest: Manifest = serde_json::from_slice(&text)?;
    let receipt = Receipt {
        format: Receipt::FORMAT.to_owned(),
        manifest: head.digest(),
        agreement: Some(manifest.agreement.digest),
        flow: Some(manifest.flow),
        epoch: Some(manifest.epoch),
        sequence: Some(manifest.sequence),
        from: manifest.to,
        to: manifest.from,
        outcome: Outcome::Imported,
        refusal: None,
        received: TAKEN_OVER.parse()?,
        verified: TAKEN_OVER.parse()?,
        finished: TAKEN_OVER.parse()?,
        store: Some(StoreRef {
            kind: "files".to_owned(),
            entries: manifest.contents.entries,
            records: 0,
        }),
        contents: Some(manifest.contents.digest),
        ledger: LedgerRef {
            origin: amanah_format::ledger::origin(&IMIGRASI.id.parse()?, 1),
            index: 2,
        },
        ext: Ext::default(),
        critical: Vec::new(),
    };
    receipt.check()?;
    let text = document::print(&receipt);
    let signature = IMIGRASI.key("signing").sign(Purpose::Receipt, &text);
    Ok(receipt::pack(&text, &signature))
}
