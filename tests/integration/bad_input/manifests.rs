//! Manifests that are signed well and say the wrong thing: strict JSON, the shape, the rules between members, what the
//! agreement allows. Each refusal is signed, because the peer's own signed bytes prove it.

use amanah_format::digest::Digest;
use amanah_format::id::{Epoch, Sequence};
use amanah_format::manifest::Manifest;
use amanah_format::recipient::Identity;

use super::workshop::{now, swap};
use super::{Case, Expect, Ground, case};

const MALFORMED: Expect = Expect::Refused("manifest-malformed");
const UNSUPPORTED: Expect = Expect::Refused("format-unsupported");

/// The text with the value of a member on a line of its own replaced.
fn set(text: &str, member: &str, value: &str) -> String {
    let start = format!("\n  \"{member}\": ");
    let at = text.find(&start).expect(member) + start.len();
    let end = at + text[at..].find('\n').expect("a line");
    let comma = if text[..end].ends_with(',') { "," } else { "" };
    format!("{}{value}{comma}{}", &text[..at], &text[end..])
}

/// A member with another value.
fn member(name: &str, expect: Expect, member: &'static str, value: &'static str) -> Case {
    case(name, expect, move |shop| {
        shop.saying(|text| set(text, member, value))
    })
}

/// These members in `ext`.
fn ext(name: &str, members: &str) -> Case {
    let members = format!("{{{members}}}");
    case(name, MALFORMED, move |shop| {
        shop.saying(|text| set(text, "ext", &members))
    })
}

fn text(name: &str, expect: Expect, change: fn(&str) -> String) -> Case {
    case(name, expect, move |shop| shop.saying(change))
}

/// The manifest with a value that the agreement, the time or the keys do not allow.
fn value(name: &str, code: &'static str, change: fn(&mut Manifest)) -> Case {
    case(name, Expect::Refused(code), move |shop| {
        let mut draft = shop.hello();
        change(&mut draft.manifest);
        draft.listed(&[("a.txt", super::workshop::HELLO)]);
        shop.seal(&draft)
    })
}

// One case a line, as in a table.
#[rustfmt::skip]
fn json() -> Vec<Case> {
    vec![
        text("json: as it should be", Expect::Imported, str::to_owned),
        text("json: not at all", MALFORMED, |_| "bukan JSON".to_owned()),
        text("json: nothing but spaces", MALFORMED, |_| String::new()),
        text("json: a list", MALFORMED, |_| "[]".to_owned()),
        text("json: a receipt's", UNSUPPORTED, |text| swap(text, "amanah-bundle/1", "amanah-receipt/1")),
        text("json: byte order mark", MALFORMED, |text| format!("\u{feff}{text}")),
        text("json: a second document after it", MALFORMED, |text| format!("{text}{{}}")),
        text("json: NUL after it", MALFORMED, |text| format!("{text}\0")),
        text("json: cut short", MALFORMED, |text| text[..text.len() / 2].to_owned()),
        text("json: a comment", MALFORMED, |text| swap(text, "{", "{ // x\n")),
        text("json: a comma at the end", MALFORMED, |text| swap(text, "\"critical\": []", "\"critical\": [],")),
        text("json: duplicate key", MALFORMED, |text| swap(text, "\"ext\": {}", "\"ext\": {}, \"ext\": {}")),
        text("json: duplicate key, once escaped", MALFORMED, |text| swap(text, "\"ext\": {}", "\"ext\": {}, \"\\u0065xt\": {}")),
        text("json: another purpose under the same key", MALFORMED, |text| swap(text, "\"ext\": {}", "\"ext\": {}, \"purpose\": \"PENERTIBAN\"")),
        text("json: unknown member", MALFORMED, |text| swap(text, "\"ext\": {}", "\"ext\": {}, \"extra\": 1")),
        text("json: missing member", MALFORMED, |text| swap(text, "\"critical\": []", "\"ext2\": []")),
        text("json: a nullable member left out", MALFORMED, |text| swap(text, "  \"regarding\": null,\n", "")),
        ext("ext: seventeen deep", &format!("\"a\": {}{}", "[".repeat(15), "]".repeat(15))),
        ext("ext: five thousand deep", &format!("\"a\": {}{}", "[".repeat(5000), "]".repeat(5000))),
        ext("ext: 1e400", "\"a\": 1e400"),
        ext("ext: a fraction", "\"a\": 0.5"),
        ext("ext: an exponent", "\"a\": 1e3"),
        ext("ext: minus zero", "\"a\": -0"),
        ext("ext: 2^53", "\"a\": 9007199254740992"),
        ext("ext: -2^53", "\"a\": -9007199254740992"),
        ext("ext: a number of a thousand digits", &format!("\"a\": {}", "9".repeat(1000))),
        ext("ext: NaN", "\"a\": NaN"),
        ext("ext: leading zero", "\"a\": 01"),
        ext("ext: NUL escaped", "\"a\": \"\\u0000\""),
        ext("ext: lone surrogate", "\"a\": \"\\ud800\""),
        ext("ext: lone low surrogate", "\"a\": \"\\udc00\""),
        ext("ext: duplicate key deep inside", "\"a\": {\"b\": 1, \"b\": 2}"),
        ext("ext: control character", "\"a\": \"\u{1}\""),
        case("json: not UTF-8", MALFORMED, |shop| raw(shop, &[0xff])),
        case("json: overlong UTF-8", MALFORMED, |shop| raw(shop, &[0xc0, 0xaf])),
        case("json: a surrogate in UTF-8", MALFORMED, |shop| raw(shop, &[0xed, 0xa0, 0x80])),
    ]
}

