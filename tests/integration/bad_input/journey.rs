//! The journey of bundles that are each right in themselves: replayed, reordered, with gaps, in one another's place, at the
//! limit of the clocks, after a revocation. Played in one stream, so each step stands on those before it.

use amanah_format::digest::Digest;
use amanah_format::home;
use amanah_format::id::{Epoch, Sequence};
use amanah_tests::exchange::PATIENCE;
use rustix::process::Signal;

use super::workshop::{HELLO, now};
use super::{Bundle, Draft, Expect, Ground};

/// Farthest number beyond the first gap.
const AHEAD: u64 = 1_024;

/// One stream as its sender numbers it: the first epoch.
struct Stream<'a> {
    ground: &'a mut Ground,
}

impl Stream<'_> {
    /// A draft at this place.
    fn draft(&self, sequence: u64, previous: Option<Digest>) -> Draft {
        let mut draft = self.ground.shop.hello();
        draft.manifest.epoch = Epoch::FIRST;
        draft.manifest.sequence = Sequence::try_from(sequence).unwrap();
        draft.manifest.previous = previous;
        draft
    }

    fn sealed(&self, sequence: u64, previous: Option<Digest>) -> Bundle {
        self.ground
            .shop
            .seal(&self.draft(sequence, previous))
            .unwrap()
    }

    fn attempt(&mut self, name: &str, bundle: &Bundle, expect: Expect) {
        self.ground.attempt(name, bundle, expect);
    }
}

fn order(stream: &mut Stream<'_>) -> Bundle {
    let first = stream.sealed(1, None);
    stream.attempt("the first", &first, Expect::Imported);
    let rival = stream.sealed(1, None);
    let conflict = Expect::Refused("sequence-conflict");
    stream.attempt("the first place, with other content", &rival, conflict);
    let broken = stream.sealed(2, Some(Digest::of(b"lain")));
    let mismatch = Expect::Refused("previous-mismatch");
    stream.attempt("after a bundle that never was", &broken, mismatch);
    let late = stream.sealed(2, Some(first.manifest));
    stream.attempt("in the place that the refused one used up", &late, conflict);
    let third = stream.sealed(3, Some(broken.manifest));
    stream.attempt("after the refused one", &third, Expect::Imported);
    let rival = stream.sealed(3, Some(broken.manifest));
    stream.attempt("the third place, with other content", &rival, conflict);
    let fourth = stream.sealed(4, Some(third.manifest));
    let fifth = stream.sealed(5, Some(fourth.manifest));
    stream.attempt("the fifth before the fourth", &fifth, Expect::Imported);
    stream.attempt("the fourth after the fifth", &fourth, Expect::Imported);
    let gap = stream.sealed(9, Some(Digest::of(b"belum tiba")));
    stream.attempt("a gap of three", &gap, Expect::Imported);
    let behind = stream.sealed(10, Some(fifth.manifest));
    stream.attempt("after the gap, skipping what came", &behind, mismatch);
    fifth
}

fn numbers(stream: &mut Stream<'_>) {
    let far = Expect::Refused("sequence-too-far");
    let some = Some(Digest::of(b"lain"));
    let at_limit = stream.sealed(5 + 1 + AHEAD, some);
    stream.attempt("as far ahead as may be", &at_limit, Expect::Imported);
    let beyond = stream.sealed(5 + 2 + AHEAD, some);
    stream.attempt("one farther", &beyond, far);
    let last = stream.sealed((1 << 53) - 1, some);
    stream.attempt("fast forward to the last number", &last, far);
    let mut epoch = stream.draft(1, None);
    epoch.manifest.epoch = Epoch::try_from(u64::from(u32::MAX)).unwrap();
    let without = stream.ground.shop.seal(&epoch).unwrap();
    let malformed = Expect::Refused("manifest-malformed");
    stream.attempt("the last epoch, out of nothing", &without, malformed);
    epoch.manifest.previous = some;
    let last = stream.ground.shop.seal(&epoch).unwrap();
    stream.attempt("the last epoch", &last, Expect::Imported);
}

