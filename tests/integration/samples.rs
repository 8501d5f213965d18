//! Every sample of a configuration in the tree is one that the daemon takes: the files below `docs/` and the TOML blocks of
//! the documents. The whole sample names every key that there is.

use amanahd::config::checked::Config;

use crate::tree;

/// Reads `text` as the daemon would.
fn load(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("amanah.toml");
    std::fs::write(&file, text).expect("the sample is written down");
    Config::load(&file).map_err(|error| error.to_string())
}

/// The blocks that a document marks as TOML.
fn toml_blocks(document: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in document.lines() {
        match (line.trim(), &mut open) {
            ("```toml", None) => open = Some(String::new()),
            ("```", Some(_)) => blocks.extend(open.take()),
            (_, Some(block)) => {
                block.push_str(line);
                block.push('\n');
            }
            (_, None) => {}
        }
    }
    blocks
}

/// Each sample with the place where it stands.
fn samples() -> Vec<(String, String)> {
    let mut samples: Vec<(String, String)> = tree::texts_ending(".toml")
        .into_iter()
        .filter(|file| file.path.starts_with("docs/"))
        .map(|file| (file.path, file.text))
        .collect();
    for document in tree::texts_ending(".md") {
        let blocks = toml_blocks(&document.text);
        samples.extend(
            blocks
                .into_iter()
                .map(|block| (document.path.clone(), block)),
        );
    }
    samples
}

#[test]
fn every_sample_configuration_is_one_that_the_daemon_takes() {
    let samples = samples();
    assert!(samples.iter().any(|(path, _)| path == "docs/amanah.toml"));
    for (path, text) in samples {
        if let Err(reason) = load(&text) {
            panic!("{path}: {reason}");
        }
    }
}

#[test]
fn a_sample_with_a_misspelt_key_or_half_a_block_is_caught() {
    let sample = std::fs::read_to_string(tree::root().join("docs/amanah.toml"));
    let sample = sample.expect("the sample is there");
    assert!(load(&sample.replace("networks =", "network =")).is_err());
    assert!(load(&sample.replace("[listen]", "[listen")).is_err());
    assert_eq!(
        toml_blocks("a\n```toml\nb = 1\n```\n```\nc\n```\n"),
        ["b = 1\n"]
    );
}

/// The fields of the raw configuration, as its source has them.
fn keys() -> Vec<String> {
    let source = std::fs::read_to_string(tree::root().join("daemon/src/config/raw.rs"));
    let source = source.expect("the raw configuration is there");
    let fields = source.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("pub ")?.split_once(": ")?;
        name.chars()
            .all(|c| c.is_ascii_lowercase() || c == '_')
            .then(|| name.to_owned())
    });
    fields.collect()
}

#[test]
fn the_whole_sample_names_every_key() {
    let sample = std::fs::read_to_string(tree::root().join("docs/amanah.toml"));
    let sample = sample.expect("the sample is there");
    let keys = keys();
    assert!(keys.len() > 15, "{keys:?}");
    for key in keys {
        let named = sample.lines().any(|line| {
            line.starts_with(&format!("{key} = "))
                // What belongs to another kind than the sample has.
                || line.starts_with(&format!("# {key} = "))
                || line.starts_with(&format!("[{key}]"))
                || line.starts_with(&format!("[{key}."))
                || line.ends_with(&format!(".{key}]"))
        });
        assert!(named, "docs/amanah.toml says nothing of `{key}`");
    }
}
