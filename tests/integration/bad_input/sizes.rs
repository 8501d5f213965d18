//! Bombs: few bytes that unpack to many, or ask for memory. Frames of zeros are put together by hand (RFC 8878), because
//! making them with a compressor would take longer than refusing them.

use super::tape::{file, header};
use super::workshop::{HELLO, frame};
use super::{Case, Expect, Ground, case};

const MALFORMED: Expect = Expect::Refused("payload-malformed");
const EXCEEDS: Expect = Expect::Refused("payload-exceeds");
/// How much a bomb unpacks to.
const BOMB_BYTES: usize = 10 << 30;
/// Most bytes of one block.
const BLOCK_BYTES: usize = 128 << 10;

/// A frame that declares this window (RFC 8878 §3.1.1.1.2), begins with `start`, and goes on with zeros.
fn zeros(window: u8, start: &[u8], count: usize) -> Vec<u8> {
    let block = |size: usize, kind: u32, last: bool| {
        let size = u32::try_from(size).unwrap();
        let header = (size << 3) | (kind << 1) | u32::from(last);
        header.to_le_bytes()[..3].to_vec()
    };
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x04, window];
    bomb.extend(block(start.len(), 0, false));
    bomb.extend(start);
    for _ in 0..count.div_ceil(BLOCK_BYTES) {
        bomb.extend(block(BLOCK_BYTES, 1, false));
        bomb.push(0);
    }
    bomb.extend(block(0, 0, true));
    // A checksum of so many zeros would have to be computed: nobody reads as far.
    bomb.extend([0; 4]);
    bomb
}

/// 128 KiB.
const WINDOW: u8 = 7 << 3;

/// The good tar's frame, with other bytes at a place.
fn descriptor(name: &str, place: usize, change: fn(u8) -> u8) -> Case {
    case(name, MALFORMED, move |shop| {
        let draft = shop.hello();
        let mut frame = frame(&draft.tar())?;
        frame[place] = change(frame[place]);
        shop.around(&draft, &frame)
    })
}

/// Other bytes around or in place of the good frame.
fn framed(name: &str, change: fn(Vec<u8>) -> Vec<u8>) -> Case {
    case(name, MALFORMED, move |shop| {
        let draft = shop.hello();
        shop.around(&draft, &change(frame(&draft.tar())?))
    })
}

const SKIPPABLE: &[u8] = b"\x50\x2a\x4d\x18\x01\0\0\0x";

