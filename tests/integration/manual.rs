//! The pages of the manual render without a complaint of the stock tool, and say what the commands say. They are made by
//! `amanah man` from the trees that read the arguments and from the sample of the configuration.

use std::process::Command;

use amanah_tests::exchange::files_below;

use crate::program;

fn rendered(page: &std::path::Path) -> String {
    let mut groff = Command::new("groff");
    let groff = groff
        .args(["-man", "-t", "-ww", "-Tutf8", "-K", "utf8", "-P-cbou"])
        .arg(page);
    let ran = groff.output().expect("groff is installed");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success() && said.is_empty(),
        "{}: {said}",
        page.display()
    );
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn every_page_of_the_manual_renders_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let mut amanah = Command::new(program());
    let ran = amanah
        .args(["man", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let pages = files_below(folder.path()).unwrap();
    assert!(pages.len() > 20, "{pages:?}");
    for page in &pages {
        assert!(rendered(page).lines().count() > 10, "{}", page.display());
    }
    let page = |name: &str| rendered(&folder.path().join(name));
    let main = page("man1/amanah.1");
    for word in ["amanah-send(1)", "amanah-doctor(1)", "--home"] {
        assert!(main.contains(word), "{word} is missing:\n{main}");
    }
    assert!(page("man8/amanahd.8").contains("SIGHUP"));
    let config = page("man5/amanahd.toml.5");
    for word in [
        "[listen]",
        "quarantine_days = 90",
        "peer_bytes_max",
        "SEE ALSO",
    ] {
        assert!(config.contains(word), "{word} is missing:\n{config}");
    }
}
