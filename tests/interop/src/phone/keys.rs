use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tandem_base::{Srtp, SrtpKeying, SrtpMaster, SrtpSuite};

const SUITE: SrtpSuite = SrtpSuite::AesCm128HmacSha1_80;

/// What a phone encrypts with, as its SDP offers it (RFC 4568).
pub(super) struct Keys {
    master: Vec<u8>,
}

impl Default for Keys {
    /// Of no use to keep a secret: the same in every run.
    fn default() -> Self {
        Keys { master: (1..).take(SUITE.master_len()).collect() }
    }
}

impl Keys {
    /// The line of the offer.
    pub fn attribute(&self) -> String {
        format!("a=crypto:1 {} inline:{}", SUITE.name(), STANDARD.encode(&self.master))
    }

    /// Both ways, with the key that the answer brought.
    ///
    /// # Panics
    /// When it brought none, or not of the suite that was offered.
    pub fn with(&self, answer: &str) -> Srtp {
        let wanted = format!("a=crypto:1 {} inline:", SUITE.name());
        let theirs = answer.lines().find_map(|line| line.strip_prefix(&wanted));
        let theirs = theirs.unwrap_or_else(|| panic!("no {wanted} in {answer}"));
        let theirs = STANDARD.decode(theirs.split('|').next().unwrap().trim()).expect("base64");
        let keying = |master: &[u8]| SrtpKeying {
            master: SrtpMaster::new(SUITE, master).expect("key and salt"),
            mki: None,
            lifetime: None,
        };
        Srtp { suite: SUITE, send: keying(&self.master), receive: vec![keying(&theirs)] }
    }
}