// One case a line, as in a table.
#[rustfmt::skip]
fn frames() -> Vec<Case> {
    vec![
        framed("frame: skippable before", |frame| [SKIPPABLE, &frame].concat()),
        framed("frame: skippable after", |frame| [&frame, SKIPPABLE].concat()),
        framed("frame: two", |frame| [&*frame, &frame].concat()),
        framed("frame: a byte after", |frame| [&*frame, b"x"].concat()),
        framed("frame: cut short", |frame| frame[..frame.len() / 2].to_vec()),
        framed("frame: without its checksum's last byte", |frame| frame[..frame.len() - 1].to_vec()),
        framed("frame: of an old version", |mut frame| { frame[0] = 0x27; frame }),
        framed("frame: nothing", |_| Vec::new()),
        framed("frame: gzip", |_| b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0".to_vec()),
        framed("frame: wrong checksum", |mut frame| { let last = frame.len() - 1; frame[last] ^= 1; frame }),
        descriptor("frame: no checksum flag", 4, |byte| byte & !0x04),
        descriptor("frame: dictionary", 4, |byte| byte | 0x01),
        descriptor("frame: reserved bit", 4, |byte| byte | 0x08),
        case("frame: not compressed", MALFORMED, |shop| {
            let draft = shop.hello();
            shop.around(&draft, &draft.tar())
        }),
        case("window: 16 MiB", MALFORMED, |shop| {
            shop.around(&shop.hello(), &zeros(14 << 3, &shop.hello().tar(), 0))
        }),
        case("window: 2 GiB", MALFORMED, |shop| {
            shop.around(&shop.hello(), &zeros(21 << 3, &shop.hello().tar(), 0))
        }),
        case("window: the most that can be said", MALFORMED, |shop| {
            shop.around(&shop.hello(), &zeros(0xff, &shop.hello().tar(), 0))
        }),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn bombs() -> Vec<Case> {
    vec![
        case("bomb: 10 GiB in an entry that was signed as 5 bytes", EXCEEDS, |shop| {
            let start = header(&file("a.txt", b""), 0o77_777_777_777);
            shop.around(&shop.hello(), &zeros(WINDOW, &start, BOMB_BYTES))
        }),
        case("bomb: 10 GiB after the tar's end", MALFORMED, |shop| {
            let draft = shop.hello();
            shop.around(&draft, &zeros(WINDOW, &draft.tar(), BOMB_BYTES))
        }),
        case("bomb: 10 GiB of zeros and nothing else", MALFORMED, |shop| {
            shop.around(&shop.hello(), &zeros(WINDOW, &[0; 512], BOMB_BYTES))
        }),
        case("bomb: compressed twice", MALFORMED, |shop| {
            let inner = zeros(WINDOW, &header(&file("a.txt", b""), 5), BOMB_BYTES);
            shop.around(&shop.hello(), &frame(&inner)?)
        }),
        case("bomb: a list of 8 GiB", EXCEEDS, |shop| {
            let draft = shop.hello();
            let list = header(&file("contents.json", b""), 0o77_777_777_777);
            shop.around(&draft, &zeros(WINDOW, &[&*draft.parts, &list].concat(), BOMB_BYTES))
        }),
        case("bomb: a list of 32 MiB of zeros", Expect::Refused("contents-mismatch"), |shop| {
            let mut draft = shop.hello();
            draft.list = "\0".repeat(32 << 20);
            shop.seal(&draft)
        }),
        case("bomb: a list of 32 MiB, deeply nested", Expect::Refused("contents-mismatch"), |shop| {
            let mut draft = shop.hello();
            draft.list = "[".repeat(32 << 20);
            shop.seal(&draft)
        }),
        case("bomb: a PAX header of 8 GiB", MALFORMED, |shop| {
            let start = header(&super::tape::pax(b""), 0o77_777_777_777);
            shop.around(&shop.hello(), &zeros(WINDOW, &start, BOMB_BYTES))
        }),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn counts() -> Vec<Case> {
    vec![
        case("count: one entry more than signed", EXCEEDS, |shop| {
            let mut draft = shop.draft(&[("a", HELLO), ("b", b"")]);
            draft.entries = 1;
            shop.seal(&draft)
        }),
        case("count: one byte more than signed", EXCEEDS, |shop| {
            let mut draft = shop.hello();
            draft.bytes -= 1;
            shop.seal(&draft)
        }),
        case("count: one entry fewer", Expect::Refused("contents-mismatch"), |shop| {
            let mut draft = shop.hello();
            draft.entries += 1;
            shop.seal(&draft)
        }),
        case("count: one byte fewer", Expect::Refused("contents-mismatch"), |shop| {
            let mut draft = shop.hello();
            draft.bytes += 1;
            shop.seal(&draft)
        }),
        case("count: 100,000 empty entries, one signed", EXCEEDS, |shop| {
            let mut draft = shop.hello();
            let one = |number: u32| super::tape::open_tar(&[file(&number.to_string(), b"")]);
            draft.parts = (0..100_000).flat_map(one).collect();
            draft.bytes = 0;
            shop.seal(&draft)
        }),
    ]
}

#[test]
fn a_bomb_is_refused_within_memory_and_time() {
    Ground::all(
        "sizes",
        frames()
            .into_iter()
            .chain(bombs())
            .chain(counts())
            .collect(),
    );
}

/// No payload that we know of comes near the bound: so it is the bound that is made small, for one daemon's life.
#[test]
fn a_bundle_that_takes_more_computing_than_it_declares_is_refused() {
    let mut exchange = amanah_tests::Exchange::found(crate::program()).unwrap();
    let launch = exchange.pair.imigrasi.launch().clone();
    let receiver = &mut exchange.pair.imigrasi;
    receiver.types_through(launch.clone().with("AMANAH_EFFORT_MILLIS", "0"));
    let mut ground = Ground::with(exchange);
    let bundle = ground.shop.seal(&ground.shop.hello()).unwrap();
    ground.attempt("no computing at all", &bundle, EXCEEDS);
    ground.exchange.pair.imigrasi.types_through(launch);
    ground.restart();
    ground.good();
    ground.told("effort");
}
