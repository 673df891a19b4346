//! Offers from anywhere: refused, or answered line by line; and our own offer answered by anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_base::{Direction, LocalMedia};
use tandem_sdp::{Capabilities, Local, OwnKeys, accept_answer, answer, examine, offer};

fuzz_target!(|data: &[u8]| {
    let capabilities = Capabilities::default();
    let media =
        LocalMedia { rtp: "192.0.2.1:20000".parse().unwrap(), rtcp: "192.0.2.1:20001".parse().unwrap() };
    let local =
        Local { session_id: 7, media, direction: Direction::SendRecv, keys: OwnKeys::new([7; OwnKeys::LEN]), dtls: None };
    // The octet 0xff, which no SDP has, parts a first offer from a second.
    let (first, second) = match data.iter().position(|octet| *octet == 0xff) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, data),
    };
    let _ = examine(first, &capabilities);
    let mut previous = None;
    for bytes in [first, second] {
        if let Ok(answered) = answer(bytes, &capabilities, &local, previous.as_ref()) {
            assert_eq!(lines(answered.sdp.as_bytes()), lines(bytes), "as many m-lines as were offered");
            assert!(!answered.negotiated.stream.receive.is_empty());
            previous = Some(answered.negotiated);
        }
    }
    let ours = offer(&capabilities, &local, previous.as_ref());
    let _ = accept_answer(&ours, first, previous.as_ref());
});

/// Blanks around a line and before its equals sign are borne.
fn lines(sdp: &[u8]) -> usize {
    let text = String::from_utf8_lossy(sdp);
    let keys = text.split(['\n', '\r']).map(|line| line.split('=').next().unwrap_or(""));
    keys.filter(|key| key.trim() == "m").count()
}
