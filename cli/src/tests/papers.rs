//! `agreement`: from draft to revocation, and what the daemon's own policy makes of the result.
//! The policy is the judge: what it does not permit, no command may call in force.

use super::stand::{agreed, draft, now, pair};
use crate::Exit;
use amanahd::config::checked::Config;

#[test]
fn an_agreement_is_in_force_with_both_signatures_and_not_before() {
    let (one, other) = pair();
    let file = draft(&one, &other);
    let shown = |of: &super::stand::Ministry| {
        of.run(&["agreement", "show", "pks-manifes", "--json"])
            .ok()
            .facts()["standing"]
            .clone()
    };
    assert_eq!(shown(&one), "not-signed");
    one.run(&["agreement", "sign", "pks-manifes"]).ok();
    assert_eq!(shown(&one), "not-signed");
    let proposal = other
        .run(&["agreement", "import", file.to_str().unwrap()])
        .ok();
    assert!(proposal.out.contains("manifes-umrah") && proposal.out.contains("proposal is stored"));
    other.run(&["agreement", "sign", "pks-manifes"]).ok();
    assert_eq!(shown(&other), "in-force");
    let back = other.path().join("back");
    other
        .run(&["agreement", "export", "pks-manifes", back.to_str().unwrap()])
        .ok();
    one.run(&["agreement", "import", back.to_str().unwrap()])
        .ok();
    assert_eq!(shown(&one), "in-force");
}

#[test]
fn what_the_command_line_makes_the_daemon_loads() {
    let (one, _) = agreed();
    let config = Config::load(&one.path().join("amanah.toml")).unwrap();
    let (policy, loaded) = config.policy(now()).unwrap();
    assert!(
        loaded.iter().all(|document| document.warning.is_none()),
        "{loaded:?}"
    );
    let flows = policy.sendable(&"imigrasi".parse().unwrap(), now());
    assert_eq!(flows, ["manifes-umrah".parse().unwrap()]);
    one.run(&[
        "agreement",
        "revoke",
        "pks-manifes",
        "--reason",
        "kunci bocor",
    ])
    .ok();
    let later = now().plus_secs(2);
    let (policy, loaded) = config.policy(later).unwrap();
    assert!(loaded.iter().any(|document| document.kind == "revocation"));
    assert!(
        policy
            .sendable(&"imigrasi".parse().unwrap(), later)
            .is_empty()
    );
    let told = config.own_revocations(&policy, later);
    assert_eq!(told[0].peer.as_str(), "imigrasi");
}

#[test]
fn a_revocation_that_came_by_wire_narrows_and_a_stranger_s_does_not() {
    let (one, other) = agreed();
    one.run(&["agreement", "revoke", "pks-manifes", "--reason", "selesai"])
        .ok();
    let slip = std::fs::read(
        one.path()
            .join("agreements/pks-manifes-v1.kemenhaj.revocation.amanah"),
    )
    .unwrap();
    let kept = other.path().join("spool/revocations");
    std::fs::create_dir_all(&kept).unwrap();
    let (path, later) = (kept.join("a.slip.amanah"), now().plus_secs(2));
    let config = Config::load(&other.path().join("amanah.toml")).unwrap();
    let mut damaged = slip.clone();
    damaged[700] ^= 1;
    for (bytes, flows) in [(damaged, 1), (slip, 0)] {
        std::fs::write(&path, bytes).unwrap();
        let (policy, loaded) = config.policy(later).unwrap();
        assert_eq!(
            policy.sendable(&"kemenhaj".parse().unwrap(), later).len(),
            flows
        );
        let line = loaded
            .iter()
            .find(|document| document.kind == "revocation")
            .unwrap();
        assert_eq!(line.warning.is_some(), flows == 1, "{line:?}");
        assert!(config.own_revocations(&policy, later).is_empty());
    }
}

