//! Programs that nobody here wrote, against a real daemon: with the peer's transport key they can hand over a bundle and
//! fetch what waits, resume both, and do nothing else. Every other request gets a clear failure, and none hangs. The commands
//! that work are those of docs/clients.md, block by block.

mod descriptors;
mod early;
mod forwarding;
mod lftp;
mod logins;
mod openssh;
mod paramiko;
mod rclone;
mod slow;
mod stage;

use std::fs;

use stage::Stage;

/// Where the programs of the installed packages are.
pub(crate) fn python_programs() -> &'static std::path::Path {
    paramiko::interpreter()
}

/// How many bytes a transfer had got through when it was cut.
const CUT_BYTES: usize = 300_001;

/// What a client does, by the titles of its blocks in docs/clients.md.
struct Sheet<'a> {
    hand_over: &'a str,
    /// Run where a part is at the peer already.
    go_on: &'a str,
    fetch: &'a str,
    /// Run where the first bytes are here already.
    fetch_on: &'a str,
    take_away: &'a str,
    /// Not of the document: leaves the local file `cut` at the peer, as a part of this bundle.
    cut: &'a str,
}

/// The block of docs/clients.md that begins with this title.
fn block(title: &str) -> String {
    let page = crate::tree::root().join("docs/clients.md");
    let page = fs::read_to_string(page).unwrap();
    let mut blocks = page.split("```sh\n").skip(1);
    let found = blocks.find_map(|rest| {
        let block = rest.split("```").next()?;
        (block.lines().next()? == format!("# {title}")).then(|| format!("set -eu\n{block}"))
    });
    found.unwrap_or_else(|| panic!("docs/clients.md has no block '{title}'"))
}

/// All that a client can do, and that both daemons agree on in the end.
fn journey(sheet: &Sheet<'_>) {
    let mut stage = Stage::set();
    let (small, large, offer) = (
        stage.small.clone(),
        stage.large.clone(),
        stage.offer.clone(),
    );

    stage.sh(&small, &block(sheet.hand_over)).succeeded();
    let answer = stage.answered(&small);
    let receipt = Stage::receipt(&small);
    let listed = stage.sh(&receipt, &block(sheet.fetch)).succeeded();
    assert!(listed.contains(&receipt), "{listed}");
    assert!(fs::read(stage.path(&receipt)).unwrap() == answer);
    stage.verifies(&receipt);
    stage.sh(&receipt, &block(sheet.take_away)).succeeded();
    fs::remove_file(stage.path(&receipt)).unwrap();
    let again = stage.sh(&receipt, &block(sheet.fetch));
    again.refused("to fetch what was taken away");

    stage.cut(&stage.path(&large), "cut", CUT_BYTES);
    stage.sh(&large, sheet.cut).succeeded();
    // What was synced is kept, whatever becomes of the daemon.
    stage.restart_peer();
    stage.sh(&large, &block(sheet.go_on)).succeeded();
    stage.answered(&large);

    stage.cut(&stage.offered(), &offer, CUT_BYTES);
    stage.sh(&offer, &block(sheet.fetch_on)).succeeded();
    assert!(fs::read(stage.path(&offer)).unwrap() == fs::read(stage.offered()).unwrap());
    stage.settles();
}

/// Each attempt fails, the client says so in these words (ours or its own), and nothing at the peer is made or removed.
fn nothing_else(stage: &Stage, attempts: &[(&str, &str)], script: impl Fn(&str) -> String) {
    let before = stage.touched();
    let mut faults = Vec::new();
    for (attempt, words) in attempts {
        let printed = stage.sh(&stage.small, &script(attempt)).refused(attempt);
        if !printed.contains(words) {
            faults.push(format!("{attempt}: not '{words}' in {printed}"));
        }
        assert_eq!(stage.touched(), before, "{attempt}");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
