//! Whether an agreement counts at a moment, and if not, why: what `show`, `list` and `import` say of it.
//! Signatures first, then revocation, dates and later versions: the order in which an officer asks.

use amanah_format::{
    agreement::{Agreement, AgreementFile},
    keyring::Keyring,
    time::UtcTime,
};
use amanahd::catalogue::{faces::agreement as face, moment};
use amanahd::engine::policy::Policy;

use crate::screen::Screen;

/// In force, or the first reason why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    InForce,
    /// These have not signed.
    Unsigned(String),
    /// A signature is wrong, or a card is missing.
    NotSigned(String),
    NotBegun(UtcTime),
    Ended(UtcTime),
    Revoked,
    /// Superseded by a later version, or in conflict with another text.
    SetAside,
}

impl Standing {
    /// Judges the text's dates and signatures; `policy` (where the configuration loads) knows of revocations and versions.
    pub(super) fn of(
        (file, text): (AgreementFile, &Agreement),
        keyring: &Keyring,
        policy: Option<&Policy>,
        now: UtcTime,
    ) -> Self {
        let digest = file.digest();
        if let Some(missing) = super::unsigned(&file, text) {
            return Self::Unsigned(missing);
        }
        // What the configuration has loaded was judged there, by the moment at which it was loaded first.
        if policy.is_none()
            && let Err(error) = file.verify(keyring, now)
        {
            return Self::NotSigned(error.to_string());
        }
        if policy.is_some_and(|policy| policy.is_revoked(&digest, now)) {
            Self::Revoked
        } else if now < text.effective {
            Self::NotBegun(text.effective)
        } else if now >= text.ends {
            Self::Ended(text.ends)
        } else if policy.is_some_and(|policy| !policy.in_force(&digest, now)) {
            Self::SetAside
        } else {
            Self::InForce
        }
    }

    /// A stable word for JSON.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::InForce => "in-force",
            Self::Unsigned(_) | Self::NotSigned(_) => "not-signed",
            Self::NotBegun(_) => "not-begun",
            Self::Ended(_) => "ended",
            Self::Revoked => "revoked",
            Self::SetAside => "set-aside",
        }
    }

    pub(super) fn sentence(&self, screen: &Screen<'_>) -> String {
        let wib = |time: &UtcTime| moment::wib(*time, screen.language);
        match self {
            Self::InForce => screen.text(face::IN_FORCE, &[]),
            Self::Unsigned(parties) => {
                let missing = screen.text(face::UNSIGNED, &[parties]);
                screen.text(face::NOT_SIGNED, &[&missing])
            }
            Self::NotSigned(reason) => {
                screen.text(face::NOT_SIGNED, &[&amanahd::catalogue::shown(reason)])
            }
            Self::NotBegun(at) => screen.text(face::NOT_BEGUN, &[&wib(at)]),
            Self::Ended(at) => screen.text(face::ENDED, &[&wib(at)]),
            Self::Revoked => screen.text(face::IS_REVOKED, &[]),
            Self::SetAside => screen.text(face::SET_ASIDE, &[]),
        }
    }
}
