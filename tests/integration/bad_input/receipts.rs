//! Receipts and slips that a malicious recipient hands to a sender: for another bundle, by another key, with two meanings,
//! one after the other. The sender settles on the one receipt that is right, and on no other.

use amanah_format::digest::Digest;
use amanah_format::document::{self, Document, Ext};
use amanah_format::id::{Epoch, Sequence};
use amanah_format::receipt::{self, LedgerRef, Outcome, Receipt, StoreRef};
use amanah_format::refusal::Refusal;
use amanah_format::signature::{Purpose, SecretKey};
use amanah_tests::exchange::{Exchange, PATIENCE};
use amanah_tests::intruder::Answer;
use amanahd::transport::link::WireName;

use super::Ground;
use super::workshop::{now, swap};

mod slips;

const DOUBTFUL: &str = "receipt-doubtful";

/// A bundle of Imigrasi that waits for Penyelenggaraan Haji dan Umrah, for which somebody answers.
struct Desk {
    ground: Ground,
    manifest: Digest,
}

impl Desk {
    fn new() -> Self {
        let mut exchange = Exchange::found(crate::program()).unwrap();
        let back = exchange.back.clone();
        exchange
            .drop_text(&back, "perlintasan.csv", "satu,dua\n")
            .unwrap();
        let mut ground = Ground::with(exchange);
        let sender = &mut ground.exchange.pair.imigrasi;
        let manifest = sender.wait_for("the bundle in the queue", PATIENCE, |status| {
            let queued = status.outgoing.iter().find(|one| one.state == "queued")?;
            queued.manifest.clone()
        });
        Self {
            manifest: manifest.unwrap().parse().unwrap(),
            ground,
        }
    }

    /// The positive answer as it should be, but for what was never imported.
    fn positive(&self) -> Receipt {
        let way = &self.ground.exchange.back;
        Receipt {
            format: Receipt::FORMAT.to_owned(),
            manifest: self.manifest,
            agreement: Some(self.ground.shop.agreement.digest),
            flow: Some(way.flow.clone()),
            epoch: Some(Epoch::FIRST),
            sequence: Some(Sequence::FIRST),
            from: way.to.clone(),
            to: way.from.clone(),
            outcome: Outcome::Imported,
            refusal: None,
            received: now(),
            verified: now(),
            finished: now(),
            store: Some(StoreRef {
                kind: "files".to_owned(),
                entries: 1,
                records: 0,
            }),
            contents: Some(Digest::of(b"isi")),
            ledger: LedgerRef {
                origin: "amanah/phu/1".to_owned(),
                index: 3,
            },
            ext: Ext::default(),
            critical: Vec::new(),
        }
    }

    fn negative(&self, refusal: Refusal) -> Receipt {
        Receipt {
            outcome: Outcome::Refused,
            refusal: Some(refusal),
            store: None,
            contents: None,
            ..self.positive()
        }
    }

    fn signed(&self, receipt: &Receipt) -> Vec<u8> {
        self.by(
            &self.ground.shop.signing,
            Purpose::Receipt,
            &document::print(receipt),
        )
    }

    fn by(&self, key: &SecretKey, purpose: Purpose, text: &[u8]) -> Vec<u8> {
        receipt::pack(text, &key.sign(purpose, text))
    }

    /// Pushes it twice; both must be answered so.
    fn answers(&mut self, name: &str, wire: WireName, bytes: &[u8], expect: Option<&str>) {
        assert!(self.ground.tried.insert(name.to_owned()), "{name} twice");
        for _ in 0..2 {
            let answer = self.ground.intruder.push_as(wire, bytes).unwrap();
            let found = match &answer {
                Answer::Taken => None,
                Answer::Denied(code) => Some(code.as_str()),
            };
            if found != expect {
                self.ground
                    .wrong
                    .push(format!("{name}: {expect:?} expected, {found:?} found"));
            }
        }
    }

    fn doubted(&mut self, name: &str, container: &[u8]) {
        self.answers(
            name,
            WireName::Receipt(self.manifest),
            container,
            Some(DOUBTFUL),
        );
    }

    /// A receipt with one thing changed.
    fn changed(&mut self, name: &str, change: impl FnOnce(&mut Receipt)) {
        let mut receipt = self.positive();
        change(&mut receipt);
        let container = self.signed(&receipt);
        self.doubted(name, &container);
    }

