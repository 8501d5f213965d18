//! A slip as it stands in JSON: `kind` names what shape `body` has. FORMAT.md §14.
//! serde cannot refuse unknown members of a flattened struct, so the two steps are taken here.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Body, HeldReason, Slip};
use crate::digest::Digest;
use crate::document::{Ext, from_part, nullable};
use crate::id::PartyId;
use crate::manifest::AgreementRef;
use crate::time::UtcTime;

/// The kinds of this version. Reserved: statement, agreement.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Held,
    Revocation,
    Resend,
    Void,
    Position,
    Checkpoint,
    Cosignature,
    Card,
}

/// The members of slip.json.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    format: String,
    kind: Kind,
    from: PartyId,
    to: PartyId,
    number: u64,
    created: UtcTime,
    expires: UtcTime,
    body: Value,
    ext: Ext,
    critical: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    manifest: Digest,
    reason: HeldReason,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    agreement: AgreementRef,
    reason: String,
    ledger_own: u64,
    #[serde(deserialize_with = "nullable")]
    ledger_peer: Option<u64>,
}

impl TryFrom<Wire> for Slip {
    type Error = serde_json::Error;

    fn try_from(wire: Wire) -> Result<Self, serde_json::Error> {
        let body = match wire.kind {
            Kind::Held => {
                let Held { manifest, reason } = from_part(wire.body)?;
                Body::Held { manifest, reason }
            }
            Kind::Revocation => {
                let body: Revocation = from_part(wire.body)?;
                Body::Revocation {
                    agreement: body.agreement,
                    reason: body.reason,
                    ledger_own: body.ledger_own,
                    ledger_peer: body.ledger_peer,
                }
            }
            Kind::Resend => Body::Resend(from_part(wire.body)?),
            Kind::Void => Body::Void(from_part(wire.body)?),
            Kind::Position => Body::Position(from_part(wire.body)?),
            Kind::Checkpoint => Body::Checkpoint(from_part(wire.body)?),
            Kind::Cosignature => Body::Cosignature(from_part(wire.body)?),
            Kind::Card => Body::Card(from_part(wire.body)?),
        };
        Ok(Self {
            format: wire.format,
            body,
            from: wire.from,
            to: wire.to,
            number: wire.number,
            created: wire.created,
            expires: wire.expires,
            ext: wire.ext,
            critical: wire.critical,
        })
    }
}

impl From<Slip> for Wire {
    fn from(slip: Slip) -> Self {
        let (kind, body) = match slip.body {
            Body::Held { manifest, reason } => {
                (Kind::Held, serde_json::to_value(Held { manifest, reason }))
            }
            Body::Revocation {
                agreement,
                reason,
                ledger_own,
                ledger_peer,
            } => {
                let body = Revocation {
                    agreement,
                    reason,
                    ledger_own,
                    ledger_peer,
                };
                (Kind::Revocation, serde_json::to_value(body))
            }
            Body::Resend(body) => (Kind::Resend, serde_json::to_value(body)),
            Body::Void(body) => (Kind::Void, serde_json::to_value(body)),
            Body::Position(body) => (Kind::Position, serde_json::to_value(body)),
            Body::Checkpoint(body) => (Kind::Checkpoint, serde_json::to_value(body)),
            Body::Cosignature(body) => (Kind::Cosignature, serde_json::to_value(body)),
            Body::Card(body) => (Kind::Card, serde_json::to_value(body)),
        };
        Self {
            format: slip.format,
            kind,
            from: slip.from,
            to: slip.to,
            number: slip.number,
            created: slip.created,
            expires: slip.expires,
            // INVARIANT: all bodies are structs of texts, integers and lists of them, which have a JSON form.
            body: body.unwrap_or_else(|error| unreachable!("a body without JSON form: {error}")),
            ext: slip.ext,
            critical: slip.critical,
        }
    }
}
