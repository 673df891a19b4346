//! A datagram as RTCP: taken apart to the last item, within bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_rtp::rtcp::{Compound, Packet};

fuzz_target!(|data: &[u8]| {
    let Ok(compound) = Compound::parse(data) else { return };
    let mut octets = 0;
    for packet in compound {
        octets += match packet {
            Packet::SenderReport { reports, .. } => reports.count() * 24,
            Packet::ReceiverReport { reports, .. } => reports.count() * 24,
            Packet::SourceDescription(description) => description.items().map(|item| item.text.len()).sum(),
            Packet::Goodbye(goodbye) => goodbye.sources().count() * 4 + goodbye.reason.len(),
            Packet::Application(raw)
            | Packet::TransportFeedback(raw)
            | Packet::PayloadFeedback(raw)
            | Packet::ExtendedReport(raw)
            | Packet::Other(raw) => raw.body.len(),
        };
    }
    assert!(octets <= data.len(), "{octets} octets out of {}", data.len());
});
