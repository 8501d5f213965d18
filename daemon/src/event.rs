//! What the log tells, as a closed list: each event has a name and an id that never change, so that a rule written for one
//! finds it in every version. docs/events.md is its table; a test holds the two together.

/// Declares events: `Name "name" "id" [fields];`.
macro_rules! events {
    ($($event:ident $name:literal $id:literal [$($field:literal)*];)+) => {
        /// An event of the log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Event {
            $(#[doc = concat!("`", $name, "`")] $event,)+
        }

        impl Event {
            /// All, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$event),+];

            /// The stable name, the field `event`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$event => $name,)+ }
            }

            /// The stable id (`MESSAGE_ID`, journald's 128 bits as hexadecimal digits).
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$event => $id,)+ }
            }

            /// What it tells beside its message.
            #[must_use]
            pub const fn fields(self) -> &'static [&'static str] {
                match self { $(Self::$event => &[$($field),*],)+ }
            }
        }
    };
}

events! {
    Ready "ready" "f6a6c4e7c5744109b2e5aa672f0f067c" ["party" "home"];
    Stopped "stopped" "a3e62b46b74847669e0f97e9b4f6ccdc" [];
    Halted "halted" "e792f5cfb27646af88790e610abd0786" [];
    ConfigurationRead "configuration-read" "087251a9094a44f48b3b187dd22f887a" [];
    ConfigurationRefused "configuration-refused" "c618ce199eba4cb3a334786594f8109c" [];
    Connected "connected" "6f02aab1f2144068892d4397724c2273" ["peer"];
    NotConnected "not-connected" "d9dc7fc6360d4cac86f4a3a898c3f1e0" ["peer" "failures"];
    StrangerRefused "stranger-refused" "e713c5d980d14b28930b0512990231e0" ["from" "user" "key"];
    Sealed "sealed" "6b26e362a24944b0b3a1bbae41136b52" ["bundle" "manifest" "peer" "flow" "bytes"];
    HandedOver "handed-over" "bbd8cf16dfd94b5085a7b97925ba9d16" ["manifest" "peer"];
    ReceiptVerified "receipt-verified" "c497d16887614082b145b9ab54be8da1" ["bundle" "manifest" "peer" "state"];
    ReceiptDoubtful "receipt-doubtful" "71cc005b51c84ee39be53d15eb57f6b5" ["peer" "manifest"];
    Settled "settled" "7c590ebf1d0b477a959098eb2474df73" ["bundle" "peer"];
    Returned "returned" "c05fed7e103d4e5bb93d01f7bd445258" ["bundle" "code"];
    Destroyed "destroyed" "9cbf25bd8f3a4d438f3600ae0bd94587" ["bundle" "manifest" "peer"];
    DestructionCertified "destruction-certified" "5c0f6f3a5d7b4f0f9d2b8a7c41e6d903" ["number" "peer" "document"];
    TakenOver "taken-over" "79206a213a3346838326b9945f0f0672" ["manifest" "peer" "state" "code"];
    TurnedAway "turned-away" "2cebe236768b4d36b0ad313ab4491584" ["peer" "manifest" "code"];
    Imported "imported" "113ae7e6d01a48fdb25f74865bce044a" ["manifest" "peer"];
    Unmatched "unmatched" "3d5c8f0a6b7e4f21a94c02d7e8b1c655" ["manifest" "peer" "flow" "dataset" "rows"];
    Refused "refused" "e67245f7cc4f43ffab45b97be123172e" ["manifest" "peer" "code"];
    Requested "requested" "38f803f738c2418abbd656dbfcb39476" ["verb" "owner"];
    CardCame "card-came" "fa7f4418cb3a4403a0d519a19ffa110f" ["peer" "number" "taken"];
    LedgerUnseen "ledger-unseen" "353e4a75bc8341fb8c9e6783bfcbdc34" ["peer" "since"];
    StageFailing "stage-failing" "b914fd2e34a74d9d98228e12de65b5be" ["stage" "failures"];
    Alarm "alarm" "8aa89e70e8a3441aab0fc2ee3a1cdfeb" ["code" "subject"];
    AlarmTold "alarm-told" "5a0acf6cb538417e88f50271df813145" ["code"];
    AlarmUntold "alarm-untold" "e1bf3ae0df5a42cf93389a5482afd1d4" ["code"];
}

impl Event {
    /// By its name; none where no event is called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|event| event.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_are_of_one_event_each_and_ids_are_128_bits() {
        for (place, event) in Event::ALL.iter().enumerate() {
            assert_eq!(Event::named(event.name()), Some(*event));
            let id = event.id();
            assert!(
                id.len() == 32
                    && id
                        .bytes()
                        .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
            );
            assert!(Event::ALL[..place].iter().all(|other| other.id() != id));
        }
        assert_eq!(Event::named("no-such-event"), None);
    }
}
