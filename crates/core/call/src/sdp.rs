use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tandem_sdp::Description;

/// A peer's session description as it came; empty where there was none.
///
/// `Debug` leaves out the keys of its `a=crypto` lines, as that of [`Description`] does.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sdp(Bytes);

impl<B: Into<Bytes>> From<B> for Sdp {
    fn from(octets: B) -> Self {
        Sdp(octets.into())
    }
}

impl Deref for Sdp {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Description::from(String::from_utf8_lossy(&self.0).into_owned()).fmt(f)
    }
}
