//! A datagram as RTP: every part lies within it, and the header is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_base::{AudioFormat, ClockRate, ExtensionId, OpusParams, Ssrc, Time};
use tandem_rtp::{Extension, Header, Packet, Reception, classify, payload};

fuzz_target!(|data: &[u8]| {
    let _ = classify(data);
    let Ok(packet) = Packet::parse(data) else { return };
    assert!(packet.payload.len() + 12 <= data.len());
    let csrcs: Vec<Ssrc> = packet.csrcs().collect();
    if let Some(extension) = packet.extension {
        assert!(
            extension.elements().map(|element| element.data.len()).sum::<usize>() <= extension.data.len()
        );
        rewrite(&packet, extension, &csrcs);
    } else if packet.payload.len() + 12 + csrcs.len() * 4 == data.len() {
        let mut out = vec![0; data.len()];
        let written = packet.header.write(&csrcs, &mut out).expect("room for the header");
        assert_eq!(out[..written], data[..written]);
    }
    for format in
        [AudioFormat::Pcmu, AudioFormat::Pcma, AudioFormat::G722, AudioFormat::Opus(OpusParams::default())]
    {
        let ticks = payload::ticks(format, packet.payload);
        assert!(ticks.is_none_or(|ticks| ticks > 0 && ticks <= 48_000 * 65));
    }
    receive(&packet, data.len());
});

/// Elements are written as they were read, in whatever form.
fn rewrite(packet: &Packet<'_>, extension: Extension<'_>, csrcs: &[Ssrc]) {
    let elements: Vec<_> = extension.elements().collect();
    for id in elements.iter().filter_map(|element| ExtensionId::new(element.id)) {
        assert!(packet.audio_level(id).is_none_or(|level| level.level <= 127));
    }
    let mut out = vec![0x5a; Header::extended_len(csrcs, &elements)];
    let len = packet.header.write_extended(csrcs, &elements, &mut out).expect("room for the header");
    assert_eq!(len, out.len());
    let again = Packet::parse(&out).expect("what was written");
    assert_eq!((again.header, again.payload.len()), (packet.header, 0));
    let read: Vec<_> = again.extension.into_iter().flat_map(|extension| extension.elements()).collect();
    assert_eq!(read, elements);
}

fn receive(packet: &Packet<'_>, octets: usize) {
    let mut reception = Reception::new();
    let mut header = packet.header;
    for n in 0..20u64 {
        reception.receive(&header, octets, ClockRate::HZ_8000, Time::from_millis(n * 20));
        let step = octets as u16 * n as u16;
        header.sequence = header.sequence.wrapping_add(1 + step % 5);
        header.timestamp = header.timestamp.wrapping_add(160);
    }
    let _ = (reception.report(Time::from_millis(500)), reception.statistics());
}
