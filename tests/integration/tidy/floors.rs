//! The floors of the daemon and who may import whom: downward only, siblings never, a stage joins two.
//! Reads `crate::` and `super::` paths from the text; a module without a floor is a fault, so that a new one is placed.

/// Where a module stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    /// A small value that anybody may hold: imports nothing of the daemon.
    Leaf,
    /// Decisions, and the one place that writes durably: they do not meet.
    Ground,
    /// Input and output: siblings never meet.
    Io,
    /// The steps of the journey: they join what lies below.
    Journey,
    /// What the outside sees.
    Face,
}

const FLOORS: [(&str, Floor); 27] = [
    ("bell", Floor::Leaf),
    ("by_hand", Floor::Leaf),
    ("clock", Floor::Leaf),
    ("event", Floor::Leaf),
    ("kill", Floor::Leaf),
    ("plant", Floor::Leaf),
    ("request", Floor::Leaf),
    ("retained", Floor::Leaf),
    ("snapshot", Floor::Leaf),
    ("engine", Floor::Ground),
    ("durable", Floor::Ground),
    // Texts about what the engine decides: above it, and beside whatever acts.
    ("catalogue", Floor::Io),
    ("journal", Floor::Io),
    ("spool", Floor::Io),
    ("keys", Floor::Io),
    ("watch", Floor::Io),
    ("transport", Floor::Io),
    ("store", Floor::Io),
    ("metrics", Floor::Io),
    ("alarm", Floor::Io),
    ("stage", Floor::Journey),
    ("args", Floor::Face),
    ("main", Floor::Face),
    ("lib", Floor::Face),
    ("supervise", Floor::Face),
    ("config", Floor::Face),
    ("facade", Floor::Face),
];

fn floor(module: &str) -> Option<Floor> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
}

/// The faults of one file of the daemon, given its path from the root of the tree.
pub(crate) fn imports(path: &str, text: &str) -> Vec<String> {
    let inside = path.strip_prefix("daemon/src/").unwrap_or(path);
    let home = inside.split('/').next().unwrap_or(inside);
    let home = home.trim_end_matches(".rs");
    let Some(own) = floor(home) else {
        return vec![format!("module `{home}` has no floor yet: give it one")];
    };
    let mut faults: Vec<String> = imported(inside, text)
        .into_iter()
        .filter(|target| target != home)
        .filter_map(|target| {
            let below = floor(&target)?;
            let allowed = below < own || (own == Floor::Face && below == Floor::Face);
            (!allowed).then(|| format!("`{home}` imports `{target}`"))
        })
        .collect();
    faults.dedup();
    faults
}

/// The top-level modules that a text names, through `crate::` or enough `super::`.
fn imported(inside: &str, text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let joined = code
            .get(..at)
            .and_then(|head| head.chars().next_back())
            .is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$');
        if !joined {
            found.extend(heads(code.get(at..).unwrap_or("")));
        }
    }
    let climb = "super::".repeat(depth(inside));
    for (at, _) in code.match_indices(&climb) {
        let rest = code.get(at..).unwrap_or("");
        let rest = rest.strip_prefix(&climb).unwrap_or(rest);
        found.extend(heads(&format!("crate::{rest}")));
    }
    found.sort();
    found
}

/// How many `super::` lead from a file to the root of the crate.
fn depth(inside: &str) -> usize {
    let folders = inside.matches('/').count();
    if inside.ends_with("/mod.rs") {
        folders
    } else {
        folders.saturating_add(1)
    }
}

/// The first names after `crate::`, of a single path or of a group.
fn heads(path: &str) -> Vec<String> {
    let rest = path.strip_prefix("crate::").unwrap_or(path).trim_start();
    let Some(group) = rest.strip_prefix('{') else {
        return vec![first_name(rest)];
    };
    let mut names = Vec::new();
    let mut nested = 0_usize;
    let mut item = String::new();
    for c in group.chars() {
        match c {
            '}' if nested == 0 => break,
            ',' if nested == 0 => names.push(first_name(&std::mem::take(&mut item))),
            _ => {
                nested = match c {
                    '{' => nested.saturating_add(1),
                    '}' => nested.saturating_sub(1),
                    _ => nested,
                };
                item.push(c);
            }
        }
    }
    names.push(first_name(&item));
    names
}

fn first_name(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn an_import_that_points_upward_is_caught() {
    let upward = imports("daemon/src/keys.rs", "use crate::stage::seal::Sealed;\n");
    assert_eq!(upward, ["`keys` imports `stage`"]);
    let config = imports(
        "daemon/src/stage/ship.rs",
        "fn f(c: &crate::config::Checked) {}\n",
    );
    assert_eq!(config, ["`stage` imports `config`"]);
    let climbed = imports(
        "daemon/src/store/files.rs",
        "use super::super::supervise::run;\n",
    );
    assert_eq!(climbed, ["`store` imports `supervise`"]);
}

#[test]
fn siblings_that_meet_are_caught_on_every_lower_floor() {
    let grouped = "use crate::{\n    durable::Folder,\n    journal::{Journal, Row},\n};\n";
    assert_eq!(
        imports("daemon/src/spool/mod.rs", grouped),
        ["`spool` imports `journal`"]
    );
    let engine = imports("daemon/src/engine/retry.rs", "use crate::durable;\n");
    assert_eq!(engine, ["`engine` imports `durable`"]);
    let leaf = imports("daemon/src/bell.rs", "use super::clock::Clock;\n");
    assert_eq!(leaf, ["`bell` imports `clock`"]);
}

#[test]
fn imports_that_point_downward_are_allowed() {
    let stage = "use crate::{journal::Journal, spool::Spool, stage::seal::Sealed, kill};\n";
    assert_eq!(imports("daemon/src/stage/collect.rs", stage), [""; 0]);
    let face = "use crate::{config::Checked, stage, args};\n";
    assert_eq!(imports("daemon/src/supervise.rs", face), [""; 0]);
    let within = "use super::{files, Store};\nuse crate::store::mod_tests;\n";
    assert_eq!(imports("daemon/src/store/files.rs", within), [""; 0]);
    let remark = "// crate::supervise hands this over\nuse crate::durable;\n";
    assert_eq!(imports("daemon/src/keys.rs", remark), [""; 0]);
}

#[test]
fn a_module_without_a_floor_is_caught() {
    assert_eq!(imports("daemon/src/attic.rs", "").len(), 1);
}
