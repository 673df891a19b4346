//! Candidates that come later, from anywhere: refused, or within bounds and read again as they are written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_base::Candidate;
use tandem_sdp::{Fragment, MAX_MEDIA};

fuzz_target!(|data: &[u8]| {
    let Ok(fragment) = Fragment::parse(data) else { return };
    let candidates: usize = fragment.sections.iter().map(|section| section.candidates.len()).sum();
    assert!(candidates <= Candidate::MAX && fragment.sections.len() <= MAX_MEDIA);
    let written = fragment.write();
    if written.len() <= tandem_sdp::MAX_FRAGMENT {
        assert_eq!(Fragment::parse(written.as_bytes()), Ok(fragment));
    }
});