#[test]
fn a_policy_warns_of_one_signature_and_stops_at_a_missing_or_foreign_card() {
    let (one, other) = pair();
    draft(&one, &other);
    one.run(&["agreement", "sign", "pks-manifes"]).ok();
    let config = Config::load(&one.path().join("amanah.toml")).unwrap();
    let (policy, loaded) = config.policy(now()).unwrap();
    let agreement = loaded.iter().find(|document| document.kind == "agreement");
    assert!(agreement.unwrap().warning.is_some() && policy.agreements().is_empty());
    let peer = one.path().join("cards/imigrasi.card.amanah");
    std::fs::copy(one.card(), &peer).unwrap();
    let foreign = config.policy(now()).err().unwrap().to_string();
    assert!(
        foreign.contains("expected the card of imigrasi"),
        "{foreign}"
    );
    std::fs::remove_file(&peer).unwrap();
    let missing = config.policy(now()).err().unwrap().to_string();
    assert!(missing.contains("peer add"), "{missing}");
}

#[test]
fn a_revoked_agreement_is_shown_as_such_and_revoked_once() {
    let (one, _) = agreed();
    one.run(&["agreement", "revoke", "pks-manifes", "--reason", "selesai"])
        .ok();
    let shown = one.run(&["agreement", "list", "--json"]).ok().facts();
    assert_eq!(shown["agreements"][0]["standing"], "revoked");
    one.run(&["agreement", "revoke", "pks-manifes", "--reason", "lagi"])
        .fails(Exit::Io, "nothing is overwritten");
    one.run(&["agreement", "revoke", "pks-lain", "--reason", "x"])
        .fails(Exit::Missing, "no agreement pks-lain");
}

#[test]
fn another_text_of_the_same_agreement_is_not_merged() {
    let (one, other) = pair();
    draft(&one, &other);
    let foreign = {
        let file = draft(&other, &one);
        file.to_str().unwrap().to_owned()
    };
    one.run(&["agreement", "import", &foreign])
        .fails(Exit::Document, "agreement");
}

#[test]
fn a_draft_may_come_from_a_file_and_breaks_no_rule() {
    let (one, other) = pair();
    let digest = |of: &super::stand::Ministry| {
        of.run(&["card", "show", "--json"]).ok().facts()["digest"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let party = |of: &super::stand::Ministry| {
        format!(
            "[[parties]]\nid = \"{}\"\nname = \"X\"\ncard = \"{}\"\ndocument_number = \"1\"\nsignatory = \"Y\"\n\
             contact = \"Z\"\ndata_protection_officer = \"P\"\n",
            of.party,
            digest(of)
        )
    };
    let text = format!(
        "id = \"pks-berkas\"\ntitle = \"Dari berkas\"\neffective = \"2026-01-01T00:00:00Z\"\n\
         ends = \"2030-01-01T00:00:00Z\"\ndpia = \"D\"\nlegal_basis = [\"UU 14/2025\"]\npurposes = [{{ code = \"uji\", text = \"Uji\" }}]\n{}{}\
         [[flows]]\nname = \"data-uji\"\nfrom = \"kemenhaj\"\nto = \"imigrasi\"\npurpose = [\"uji\"]\nbytes_max = 1000\n",
        party(&one),
        party(&other)
    );
    let file = one.path().join("draft.toml");
    std::fs::write(&file, &text).unwrap();
    one.run(&["agreement", "draft", "--file", file.to_str().unwrap()])
        .ok();
    one.run(&["agreement", "sign", "pks-berkas"]).ok();
    let broken = text
        .replace("pks-berkas", "pks-lain")
        .replace("\"uji\"]", "\"lain\"]");
    std::fs::write(&file, broken).unwrap();
    one.run(&["agreement", "draft", "--file", file.to_str().unwrap()])
        .fails(Exit::Document, "");
    // Of somebody who forgot to put in the digests of the cards.
    let other_card = format!("sha256:{}", "ab".repeat(32));
    let foreign = text
        .replace("pks-berkas", "pks-asing")
        .replace(&digest(&other), &other_card);
    std::fs::write(&file, foreign).unwrap();
    one.run(&["agreement", "draft", "--file", file.to_str().unwrap()])
        .ok();
    one.run(&["agreement", "sign", "pks-asing"])
        .fails(Exit::Negative, "amanah card show imigrasi");
}

#[test]
fn a_draft_without_its_words_is_a_usage_error() {
    let (one, _) = pair();
    assert_eq!(one.run(&["agreement", "draft"]).exit, Exit::Usage);
    assert_eq!(
        one.run(&["agreement", "draft", "--id", "pks-x"]).exit,
        Exit::Usage
    );
}
