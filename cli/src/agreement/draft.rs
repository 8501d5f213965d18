//! `amanah agreement draft`: an agreement's text from arguments or from a file, checked, unsigned.
//! Nothing is guessed: dates, purposes and officers are the caller's words; cards supply names and digests.

use std::path::PathBuf;

use amanah_format::{
    agreement::{Agreement, AgreementFile, Flow, FlowKind, Party, PurposeText, Retention},
    card::VerifiedCard,
    document::Document,
    id::{AgreementId, PartyId},
};
use amanahd::{
    catalogue::{faces::agreement as face, moment as catalogue_moment},
    config,
};
use serde_json::{Value, json};

use super::flow::{Direction, FlowSpec};
use super::moments::{Day, moment};
use crate::{
    exit::{Exit, Failure, Outcome},
    papers,
    place::Place,
    screen::Screen,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "amanah agreement draft [OPTIONS] --id <ID> --peer <PARTY> --flow <FLOW>...
       amanah agreement draft --file <FILE>"
)]
pub(crate) struct Wanted {
    /// The whole text as TOML or JSON, instead of the other arguments
    #[arg(
        long, value_name = "FILE",
        conflicts_with_all = [
            "id", "version", "peer", "title", "flow", "from", "until", "purpose", "legal_basis", "dpia", "officer",
            "peer_officer", "document_number", "peer_document_number", "signatory", "peer_signatory", "classification",
            "drain_days", "zone", "cards_by_chain",
        ]
    )]
    file: Option<PathBuf>,
    #[command(flatten)]
    terms: Option<Terms>,
}

#[derive(Debug, clap::Args)]
struct Terms {
    /// Agreement id, required
    #[arg(long, required = true)]
    id: AgreementId,
    /// Version; above 1 it supersedes the version before it, which must be here
    #[arg(long, default_value_t = 1)]
    version: u32,
    /// The other party, required
    #[arg(long, required = true, value_name = "PARTY")]
    peer: PartyId,
    /// Title, required
    #[arg(long, required = true, value_name = "TEXT")]
    title: String,
    /// NAME:out or NAME:in [:BYTES_MAX[:LANE[:DAYS]]], LANE urgent, normal or bulk; required, may be repeated
    #[arg(long, required = true, value_name = "FLOW")]
    flow: Vec<FlowSpec>,
    /// First day in force (or a time in UTC), required
    #[arg(long, required = true, value_name = "DATE")]
    from: String,
    /// Last day in force (or the first moment no longer, in UTC), required
    #[arg(long, required = true, value_name = "DATE")]
    until: String,
    /// Purpose of processing; required, may be repeated
    #[arg(long, required = true, value_name = "CODE:TEXT")]
    purpose: Vec<String>,
    /// Legal basis; required, may be repeated
    #[arg(long, required = true, value_name = "TEXT")]
    legal_basis: Vec<String>,
    /// Reference of the data protection impact assessment, required
    #[arg(long, required = true, value_name = "TEXT")]
    dpia: String,
    /// Our data protection officer, required
    #[arg(long, required = true, value_name = "CONTACT")]
    officer: String,
    /// The peer's data protection officer, required
    #[arg(long, required = true, value_name = "CONTACT")]
    peer_officer: String,
    /// Our number of the document
    #[arg(long, default_value = "-", value_name = "TEXT")]
    document_number: String,
    /// The peer's number of the document
    #[arg(long, default_value = "-", value_name = "TEXT")]
    peer_document_number: String,
    /// Office of who signs for us
    #[arg(long, default_value = "-", value_name = "TEXT")]
    signatory: String,
    /// Office of who signs for the peer
    #[arg(long, default_value = "-", value_name = "TEXT")]
    peer_signatory: String,
    /// Classification of the data
    #[arg(long, default_value = "terbatas", value_name = "TEXT")]
    classification: String,
    /// Days for which bundles under the version before are still admitted
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    drain_days: u32,
    /// A new card of either party counts without a hand where the card before it has signed it
    #[arg(long)]
    cards_by_chain: bool,
    /// Time zone of the dates
    #[arg(long, default_value = "Asia/Jakarta")]
    zone: String,
}

