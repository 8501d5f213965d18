//! `contents.json` that disagrees: with the manifest, with the entries, with its own form. A ciphertext taken from another
//! bundle is told by it.

use super::tape::{file, open_tar};
use super::workshop::{HELLO, swap};
use super::{Case, Expect, Ground, case};

const MISMATCH: Expect = Expect::Refused("contents-mismatch");

/// The list with a change.
fn list(name: &str, expect: Expect, change: fn(&str) -> String) -> Case {
    case(name, expect, move |shop| {
        let mut draft = shop.draft(&[("a.txt", HELLO), ("b.txt", b"lain")]);
        draft.list = change(&draft.list);
        shop.seal(&draft)
    })
}

/// A draft whose tar before the list is this.
fn parts(name: &str, files: &'static [(&'static str, &'static [u8])]) -> Case {
    case(name, MISMATCH, move |shop| {
        let mut draft = shop.draft(&[("a.txt", HELLO), ("b.txt", b"lain")]);
        let parts: Vec<_> = files
            .iter()
            .map(|(name, bytes)| file(name, bytes))
            .collect();
        draft.parts = open_tar(&parts);
        shop.seal(&draft)
    })
}

// One case a line, as in a table.
#[rustfmt::skip]
fn lists() -> Vec<Case> {
    vec![
        list("list: as it should be", Expect::Imported, str::to_owned),
        list("list: empty", MISMATCH, |_| String::new()),
        list("list: an empty object", MISMATCH, |_| "{}".to_owned()),
        list("list: byte order mark", MISMATCH, |text| format!("\u{feff}{text}")),
        list("list: duplicate key", MISMATCH, |text| swap(text, "\"ext\": {}", "\"ext\": {}, \"ext\": {}")),
        list("list: unknown member", MISMATCH, |text| swap(text, "\"ext\": {}", "\"ext\": {}, \"extra\": 1")),
        list("list: version 2", Expect::Refused("format-unsupported"), |text| swap(text, "contents/1", "contents/2")),
        list("list: critical", Expect::Refused("format-unsupported"), |text| swap(text, "\"critical\": []", "\"critical\": [\"x\"]")),
        list("list: short salt", MISMATCH, |text| swap(text, "0707", "07")),
        list("list: another sender", MISMATCH, |text| swap(text, "\"from\": \"phu\"", "\"from\": \"lain\"")),
        list("list: another recipient", MISMATCH, |text| swap(text, "\"to\": \"imigrasi\"", "\"to\": \"lain\"")),
        list("list: another flow", MISMATCH, |text| swap(text, "manifes-umrah", "perlintasan")),
        list("list: another path", MISMATCH, |text| swap(text, "a.txt", "c.txt")),
        list("list: another length", MISMATCH, |text| swap(text, "\"bytes\": 5", "\"bytes\": 6")),
        list("list: lengths exchanged", MISMATCH, |text| swap(&swap(&swap(text, "\"bytes\": 5", "\"bytes\": 0"), "\"bytes\": 4", "\"bytes\": 5"), "\"bytes\": 0", "\"bytes\": 4")),
        list("list: another digest", MISMATCH, |text| {
            let digest = amanah_format::digest::Digest::of(HELLO).to_string();
            swap(text, &digest, &amanah_format::digest::Digest::of(b"x").to_string())
        }),
        list("list: sums that overflow", MISMATCH, |text| swap(&swap(text, "\"bytes\": 5", "\"bytes\": 9007199254740991"), "\"bytes\": 4", "\"bytes\": 9007199254740991")),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn places() -> Vec<Case> {
    vec![
        parts("entries: none", &[]),
        parts("entries: one missing", &[("a.txt", HELLO)]),
        parts("entries: in another order", &[("b.txt", b"lain"), ("a.txt", HELLO)]),
        parts("entries: another content", &[("a.txt", b"hallo"), ("b.txt", b"lain")]),
        parts("entries: contents exchanged", &[("a.txt", b"lain"), ("b.txt", HELLO)]),
        case("list: not the last", MISMATCH, |shop| {
            let mut draft = shop.hello();
            let list = draft.list.clone();
            draft.parts = open_tar(&[file("contents.json", list.as_bytes()), file("a.txt", HELLO)]);
            let tar = [draft.parts.clone(), vec![0; 1024]].concat();
            shop.around(&draft, &super::workshop::frame(&tar)?)
        }),
        case("list: twice", MISMATCH, |shop| {
            let mut draft = shop.hello();
            let list = draft.list.clone();
            draft.parts.extend(open_tar(&[file("contents.json", list.as_bytes())]));
            shop.seal(&draft)
        }),
        case("list: not there", MISMATCH, |shop| {
            let draft = shop.hello();
            shop.around(&draft, &super::workshop::frame(&[draft.parts.clone(), vec![0; 1024]].concat())?)
        }),
        case("list: not the one that was signed", MISMATCH, |shop| {
            let (draft, mut other) = (shop.hello(), shop.hello());
            other.manifest = draft.manifest.clone();
            other.list = format!("{} ", draft.list);
            shop.around(&draft, &super::workshop::frame(&other.tar())?)
        }),
        case("list: of another bundle, whose ciphertext was taken", MISMATCH, |shop| {
            let (mut claimed, taken) = (shop.hello(), shop.hello());
            claimed.list = taken.list.clone();
            shop.around(&claimed, &super::workshop::frame(&taken.tar())?)
        }),
        case("list: of another agreement", MISMATCH, |shop| {
            let mut draft = shop.hello();
            let digest = shop.agreement.digest.to_string();
            draft.list = swap(&draft.list, &digest, &amanah_format::digest::Digest::of(b"x").to_string());
            shop.seal(&draft)
        }),
    ]
}

#[test]
fn a_list_that_disagrees_with_anything_is_refused() {
    Ground::all("lists", lists().into_iter().chain(places()).collect());
}