    /// A receipt with its text changed.
    fn text(&mut self, name: &str, piece: &str, other: &str) {
        let text = String::from_utf8(document::print(&self.positive())).unwrap();
        let text = swap(&text, piece, other);
        let container = self.by(&self.ground.shop.signing, Purpose::Receipt, text.as_bytes());
        self.doubted(name, &container);
    }

    fn state(&self) -> String {
        let status = self
            .ground
            .exchange
            .pair
            .imigrasi
            .status()
            .unwrap()
            .unwrap();
        let manifest = self.manifest.to_string();
        let mut all = status.outgoing.iter();
        let found = all.find(|one| one.manifest.as_deref() == Some(&manifest));
        found.unwrap().state.clone()
    }

    fn until(&mut self, state: &str) {
        let manifest = self.manifest.to_string();
        let sender = &mut self.ground.exchange.pair.imigrasi;
        let reached = sender.wait_for(state, PATIENCE, |status| {
            let mut all = status.outgoing.iter();
            let found = all.find(|one| one.manifest.as_deref() == Some(&manifest))?;
            (found.state == state).then_some(())
        });
        reached.unwrap();
    }
}

/// None of these is by whom it says, about what it says, or in its form.
fn forged(desk: &mut Desk) {
    let text = document::print(&desk.positive());
    let shop = &desk.ground.shop;
    let others = desk.by(&shop.others_signing, Purpose::Receipt, &text);
    let nobodys = desk.by(&SecretKey::from_seed(&[9; 32]), Purpose::Receipt, &text);
    let bundles = desk.by(&shop.signing, Purpose::Bundle, &text);
    let slips = desk.by(&shop.signing, Purpose::Slip, &text);
    desk.doubted("receipt: signed by the sender itself", &others);
    desk.doubted("receipt: signed by nobody's key", &nobodys);
    desk.doubted("receipt: signed as a bundle", &bundles);
    desk.doubted("receipt: signed as a slip", &slips);
    desk.doubted("receipt: nothing", b"");
    desk.doubted("receipt: noise", &[0xff; 2048]);
    let good = desk.signed(&desk.positive());
    desk.doubted("receipt: cut short", &good[..good.len() / 2]);
    desk.doubted("receipt: a second after it", &[&*good, &*good].concat());
    let name = WireName::Receipt(desk.manifest);
    desk.answers(
        "receipt: of 200 KiB",
        name,
        &vec![0; 200 << 10],
        Some("not-allowed"),
    );
}

/// Signed by the right key over the right text, in an armour that stock tools may take and we do not.
fn armours(desk: &mut Desk) {
    let text = document::print(&desk.positive());
    let good = desk.ground.shop.signing.sign(Purpose::Receipt, &text);
    let cases = [
        ("receipt: signature with CRLF", good.replace('\n', "\r\n")),
        ("receipt: text after the signature", format!("{good}x\n")),
        ("receipt: text before the signature", format!("x\n{good}")),
        ("receipt: two signatures", format!("{good}{good}")),
        (
            "receipt: no line feed at the end of its signature",
            good.trim_end().to_owned(),
        ),
    ];
    for (name, armour) in cases {
        let container = receipt::pack(&text, &armour);
        desk.doubted(name, &container);
    }
}

/// Signed by the right key, and wrong.
fn wrong(desk: &mut Desk) {
    desk.changed("receipt: for another bundle", |r| {
        r.manifest = Digest::of(b"lain")
    });
    desk.changed("receipt: for another flow", |r| {
        r.flow = Some("manifes-umrah".parse().unwrap())
    });
    desk.changed("receipt: for another epoch", |r| {
        r.epoch = Some(Epoch::try_from(2).unwrap())
    });
    desk.changed("receipt: for another place", |r| {
        r.sequence = Sequence::FIRST.next()
    });
    desk.changed("receipt: under another agreement", |r| {
        r.agreement = Some(Digest::of(b"lain"))
    });
    desk.changed("receipt: positive, and names nothing", |r| {
        (r.agreement, r.flow, r.epoch, r.sequence) = (None, None, None, None);
    });
    desk.changed("receipt: from another party", |r| {
        r.from = "pihak-lain".parse().unwrap()
    });
    desk.changed("receipt: from the sender itself", |r| {
        std::mem::swap(&mut r.from, &mut r.to)
    });
    desk.changed("receipt: for a third party", |r| {
        r.to = "pihak-lain".parse().unwrap()
    });
    // One of the clocks is wrong: whoever has it keeps it until both are right.
    let mut early = desk.positive();
    early.finished = now().plus_secs(900);
    let container = desk.signed(&early);
    let name = WireName::Receipt(desk.manifest);
    desk.answers(
        "receipt: finished in the future",
        name,
        &container,
        Some("failure"),
    );
}