pub(super) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let (text, schemas) = match (&wanted.file, &wanted.terms) {
        (Some(file), _) => from_file(file)?,
        (None, Some(terms)) => (from_terms(terms, place, screen)?, Vec::new()),
        (None, None) => return Err(screen.failure(Exit::Usage, face::DRAFT_NEEDS, &[])),
    };
    let own = place.config()?.party;
    if super::peer_of(&text, &own).is_none() {
        return Err(screen.failure(Exit::Document, face::NOT_A_PARTY, &[&own]));
    }
    let file = AgreementFile::draft_with(&text, schemas)
        .map_err(|error| Failure::new(Exit::Document, error))?;
    let path = place
        .agreements()
        .join(papers::agreement_name(&text.id, text.version));
    papers::write_new(&path, &file.to_bytes(), 0o644)?;
    if screen.json {
        screen.facts(&json!({
            "format": "amanah-agreement-draft/1", "file": path, "id": text.id,
            "version": text.version, "digest": file.digest(),
        }))?;
    } else {
        screen.say(face::DRAFTED, &[&path.display()])?;
        screen.say(face::DIGEST, &[&file.digest()])?;
        if text.ends <= papers::now() {
            let ended = catalogue_moment::date(text.ends.plus_secs(-1), screen.language);
            screen.hint(face::DRAFT_ENDED, &[&ended])?;
        }
        screen.hint(face::DRAFT_NEXT, &[&text.id])?;
    }
    Ok(Exit::Ok)
}

/// A text that somebody wrote in an editor: members that have an obvious value may be left out.
fn from_file(path: &std::path::Path) -> Outcome<(Agreement, Vec<Vec<u8>>)> {
    let bytes = papers::read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| papers::malformed(path, error))?;
    let value = if path.extension().is_some_and(|end| end == "toml") {
        config::toml_value(text)
    } else {
        serde_json::from_str(text).map_err(|error| error.to_string())
    };
    let value = value.map_err(|error| papers::malformed(path, error))?;
    let mut value = completed(value);
    let schemas = super::tables::pinned(&mut value, path)?;
    let text = serde_json::from_value(value).map_err(|error| papers::malformed(path, error))?;
    Ok((text, schemas))
}

/// Puts in what a person need not write: the format, empty lists, `null` for what is not used.
fn completed(mut value: Value) -> Value {
    let top = [
        ("format", json!(Agreement::FORMAT)),
        ("version", json!(1)),
        ("supersedes", Value::Null),
        ("zone", json!("Asia/Jakarta")),
        ("drain_days", json!(30)),
        ("ext", json!({})),
        ("critical", json!([])),
    ];
    let flow = [
        ("kind", json!("files")),
        ("schema", Value::Null),
        ("import", Value::Null),
        ("totals", json!([])),
        ("records_max", Value::Null),
        ("rhythm", Value::Null),
        ("lane", json!("normal")),
        (
            "retention",
            json!({"days": 30, "from": "settled", "action": "destroy", "legal_hold": false}),
        ),
        ("classification", json!("terbatas")),
    ];
    fill(&mut value, &top);
    let flows = value.get_mut("flows").and_then(Value::as_array_mut);
    for one in flows.into_iter().flatten() {
        fill(one, &flow);
    }
    value
}

fn fill(value: &mut Value, members: &[(&str, Value)]) {
    if let Some(object) = value.as_object_mut() {
        for (name, default) in members {
            object.entry(*name).or_insert_with(|| default.clone());
        }
    }
}

