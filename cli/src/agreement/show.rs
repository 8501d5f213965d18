//! `amanah agreement show` and `list`: the text as an officer reads it before signing.
//! Everything that a peer wrote is escaped; whether it counts is judged anew each time.

use std::path::Path;

use amanah_format::agreement::{Agreement, Flow, Lane, Party};
use amanahd::catalogue::{faces::agreement as face, moment, shown};

use super::{Local, Named, all, find, standing::Standing};
use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

pub(super) fn run(
    what: &str,
    version: Option<u32>,
    place: &Place,
    screen: &mut Screen<'_>,
) -> Outcome {
    let path = Path::new(what);
    let local = if what.contains('/') || path.is_file() {
        let (file, text) = papers::read_agreement(path)?;
        Local {
            path: path.to_owned(),
            file,
            text,
        }
    } else {
        let id = what
            .parse()
            .map_err(|error| Failure::new(Exit::Usage, error))?;
        find(&Named { id, version }, place, screen)?
    };
    print(local, place, screen)?;
    Ok(Exit::Ok)
}

/// Judges and prints one agreement.
pub(super) fn print(local: Local, place: &Place, screen: &mut Screen<'_>) -> Outcome<()> {
    let digest = local.file.digest();
    let signers: Vec<String> = local.file.signers().map(ToString::to_string).collect();
    let standing = judge(local.file, &local.text, place)?;
    if screen.json {
        return screen.facts(&serde_json::json!({
            "format": "amanah-agreement-show/1", "digest": digest, "signers": signers,
            "standing": standing.code(), "agreement": local.text,
        }));
    }
    terms(&local.text, screen)?;
    for party in &local.text.parties {
        one_party(party, screen)?;
    }
    for flow in &local.text.flows {
        one_flow(flow, screen)?;
    }
    let signed = if signers.is_empty() {
        screen.text(face::NOBODY, &[])
    } else {
        signers.join(", ")
    };
    screen.say(face::SIGNERS, &[&signed])?;
    screen.say(face::DIGEST, &[&digest])?;
    let sentence = standing.sentence(screen);
    screen.say(face::STANDING, &[&sentence])
}

fn judge(
    file: amanah_format::agreement::AgreementFile,
    text: &Agreement,
    place: &Place,
) -> Outcome<Standing> {
    let now = papers::now();
    let policy = place.config().and_then(|config| config.policy(now)).ok();
    let policy = policy.as_ref().map(|(policy, _)| policy);
    // A file from elsewhere is not loaded here: only what lies in agreements/ can have been set aside.
    let loaded = policy.filter(|policy| {
        let digest = file.digest();
        policy
            .agreements()
            .iter()
            .any(|known| known.digest() == digest)
    });
    Ok(Standing::of((file, text), &place.keyring()?, loaded, now))
}

fn terms(text: &Agreement, screen: &mut Screen<'_>) -> Outcome<()> {
    let language = screen.language;
    screen.say(face::TITLE, &[&text.id, &text.version, &shown(&text.title)])?;
    let [begins, ends] = [text.effective, text.ends].map(|time| moment::wib(time, language));
    screen.say(face::DATES, &[&begins, &ends])?;
    for basis in &text.legal_basis {
        screen.say(face::LEGAL_BASIS, &[&shown(basis)])?;
    }
    for purpose in &text.purposes {
        screen.say(
            face::PURPOSE,
            &[&shown(&purpose.code), &shown(&purpose.text)],
        )?;
    }
    screen.say(face::DPIA, &[&shown(&text.dpia)])?;
    screen.say(face::DRAIN, &[&text.drain_days])
}

fn one_party(party: &Party, screen: &mut Screen<'_>) -> Outcome<()> {
    screen.say(face::PARTY, &[&party.id, &shown(&party.name)])?;
    screen.say(
        face::PARTY_PAPER,
        &[&shown(&party.document_number), &shown(&party.signatory)],
    )?;
    screen.say(
        face::PARTY_CONTACT,
        &[
            &shown(&party.contact),
            &shown(&party.data_protection_officer),
        ],
    )?;
    screen.say(face::PARTY_CARD, &[&party.card.to_fingerprint()])
}

fn one_flow(flow: &Flow, screen: &mut Screen<'_>) -> Outcome<()> {
    screen.say(face::FLOW, &[&flow.name, &flow.from, &flow.to])?;
    let lane = match flow.lane {
        Lane::Urgent => face::LANE_URGENT,
        Lane::Normal => face::LANE_NORMAL,
        Lane::Bulk => face::LANE_BULK,
    };
    let lane = screen.text(lane, &[]);
    let bytes_max = moment::bytes(flow.bytes_max, screen.language);
    screen.say(
        face::FLOW_BOUNDS,
        &[&bytes_max, &lane, &flow.retention.days],
    )?;
    screen.say(
        face::FLOW_PURPOSE,
        &[
            &shown(&flow.purpose.join(", ")),
            &shown(&flow.classification),
        ],
    )
}

/// One line per agreement here.
pub(super) fn list(place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let mut facts = Vec::new();
    for local in all(place)? {
        let Local { path, file, text } = local;
        let digest = file.digest();
        let standing = judge(file, &text, place)?;
        if !screen.json {
            let [one, other] = &text.parties;
            let until = moment::date(text.ends.plus_secs(-1), screen.language);
            let sentence = standing.sentence(screen);
            screen.say(
                face::LIST_LINE,
                &[
                    &text.id,
                    &text.version,
                    &one.id,
                    &other.id,
                    &until,
                    &sentence,
                ],
            )?;
            for flow in &text.flows {
                screen.line(&format!("    {}: {} → {}", flow.name, flow.from, flow.to))?;
            }
        }
        facts.push(serde_json::json!({
            "id": text.id, "version": text.version, "file": path, "digest": digest,
            "effective": text.effective, "ends": text.ends, "standing": standing.code(),
        }));
    }
    if screen.json {
        screen.facts(&serde_json::json!({"format": "amanah-agreements/1", "agreements": facts}))?;
    } else if facts.is_empty() {
        screen.say(face::NO_AGREEMENTS, &[])?;
    }
    Ok(Exit::Ok)
}
