//! Offers from anywhere: refused, or answered line by line; and our own offer answered by anything. Each with DTLS-SRTP
//! and without.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_base::{
    Candidate, Direction, Fingerprint, HashFunction, IceCredentials, IcePassword, IceUfrag, LocalMedia,
    SrtpPolicy, TlsId,
};
use tandem_sdp::{Capabilities, Local, LocalDtls, LocalIce, OwnKeys, accept_answer, answer, examine, offer};

fuzz_target!(|data: &[u8]| {
    // The octet 0xff, which no SDP has, parts a first offer from a second.
    let (first, second) = match data.iter().position(|octet| *octet == 0xff) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, data),
    };
    for dtls in [SrtpPolicy::Off, SrtpPolicy::Optional, SrtpPolicy::Required] {
        exchange(first, second, &Capabilities { dtls, ..Capabilities::default() });
    }
});

fn exchange(first: &[u8], second: &[u8], capabilities: &Capabilities) {
    let _ = examine(first, capabilities);
    let mut previous = None;
    for (number, bytes) in (0..).zip([first, second]) {
        if let Ok(answered) = answer(bytes, capabilities, &local(number), previous.as_ref()) {
            assert_eq!(lines(answered.sdp.as_bytes()), lines(bytes), "as many m-lines as were offered");
            assert!(!answered.negotiated.stream.receive.is_empty());
            if let Some(dtls) = &answered.negotiated.dtls {
                assert!((1..=Fingerprint::MAX).contains(&dtls.dtls.remote.len()));
                assert!(dtls.ice.as_ref().is_none_or(|ice| ice.remote.candidates.len() <= Candidate::MAX));
            }
            previous = Some(answered.negotiated);
        }
    }
    let ours = offer(capabilities, &local(2), previous.as_ref());
    let _ = accept_answer(&ours, first, previous.as_ref());
}

fn local(number: u8) -> Local {
    let media =
        LocalMedia { rtp: "192.0.2.1:20000".parse().unwrap(), rtcp: "192.0.2.1:20001".parse().unwrap() };
    let fresh = IceCredentials {
        ufrag: IceUfrag::new(&format!("our{number}")).unwrap(),
        password: IcePassword::new(&"p".repeat(22 + usize::from(number))).unwrap(),
    };
    let ice = LocalIce {
        fresh,
        restart: false,
        candidates: Vec::new(),
        lite: false,
        trickle: true,
        complete: false,
    };
    let dtls = LocalDtls {
        fingerprints: vec![Fingerprint::new(HashFunction::Sha256, &[7; 32]).unwrap()],
        new_id: TlsId::new(&"t".repeat(20 + usize::from(number))).unwrap(),
        ice: Some(ice),
        source: None,
    };
    let keys = OwnKeys::new([7; OwnKeys::LEN]);
    Local { session_id: 7, media, direction: Direction::SendRecv, keys, dtls: Some(dtls) }
}

/// Blanks around a line and before its equals sign are borne.
fn lines(sdp: &[u8]) -> usize {
    let text = String::from_utf8_lossy(sdp);
    let keys = text.split(['\n', '\r']).map(|line| line.split('=').next().unwrap_or(""));
    keys.filter(|key| key.trim() == "m").count()
}
