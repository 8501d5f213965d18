//! The fuzz targets, without a fuzzer: every vector and sample goes through every target as it is, and its neighbours through its
//! own. Seeds are fixed, so what fails here fails again. `tests/fuzz` gives the same targets to cargo-fuzz.

use std::collections::BTreeMap;
use std::fs;

use amanah_tests::fuzz::{TARGETS, Target, behind_the_header, header_line, inside, run};
use amanah_tests::fuzz_sftp::conversation;
use amanah_tests::mutation::Seeded;

use crate::tree;

/// Neighbours of each seed in every run, and in a campaign.
const NEIGHBOURS: usize = 12;
const NEIGHBOURS_MANY: usize = 400;

/// Seeds by the target that they are meant for.
fn seeds() -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut seeds: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut add = |target: &str, bytes: &[u8]| {
        seeds
            .entry(target.to_owned())
            .or_default()
            .push(bytes.to_vec());
    };
    let vectors = tree::root().join("format/vectors");
    for path in amanah_tests::exchange::files_below(&vectors).unwrap() {
        let kind = path
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .replace('-', "_");
        // What reads tables reads their schemas.
        let kind = kind.replace("schema", "table");
        let vector = fs::read(&path).unwrap();
        if !vector.starts_with(b"expect: ") {
            continue;
        }
        let bytes = behind_the_header(&vector);
        add(&kind, bytes);
        if let Some(archive) =
            header_line(&vector, "identity").and_then(|key| inside(bytes, key).ok())
        {
            add("payload_inside", &archive);
        }
    }
    add(
        "config",
        &fs::read(tree::root().join("docs/amanah.toml")).unwrap(),
    );
    let words = [
        "2026-11-25T22:00:00Z",
        "10.20.0.0/24",
        "fd00::/8",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudszjv0ssajgd5",
    ];
    words.iter().for_each(|word| add("words", word.as_bytes()));
    let name = format!("{}.receipt.amanah", "ab".repeat(32));
    add("words", name.as_bytes());
    add("request", br#"{"verb":"pause","peer":"imigrasi"}"#);
    add(
        "scrape",
        b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    let (requests, answers) = conversation();
    add("sftp_requests", &requests);
    add("sftp_answers", &answers);
    let table = "a,b,c,d\r\nA1,2030-01-01,1.50,\nB22,,,\"A1\"\n";
    let lines = "{\"a\":\"A1\",\"b\":null,\"c\":1.5,\"d\":\"A1\"}\n";
    for text in [table, lines, amanah_tests::fuzz::table::SCHEMA] {
        add("table", text.as_bytes());
    }
    seeds
}

/// What cargo-fuzz found worth keeping: `tests/fuzz/corpus/TARGET/`.
fn corpora() -> Vec<(String, Vec<u8>)> {
    let corpora = tree::root().join("tests/fuzz/corpus");
    let files = amanah_tests::exchange::files_below(&corpora).unwrap();
    let of = |path: &std::path::PathBuf| {
        let target = path.parent().unwrap().file_name().unwrap();
        (target.to_str().unwrap().to_owned(), fs::read(path).unwrap())
    };
    let found: Vec<_> = files.iter().map(of).collect();
    for (target, _) in &found {
        let known = TARGETS.iter().any(|(name, _)| name == target);
        assert!(known, "a corpus of no target: {target}");
    }
    found
}

/// Something wrong with these bytes.
fn neighbour(bytes: &[u8], other: &[u8], seeded: &mut Seeded) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..=seeded.below(3) {
        let at = seeded.below(changed.len().max(1));
        match seeded.below(6) {
            0 => changed.truncate(at),
            1 => changed.insert(
                at.min(changed.len()),
                u8::try_from(seeded.below(256)).unwrap(),
            ),
            2 => {
                let length = 1 + seeded.below(64);
                let piece: Vec<u8> = changed.iter().skip(at).take(length).copied().collect();
                changed.splice(at..at, piece);
            }
            3 => {
                let from = seeded.below(other.len().max(1));
                let length = 1 + seeded.below(600);
                let piece: Vec<u8> = other.iter().skip(from).take(length).copied().collect();
                let until = (at + piece.len()).min(changed.len());
                changed.splice(at..until, piece);
            }
            _ => {
                if let Some(byte) = changed.get_mut(at) {
                    *byte = u8::try_from(seeded.below(256)).unwrap();
                }
            }
        }
    }
    changed
}

/// Runs the neighbours of every seed of every target; how many there were.
fn neighbours(each: usize) -> usize {
    let (seeds, mut tried) = (seeds(), 0);
    for (name, target) in TARGETS {
        let own = seeds
            .get(*name)
            .unwrap_or_else(|| panic!("{name} has no seed"));
        let mut seeded = Seeded::new(7);
        // A target with few seeds gets as many neighbours as one with many.
        let rounds = each * seeds.len() / own.len().min(seeds.len());
        for seed in own {
            for _ in 0..rounds {
                let other = &own[seeded.below(own.len())];
                target(&neighbour(seed, other, &mut seeded));
                tried += 1;
            }
        }
    }
    tried
}

#[test]
fn every_vector_goes_through_every_reader_and_its_neighbours_through_its_own() {
    let all = seeds();
    let mut tried = 0;
    for seed in all.values().flatten() {
        for (_, target) in TARGETS {
            target(seed);
            tried += 1;
        }
    }
    let found = corpora();
    for (target, bytes) in &found {
        run(target, bytes);
    }
    println!(
        "{tried} seeds as they are, {} of corpora, {} neighbours",
        found.len(),
        neighbours(NEIGHBOURS)
    );
    assert!(tried > 3_000, "{tried}");
}

#[test]
#[ignore = "campaign: some minutes"]
fn thousands_of_neighbours_of_every_vector_are_read_without_a_panic() {
    println!("{} neighbours", neighbours(NEIGHBOURS_MANY));
}

/// Seeds for cargo-fuzz, one file each: `./check --campaign fuzz` says where to.
#[test]
#[ignore = "writes the seeds for cargo-fuzz"]
fn the_seeds_are_laid_out_by_target() {
    let scratch = tempfile::tempdir().unwrap();
    let wanted = std::env::var_os("AMANAH_FUZZ_SEEDS").map(std::path::PathBuf::from);
    let folder = wanted.unwrap_or_else(|| scratch.path().to_owned());
    let mut seeds = seeds();
    for (target, bytes) in corpora() {
        seeds.entry(target).or_default().push(bytes);
    }
    for (target, seeds) in seeds {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(number.to_string()), seed).unwrap();
        }
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), TARGETS.len());
}

/// A reader that keeps what it should not is found: the harness can fail.
#[test]
fn a_reader_that_panics_or_reads_another_than_it_prints_would_be_found() {
    let broken: Target = |bytes| assert!(!bytes.contains(&0xFF), "found");
    let mut seeded = Seeded::new(7);
    let found = std::panic::catch_unwind(move || {
        for _ in 0..100_000 {
            broken(&neighbour(b"seed", b"other", &mut seeded));
        }
    });
    assert!(found.is_err());
}

#[test]
fn cargo_fuzz_has_every_target() {
    let folder = tree::root().join("tests/fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        let line = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(
            manifest.contains(&line),
            "{name} is not in tests/fuzz/Cargo.toml"
        );
        let source = fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("\"{name}\"")), "{name}");
    }
    let files = fs::read_dir(folder.join("fuzz_targets")).unwrap().count();
    assert_eq!(files, TARGETS.len());
}