fn identity(stream: &mut Stream<'_>, known: &Bundle) {
    stream.attempt("replayed later", known, Expect::Known);
    let mut draft = stream.draft(6, Some(known.manifest));
    let used = stream.ground.shop.hello();
    let first = stream.ground.shop.seal(&used).unwrap();
    stream.attempt("a bundle id", &first, Expect::Imported);
    draft.manifest.bundle = used.manifest.bundle;
    draft.listed(&[("a.txt", HELLO)]);
    let again = stream.ground.shop.seal(&draft).unwrap();
    let reused = Expect::Refused("bundle-id-reused");
    stream.attempt("its id in another place", &again, reused);
    let sixth = stream.sealed(6, Some(known.manifest));
    stream.attempt(
        "the place that the refused one wanted",
        &sixth,
        Expect::Imported,
    );
}

fn clocks(stream: &mut Stream<'_>) {
    let made = |stream: &Stream<'_>, created: i64, expires: i64| {
        let mut draft = stream.ground.shop.hello();
        draft.manifest.created = now().plus_secs(created);
        draft.manifest.expires = now().plus_secs(expires);
        stream.ground.shop.seal(&draft).unwrap()
    };
    let skewed = made(stream, 300, 1_000);
    stream.attempt("made 300 s in the future", &skewed, Expect::Imported);
    let future = made(stream, 86_400, 86_500);
    stream.attempt("made a day in the future", &future, Expect::Held("clock"));
    let over = made(stream, -100, -1);
    stream.attempt(
        "expired a second before it came",
        &over,
        Expect::Refused("expired"),
    );
    let soon = made(stream, -100, 60);
    stream.attempt("a minute before it expires", &soon, Expect::Imported);
    // The last of its kind, because it goes on by itself two seconds later.
    let held = made(stream, 302, 1_000);
    stream.attempt("made 302 s in the future", &held, Expect::Held("clock"));
}

/// What was imported is gone, as after its retention or when somebody took it away; the answer is not.
fn destroyed(ground: &mut Ground, known: &Bundle) {
    let receipt = ground.intruder.receipt(known.manifest).unwrap();
    let way = &ground.shop.way;
    let flow = ground.exchange.pair.imigrasi.path(home::INBOX);
    let flow = flow.join(way.from.as_str()).join(way.flow.as_str());
    std::fs::remove_dir_all(&flow).unwrap();
    let name = "replayed after its data was destroyed";
    ground.attempt(name, known, Expect::Known);
    assert!(ground.intruder.receipt(known.manifest).unwrap() == receipt);
    ground.restart();
    let name = "replayed after that and a power cut";
    ground.attempt(name, known, Expect::Known);
    assert!(ground.intruder.receipt(known.manifest).unwrap() == receipt);
}

/// After the agreement was revoked at the receiver, the same flow is closed, and old answers stay.
fn revoked(stream: &mut Stream<'_>, known: &Bundle) {
    let receiver = &mut stream.ground.exchange.pair.imigrasi;
    let words = [
        "agreement",
        "revoke",
        "pks-contoh",
        "--reason",
        "kunci hilang",
    ];
    receiver.run(&words).unwrap();
    receiver.signal(Signal::HUP).unwrap();
    let loaded = receiver.wait_for("the revocation", PATIENCE, |status| {
        status
            .agreements
            .iter()
            .any(|one| one.revoked)
            .then_some(())
    });
    loaded.unwrap();
    stream.ground.settle_down();
    let late = stream
        .ground
        .shop
        .seal(&stream.ground.shop.hello())
        .unwrap();
    let over = Expect::Refused("agreement-not-in-force");
    stream.attempt("after the agreement was revoked", &late, over);
    stream.attempt("replayed after the revocation", known, Expect::Known);
}

#[test]
fn a_bundle_out_of_its_place_is_told() {
    let mut ground = Ground::new();
    let mut stream = Stream {
        ground: &mut ground,
    };
    let known = order(&mut stream);
    numbers(&mut stream);
    identity(&mut stream, &known);
    clocks(&mut stream);
    destroyed(&mut ground, &known);
    ground.good();
    revoked(
        &mut Stream {
            ground: &mut ground,
        },
        &known,
    );
    ground.told("journey");
}
