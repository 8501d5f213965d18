//! Slips about streams from a peer that lies: positions that nobody can have, numbers that never were, streams of others,
//! repeats, and requests for everything. It may hurt its own streams, which its sysadmin hears; nothing else, and nothing
//! without bound.

use std::fs;

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::{AgreementId, Epoch, FlowName, PartyId, Sequence};
use amanah_format::signature::SecretKey;
use amanah_format::slip::{self, Body, Position, Resend, Slip, StreamPlace};
use amanah_tests::exchange::PATIENCE;
use amanah_tests::intruder::Answer;
use amanah_tests::waiting::until;
use amanahd::snapshot::Snapshot;
use amanahd::transport::link::WireName;

use super::workshop::now;
use super::{Bundle, Expect, Ground};

const LAST: u64 = (1 << 53) - 1;

/// Who lies, to whom, about what.
struct Liar<'a> {
    ground: &'a mut Ground,
    from: PartyId,
    to: PartyId,
    agreement: AgreementId,
    /// The flow to us, and the flow from us.
    flows: [FlowName; 2],
    number: u64,
}

impl Liar<'_> {
    fn slip(&mut self, body: Body) -> Slip {
        self.number += 1;
        Slip {
            format: "amanah-slip/1".to_owned(),
            body,
            from: self.from.clone(),
            to: self.to.clone(),
            number: self.number,
            created: now(),
            expires: now().plus_secs(600),
            ext: Default::default(),
            critical: Vec::new(),
        }
    }

    fn hand(&self, slip: &Slip, key: &SecretKey) -> Answer {
        let name = WireName::Slip(slip::digest(slip));
        let bytes = slip::sign(slip, key);
        self.ground.intruder.push_as(name, &bytes).unwrap()
    }

    fn say(&mut self, body: Body) {
        let slip = self.slip(body);
        let answer = self.hand(&slip, &self.ground.shop.signing);
        assert_eq!(answer, Answer::Taken, "{slip:?}");
    }

    /// A place in the stream to the daemon (0) or from it (1).
    fn place(&self, way: usize, epoch: u64, sequence: u64) -> StreamPlace {
        let (from, to) = match way {
            0 => (self.from.clone(), self.to.clone()),
            _ => (self.to.clone(), self.from.clone()),
        };
        StreamPlace {
            from,
            to,
            agreement: self.agreement.clone(),
            flow: self.flows[way].clone(),
            epoch: Epoch::try_from(epoch).unwrap(),
            sequence: Sequence::try_from(sequence).unwrap(),
            manifest: Digest::of(b"karangan"),
        }
    }

    fn alarms(&mut self) -> Vec<(String, String)> {
        let status = self.ground.exchange.pair.imigrasi.status();
        let alarms = status.unwrap().unwrap().alarms.into_iter();
        alarms.map(|alarm| (alarm.code, alarm.subject)).collect()
    }

    fn until_alarm(&mut self, code: &str) -> String {
        let found = |status: &Snapshot| {
            let mut alarms = status.alarms.iter();
            let found = alarms.find(|alarm| alarm.code == code)?;
            Some(found.subject.clone())
        };
        let imigrasi = &mut self.ground.exchange.pair.imigrasi;
        imigrasi.wait_for(code, PATIENCE, found).unwrap()
    }
}

fn said(streams: Vec<StreamPlace>) -> Body {
    Body::Position(Position { streams })
}

/// What is no stream between the two changes nothing, and neither does what is no news.
fn nothing(liar: &mut Liar<'_>) {
    let mut unknown = liar.place(0, 1, 7);
    unknown.flow = "tidak-ada".parse().unwrap();
    let mut backwards = liar.place(1, 1, 7);
    backwards.flow = liar.flows[0].clone();
    let mut elsewhere = liar.place(1, 1, 7);
    elsewhere.agreement = "pks-lain".parse().unwrap();
    liar.say(said(vec![unknown, backwards, elsewhere]));

    let claim = said(vec![liar.place(1, 1, 7)]);
    let mut old = liar.slip(claim);
    old.number = 1;
    let mut late = liar.slip(old.body.clone());
    late.created = now().plus_secs(-60);
    late.expires = now().plus_secs(-1);
    let signing = &liar.ground.shop.signing;
    for ignored in [&old, &late] {
        assert_eq!(liar.hand(ignored, signing), Answer::Taken);
    }
    let forged = liar.slip(old.body.clone());
    let doubtful = Answer::Denied("slip-doubtful".to_owned());
    assert_eq!(
        liar.hand(&forged, &liar.ground.shop.others_signing),
        doubtful
    );
    let mut of_others = liar.place(1, 1, 7);
    of_others.from = "bpkh".parse().unwrap();
    let of_others = liar.slip(said(vec![of_others]));
    assert_eq!(liar.hand(&of_others, &liar.ground.shop.signing), doubtful);
    let found = liar.alarms();
    let about = |code: &str| found.iter().any(|(found, _)| found == code);
    for code in ["sender-behind", "numbers-missing", "home-behind"] {
        assert!(!about(code), "{found:?}");
    }
}