/// The same, with fields that contradict each other or that no receipt has.
fn contradicting(desk: &mut Desk) {
    desk.changed("receipt: imported, with a code", |r| {
        r.refusal = Some(Refusal::Expired)
    });
    desk.changed("receipt: imported, without a store", |r| r.store = None);
    desk.changed("receipt: imported, without contents", |r| r.contents = None);
    desk.changed("receipt: refused, without a code", |r| {
        r.outcome = Outcome::Refused
    });
    desk.changed("receipt: refused with a code of the door", |r| {
        (r.outcome, r.store, r.contents) = (Outcome::Refused, None, None);
        r.refusal = Some(Refusal::SignatureInvalid);
    });
    desk.changed("receipt: a store that is none", |r| {
        if let Some(store) = &mut r.store {
            "mysql".clone_into(&mut store.kind);
        }
    });
    desk.changed("receipt: the sender's own ledger", |r| {
        "amanah/imigrasi/1".clone_into(&mut r.ledger.origin);
    });
    desk.text("receipt: a third outcome", "\"imported\"", "\"perhaps\"");
    desk.text("receipt: version 2", "receipt/1", "receipt/2");
    desk.text(
        "receipt: duplicate key",
        "\"ext\": {}",
        "\"ext\": {}, \"ext\": {}",
    );
    desk.text(
        "receipt: unknown member",
        "\"ext\": {}",
        "\"ext\": {}, \"extra\": 1",
    );
    desk.text(
        "receipt: critical",
        "\"critical\": []",
        "\"critical\": [\"x\"]",
    );
}

#[test]
fn only_the_one_right_receipt_settles() {
    let mut desk = Desk::new();
    forged(&mut desk);
    armours(&mut desk);
    wrong(&mut desk);
    contradicting(&mut desk);
    slips::all(&mut desk);
    let stranger = Receipt {
        manifest: Digest::of(b"lain"),
        ..desk.positive()
    };
    let container = desk.signed(&stranger);
    let name = WireName::Receipt(stranger.manifest);
    desk.answers(
        "receipt: for a bundle that never was",
        name,
        &container,
        None,
    );
    assert_eq!(desk.state(), "queued", "settled by a wrong receipt");
    let name = WireName::Receipt(desk.manifest);
    let right = desk.signed(&desk.positive());
    desk.answers("receipt: right", name, &right, None);
    desk.until("settled");
    let turned = desk.signed(&desk.negative(Refusal::Expired));
    desk.doubted("receipt: negative after the positive", &turned);
    desk.changed("receipt: positive at another time", |r| {
        r.received = now().plus_secs(-1)
    });
    desk.answers("receipt: the right one later", name, &right, None);
    assert_eq!(desk.state(), "settled");
    desk.ground.settle_down();
    desk.ground.end("receipts and slips");
}

#[test]
fn a_refusal_never_turns_into_a_success() {
    let mut desk = Desk::new();
    let name = WireName::Receipt(desk.manifest);
    let refused = desk.signed(&desk.negative(Refusal::Expired));
    desk.answers("receipt: negative", name, &refused, None);
    desk.until("returned");
    let positive = desk.signed(&desk.positive());
    desk.doubted("receipt: positive after the negative", &positive);
    let other = desk.signed(&desk.negative(Refusal::TooLarge));
    desk.doubted("receipt: negative for another reason", &other);
    desk.answers("receipt: the first one later", name, &refused, None);
    assert_eq!(desk.state(), "returned");
    desk.ground.settle_down();
    desk.ground.end("a receipt that turns");
}