/// Raw bytes inside a text of `ext`.
fn raw(shop: &super::Workshop, bytes: &[u8]) -> anyhow::Result<super::Bundle> {
    use super::workshop::{MANIFEST_BYTES, encrypt, frame};
    let draft = shop.hello();
    let payload = encrypt(&shop.recipients, &frame(&draft.tar())?)?;
    let text = String::from_utf8(amanah_format::document::print(&draft.filled(&payload)))?;
    let text = set(&text, "ext", "{\"a\": \"?\"}");
    let at = text.find('?').expect("the place");
    let mut text = text.into_bytes();
    text.splice(at..=at, bytes.iter().copied());
    text.resize(MANIFEST_BYTES, b' ');
    shop.signed(&text, &payload)
}

// One case a line, as in a table.
#[rustfmt::skip]
fn members() -> Vec<Case> {
    vec![
        member("format: version 2", UNSUPPORTED, "format", "\"amanah-bundle/2\""),
        member("format: version 01", UNSUPPORTED, "format", "\"amanah-bundle/01\""),
        member("critical: unknown", UNSUPPORTED, "critical", "[\"sealed-twice\"]"),
        member("bundle: version 4", MALFORMED, "bundle", "\"01920000-0000-4000-8000-000000000001\""),
        member("bundle: upper case", MALFORMED, "bundle", "\"0192ABCD-0000-7000-8000-000000000001\""),
        member("flow: upper case", MALFORMED, "flow", "\"Manifes\""),
        member("flow: climbs", MALFORMED, "flow", "\"../inbox\""),
        member("flow: a slash", MALFORMED, "flow", "\"a/b\""),
        member("flow: 65 bytes", MALFORMED, "flow", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
        member("flow: zero-width", MALFORMED, "flow", "\"manifes\u{200b}umrah\""),
        member("flow: right-to-left", MALFORMED, "flow", "\"manifes\u{202e}umrah\""),
        member("purpose: empty", MALFORMED, "purpose", "\"\""),
        member("purpose: a sentence", MALFORMED, "purpose", "\"untuk apa saja\""),
        member("epoch: zero", MALFORMED, "epoch", "0"),
        member("epoch: 2^32", MALFORMED, "epoch", "4294967296"),
        member("epoch: as text", MALFORMED, "epoch", "\"1\""),
        member("epoch: negative", MALFORMED, "epoch", "-1"),
        member("sequence: zero", MALFORMED, "sequence", "0"),
        member("sequence: 2^53", MALFORMED, "sequence", "9007199254740992"),
        member("sequence: 2^64", MALFORMED, "sequence", "18446744073709551616"),
        member("previous: missing in a later epoch", MALFORMED, "previous", "null"),
        member("previous: upper-case digits", MALFORMED, "previous", "\"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""),
        member("previous: 63 digits", MALFORMED, "previous", "\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
        member("previous: another hash", MALFORMED, "previous", "\"md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
        member("regarding: a number", MALFORMED, "regarding", "7"),
        member("created: without zone", MALFORMED, "created", "\"2026-11-22T20:32:00\""),
        member("created: with offset", MALFORMED, "created", "\"2026-11-22T20:32:00+07:00\""),
        member("created: second 60", MALFORMED, "created", "\"2026-11-22T20:32:60Z\""),
        member("created: a fraction", MALFORMED, "created", "\"2026-11-22T20:32:00.5Z\""),
        member("created: year 0000", MALFORMED, "created", "\"0000-01-01T00:00:00Z\""),
        member("created: 30 February", MALFORMED, "created", "\"2026-02-30T20:32:00Z\""),
        member("created: a number", MALFORMED, "created", "1795379520"),
        member("expires: before created", MALFORMED, "expires", "\"2026-01-01T00:00:00Z\""),
        member("expires: year 10000", MALFORMED, "expires", "\"10000-01-01T00:00:00Z\""),
        text("recipients: none", MALFORMED, |text| between(text, "\"recipients\": [", "]", "")),
        text("recipients: one twice", MALFORMED, |text| {
            let at = text.find("\"recipients\": [").expect("recipients") + 15;
            let end = at + text[at..].find(']').expect("its end");
            let one = text[at..end].trim().to_owned();
            between(text, "\"recipients\": [", "]", &format!("{one}, {one}"))
        }),
        text("recipients: seventeen", MALFORMED, |text| {
            let all: Vec<String> = (0..17_u8).map(|n| format!("\"{}\"", Digest::of(&[n]))).collect();
            between(text, "\"recipients\": [", "]", &all.join(", "))
        }),
        text("contents: no entry", MALFORMED, |text| swap(text, "\"entries\": 1", "\"entries\": 0")),
        text("contents: 65,537 entries", MALFORMED, |text| swap(text, "\"entries\": 1", "\"entries\": 65537")),
        text("contents: negative bytes", MALFORMED, |text| swap(text, "\"bytes\": 5", "\"bytes\": -5")),
        text("agreement: version 0", MALFORMED, |text| swap(text, "\"version\": 1", "\"version\": 0")),
        text("agreement: version 2^32", MALFORMED, |text| swap(text, "\"version\": 1", "\"version\": 4294967296")),
    ]
}

fn between(text: &str, start: &str, end: &str, other: &str) -> String {
    let at = text.find(start).expect(start) + start.len();
    let until = at + text[at..].find(end).expect(end);
    format!("{}{other}{}", &text[..at], &text[until..])
}

// One case a line, as in a table.
#[rustfmt::skip]
fn values() -> Vec<Case> {
    vec![
        value("sender: exchanged with the recipient", "sender-mismatch", |m| std::mem::swap(&mut m.from, &mut m.to)),
        value("sender: a third party", "sender-mismatch", |m| m.from = "pihak-lain".parse().unwrap()),
        value("sender: the recipient too", "manifest-malformed", |m| m.to = m.from.clone()),
        value("signer: key not valid yet when it was made", "signer-not-valid", |m| m.created = now().plus_secs(-100_000)),
        value("signer: made in 1970", "signer-not-valid", |m| m.created = now().plus_secs(-now().unix())),
        value("recipient: a third party", "wrong-recipient", |m| m.to = "pihak-lain".parse().unwrap()),
        value("recipient: a key on no card", "wrong-recipient", |m| m.recipients = vec![Identity::generate().recipient().digest()]),
        value("recipient: a key on no card beside ours", "wrong-recipient", |m| m.recipients.push(Identity::generate().recipient().digest())),
        value("expired: a second ago", "expired", |m| { m.created = now().plus_secs(-60); m.expires = now().plus_secs(-1); }),
        value("agreement: another id", "agreement-not-in-force", |m| m.agreement.id = "pks-lain".parse().unwrap()),
        value("agreement: another version", "agreement-not-in-force", |m| m.agreement.version = 2),
        value("flow: not in the agreement", "flow-not-agreed", |m| m.flow = "data-keluarga".parse().unwrap()),
        value("flow: the other direction", "direction-not-agreed", |m| m.flow = "perlintasan".parse().unwrap()),
        value("purpose: not agreed", "purpose-not-agreed", |m| m.purpose = "PEMASARAN".to_owned()),
        value("purpose: in lower case", "purpose-not-agreed", |m| m.purpose = "penertiban".to_owned()),
        value("previous: something before the first", "manifest-malformed", |m| m.epoch = Epoch::FIRST),
        value("sequence: too far", "sequence-too-far", |m| m.sequence = Sequence::try_from(1_026).unwrap()),
        value("sequence: the last number", "sequence-too-far", |m| m.sequence = Sequence::try_from((1 << 53) - 1).unwrap()),
        case("sequence: as far as may be", Expect::Imported, |shop| {
            let mut draft = shop.hello();
            draft.manifest.sequence = Sequence::try_from(1_025).unwrap();
            shop.seal(&draft)
        }),
        case("size: a byte more than the flow allows", Expect::Refused("too-large"), |shop| {
            let mut draft = shop.hello();
            draft.bytes = 1_099_511_627_777;
            shop.seal(&draft)
        }),
        case("size: the largest number", Expect::Refused("too-large"), |shop| {
            let mut draft = shop.hello();
            draft.bytes = (1 << 53) - 1;
            shop.seal(&draft)
        }),
        case("agreement: unknown", Expect::Held("agreement-unknown"), |shop| {
            let mut draft = shop.hello();
            draft.manifest.agreement.digest = Digest::of(b"perjanjian lain");
            draft.listed(&[("a.txt", super::workshop::HELLO)]);
            shop.seal(&draft)
        }),
    ]
}

#[test]
fn a_manifest_that_is_signed_and_wrong_is_refused_by_a_receipt() {
    Ground::all(
        "manifests",
        json()
            .into_iter()
            .chain(members())
            .chain(values())
            .collect(),
    );
}