fn from_terms(terms: &Terms, place: &Place, screen: &Screen<'_>) -> Outcome<Agreement> {
    place.demand_card(&terms.peer, screen)?;
    let own = place.config()?.party;
    let usage = |reason: String| Failure::new(Exit::Usage, reason);
    let purposes = terms.purpose.iter().map(|text| purpose(text));
    let purposes = purposes.collect::<Result<Vec<_>, _>>().map_err(usage)?;
    let codes: Vec<String> = purposes
        .iter()
        .map(|purpose| purpose.code.clone())
        .collect();
    let flows = terms
        .flow
        .iter()
        .map(|spec| flow(spec, (&own, &terms.peer), &codes, terms));
    Ok(Agreement {
        format: Agreement::FORMAT.into(),
        id: terms.id.clone(),
        version: terms.version,
        title: terms.title.clone(),
        supersedes: supersedes(terms, place)?,
        parties: [
            party(
                &own,
                place,
                [&terms.document_number, &terms.signatory, &terms.officer],
            )?,
            party(
                &terms.peer,
                place,
                [
                    &terms.peer_document_number,
                    &terms.peer_signatory,
                    &terms.peer_officer,
                ],
            )?,
        ],
        effective: moment(&terms.from, &terms.zone, Day::First).map_err(usage)?,
        ends: moment(&terms.until, &terms.zone, Day::Last).map_err(usage)?,
        zone: terms.zone.clone(),
        legal_basis: terms.legal_basis.clone(),
        flows: flows.collect(),
        purposes,
        drain_days: terms.drain_days,
        dpia: terms.dpia.clone(),
        ext: Agreement::ext_of(terms.cards_by_chain),
        critical: Vec::new(),
    })
}

/// The digest of the version before, which must lie here.
fn supersedes(terms: &Terms, place: &Place) -> Outcome<Option<amanah_format::digest::Digest>> {
    let before = terms.version.saturating_sub(1);
    if before == 0 {
        return Ok(None);
    }
    let path = place
        .agreements()
        .join(papers::agreement_name(&terms.id, before));
    Ok(Some(papers::read_agreement(&path)?.0.digest()))
}

fn party(id: &PartyId, place: &Place, words: [&String; 3]) -> Outcome<Party> {
    let path = place.card(id);
    let card: VerifiedCard = papers::read_card(&path)?;
    if card.card().number != 1 {
        return Err(papers::malformed(
            &path,
            "an agreement pins a party's first card",
        ));
    }
    let [document_number, signatory, officer] = words.map(Clone::clone);
    Ok(Party {
        id: id.clone(),
        name: card.card().name.clone(),
        card: card.digest(),
        document_number,
        signatory,
        contact: card.card().contact.clone(),
        data_protection_officer: officer,
    })
}

fn purpose(text: &str) -> Result<PurposeText, String> {
    let (code, words) = text
        .split_once(':')
        .ok_or_else(|| format!("expected a purpose as CODE:TEXT, found {text:?}"))?;
    Ok(PurposeText {
        code: code.trim().into(),
        text: words.trim().into(),
    })
}

fn flow(
    spec: &FlowSpec,
    (own, peer): (&PartyId, &PartyId),
    purpose: &[String],
    terms: &Terms,
) -> Flow {
    let (from, to) = match spec.direction {
        Direction::Out => (own, peer),
        Direction::In => (peer, own),
    };
    Flow {
        name: spec.name.clone(),
        from: from.clone(),
        to: to.clone(),
        purpose: purpose.to_vec(),
        kind: FlowKind::Files,
        schema: None,
        import: None,
        totals: Vec::new(),
        bytes_max: spec.bytes_max,
        records_max: None,
        rhythm: None,
        lane: spec.lane,
        retention: Retention {
            days: spec.days,
            from: "settled".into(),
            action: "destroy".into(),
            legal_hold: false,
        },
        classification: terms.classification.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_has_a_code_and_words() {
        assert_eq!(purpose("a-b: teks: satu").unwrap().text, "teks: satu");
        assert!(purpose("teks").is_err());
    }

    #[test]
    fn what_a_person_leaves_out_of_a_file_is_put_in_and_the_rest_kept() {
        let value = completed(json!({"version": 2, "flows": [{"name": "a", "lane": "bulk"}]}));
        assert_eq!(value["version"], 2);
        assert_eq!(value["supersedes"], Value::Null);
        assert_eq!(value["flows"][0]["lane"], "bulk");
        assert_eq!(value["flows"][0]["kind"], "files");
        assert_eq!(completed(json!(1)), json!(1));
    }
}
