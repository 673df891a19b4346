//! DTLS-SRTP, ICE and BUNDLE.

mod bad;
mod fragments;
mod golden;
mod offering;
mod properties;
mod restarts;

use tandem_base::*;

use super::*;

fn candidate(value: &str) -> Candidate {
    crate::candidate::read(value).unwrap()
}

fn print(octet: u8) -> Fingerprint {
    Fingerprint::new(HashFunction::Sha256, &[octet; 32]).unwrap()
}

/// Credentials that differ by their number.
fn credentials(number: u8) -> IceCredentials {
    let ufrag = IceUfrag::new(&format!("tdm{number}")).unwrap();
    IceCredentials { ufrag, password: IcePassword::new(&format!("{number:0>24}")).unwrap() }
}

/// Our side, with the secrets of the `number`th description.
fn ours(number: u8) -> LocalDtls {
    let ice = LocalIce {
        fresh: credentials(number),
        restart: false,
        candidates: vec![candidate("1 1 udp 2130706431 198.51.100.1 3478 typ host")],
        lite: false,
        trickle: true,
        complete: true,
    };
    LocalDtls {
        fingerprints: vec![print(0x11)],
        new_id: TlsId::new(&format!("tandem-{number:0>20}")).unwrap(),
        ice: Some(ice),
        source: Some(LocalSource { ssrc: Ssrc(4242), cname: Mid::new("tandem").unwrap() }),
    }
}

fn web(number: u8) -> Local {
    Local { dtls: Some(ours(number)), ..local() }
}

/// Without ICE.
fn phone() -> Local {
    Local { dtls: Some(LocalDtls { ice: None, ..ours(1) }), ..local() }
}

fn can(dtls: SrtpPolicy) -> Capabilities {
    Capabilities { dtls, ..Capabilities::default() }
}

fn answer_web(offer: &str, number: u8, previous: Option<&Negotiated>) -> Result<Answer, Refusal> {
    answer(crlf(offer).as_bytes(), &can(SrtpPolicy::Optional), &web(number), previous)
}

fn transport(negotiated: &Negotiated) -> &DtlsTransport {
    negotiated.dtls.as_ref().expect("DTLS-SRTP")
}

fn ice(negotiated: &Negotiated) -> &Ice {
    transport(negotiated).ice.as_ref().expect("ICE")
}

const PRINT: &str =
    "22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22:22";

/// A small offer as browsers make it; `more` stands at the m-line.
fn browser(more: &str) -> String {
    browser_with("actpass", PRINT, "brws", more)
}

fn browser_with(setup: &str, print: &str, ufrag: &str, more: &str) -> String {
    format!(
        "v=0
        o=- 1 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0
        m=audio 9 UDP/TLS/RTP/SAVPF 111 0
        c=IN IP4 0.0.0.0
        a=ice-ufrag:{ufrag}
        a=ice-pwd:{ufrag}{ufrag}{ufrag}{ufrag}{ufrag}{ufrag}
        a=ice-options:trickle
        a=fingerprint:sha-256 {print}
        a=setup:{setup}
        a=mid:0
        a=sendrecv
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        {more}"
    )
}
