//! `amanah agreement show` and `list`: the text as an officer reads it before signing.
//! Everything that a peer wrote is escaped; whether it counts is judged anew each time.

use std::path::Path;

use amanah_format::agreement::{Agreement, AgreementFile, Flow, Lane, Party};
use amanah_format::table::{Field, Schema};
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
    let schemas = schemas(&local.file);
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
        one_table(flow, &schemas, screen)?;
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

fn judge(file: AgreementFile, text: &Agreement, place: &Place) -> Outcome<Standing> {
    let now = papers::now();
    let judged = place.judged();
    let policy = place
        .config()
        .and_then(|config| config.policy_again(now, &|digest| judged.contains(digest)));
    let policy = policy.ok();
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

/// The schemas that it carries, read.
fn schemas(file: &AgreementFile) -> Vec<Schema> {
    file.schema_files()
        .filter_map(|(_, bytes)| Schema::parse(bytes).ok())
        .collect()
}

/// What a table flow pins: its columns are what an officer agrees to.
fn one_table(flow: &Flow, schemas: &[Schema], screen: &mut Screen<'_>) -> Outcome<()> {
    let found = schemas
        .iter()
        .find(|schema| flow.schema == Some(schema.digest()));
    let Some((schema, import)) = found.zip(flow.import.as_ref()) else {
        return Ok(());
    };
    let totals = if flow.totals.is_empty() {
        "-".to_owned()
    } else {
        flow.totals.join(", ")
    };
    screen.say(face::FLOW_TABLE, &[&schema.digest(), &import.mode, &totals])?;
    let columns: Vec<&str> = schema.fields().iter().map(Field::name).collect();
    screen.say(face::FLOW_COLUMNS, &[&columns.join(", ")])
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
