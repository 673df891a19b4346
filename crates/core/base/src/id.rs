use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// A call of one or two legs, as logs and records name it (`c17`). Never used twice in one process.
    CallId, "c"
);
id!(
    /// A leg: one party's media and signalling (`l17`). Never used twice in one process, so that a late
    /// message for a dead leg finds nobody.
    LegId, "l"
);
id!(
    /// A running conference (`m3`): one life of a room, from the first participant to the last.
    ConferenceId, "m"
);
id!(
    /// Which negotiation of a leg something belongs to; it grows with every accepted offer/answer.
    Epoch, "e"
);