/// A claim about its own stream stands as long as it says so, and asks for a bounded number.
fn its_own_stream(liar: &mut Liar<'_>) {
    let far = liar.place(0, 1, LAST);
    liar.say(said(vec![far]));
    let subject = liar.until_alarm("numbers-missing");
    assert_eq!(subject, format!("{} {}", liar.from, liar.flows[0]));
    // The alarm is there a moment before the request is signed.
    let resends = until("the request", PATIENCE, || {
        let asked = liar.ground.intruder.slips()?;
        let resends = asked.iter().filter_map(|container| resend(liar, container));
        let resends: Vec<_> = resends.collect();
        Ok((!resends.is_empty()).then_some(resends))
    });
    let resends = resends.unwrap();
    assert_eq!(resends.len(), 1, "{resends:?}");
    assert_eq!((resends[0].first.get(), resends[0].last.get()), (1, 1_024));
    liar.say(said(vec![liar.place(0, 1, 1)]));
    liar.ground.good();
}

fn resend(liar: &Liar<'_>, container: &[u8]) -> Option<Resend> {
    let parts = amanah_format::container::unpack_small(container, 1 << 16).unwrap();
    let slip: Slip = amanah_format::document::parse(&parts[0].1).unwrap();
    assert_eq!((&slip.from, &slip.to), (&liar.to, &liar.from));
    match slip.body {
        Body::Resend(asked) => Some(asked),
        Body::Held { .. }
        | Body::Revocation { .. }
        | Body::Void(_)
        | Body::Position(_)
        | Body::Checkpoint(_)
        | Body::Cosignature(_)
        | Body::Card(_) => None,
    }
}

/// It can stop what we would send to itself, and says so with its own signature.
fn our_stream_to_it(liar: &mut Liar<'_>) {
    liar.say(said(vec![liar.place(1, 4, LAST)]));
    let subject = liar.until_alarm("sender-behind");
    assert_eq!(subject, format!("{} {}", liar.from, liar.flows[1]));
    let everything = Resend {
        manifest: None,
        agreement: liar.agreement.clone(),
        flow: liar.flows[1].clone(),
        epoch: Epoch::FIRST,
        first: Sequence::FIRST,
        last: Sequence::try_from(1_024).unwrap(),
    };
    for _ in 0..50 {
        liar.say(Body::Resend(everything.clone()));
    }
}

#[test]
fn both_bundles_of_one_number_are_kept_as_evidence_and_alarmed() {
    let mut ground = Ground::new();
    let mut draft = ground.shop.hello();
    (draft.manifest.epoch, draft.manifest.sequence) = (Epoch::FIRST, Sequence::FIRST);
    draft.manifest.previous = None;
    let first = ground.shop.seal(&draft).unwrap();
    ground.attempt("the first of its number", &first, Expect::Imported);
    let mut other = ground.shop.hello();
    other.manifest.bundle = ground.shop.hello().manifest.bundle;
    (other.manifest.epoch, other.manifest.sequence) = (Epoch::FIRST, Sequence::FIRST);
    other.manifest.previous = None;
    let rival = ground.shop.seal(&other).unwrap();
    let refused = Expect::Refused("sequence-conflict");
    ground.attempt("the same number, with other content", &rival, refused);
    let receiver = &mut ground.exchange.pair.imigrasi;
    let alarmed = |status: &Snapshot| {
        let mut alarms = status.alarms.iter();
        let subject = format!("{}.amanah", rival.manifest.to_hex());
        let found = alarms.any(|one| one.code == "sequence-conflict" && one.subject == subject);
        found.then_some(())
    };
    receiver.wait_for("an alarm", PATIENCE, alarmed).unwrap();
    let spool = receiver.path(home::SPOOL);
    let name = |bundle: &Bundle| format!("{}.amanah", bundle.manifest.to_hex());
    let kept = spool
        .join("archive/received")
        .join(ground.shop.way.from.as_str());
    let quarantined = spool.join("quarantine").join(name(&rival));
    assert_eq!(fs::read(kept.join(name(&first))).unwrap(), first.bytes);
    assert_eq!(fs::read(quarantined).unwrap(), rival.bytes);
    ground.end("sequence conflict");
}

#[test]
fn a_peer_that_lies_about_streams_hurts_its_own_alone() {
    let mut ground = Ground::new();
    let (way, back) = (ground.shop.way.clone(), ground.exchange.back.clone());
    let agreement = ground.shop.agreement.id.clone();
    let mut liar = Liar {
        ground: &mut ground,
        from: way.from,
        to: way.to,
        agreement,
        flows: [way.flow, back.flow],
        number: 1_000,
    };
    nothing(&mut liar);
    its_own_stream(&mut liar);
    our_stream_to_it(&mut liar);
    ground.told("streams");
}
