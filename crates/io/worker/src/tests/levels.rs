//! Who is in the mix, and how loud (RFC 6465).

use tandem_base::{AudioFormat, AudioStream, ExtensionId, Ssrc};
use tandem_rtp::Packet;

use super::stage::{FOR_EVER, OPUS, Stage, conference};

use AudioFormat::Pcmu;

fn id(number: u8) -> ExtensionId {
    ExtensionId::new(number).unwrap()
}

/// A phone that wants to know levels.
fn join(stage: &mut Stage, format: AudioFormat, tone: Option<f64>, number: u8) -> usize {
    let with = |stream: &mut AudioStream| stream.extensions.mixer_levels = Some(id(number));
    stage.join_with(format, 20, tone, FOR_EVER, with)
}

/// Whom the last packet names, with their levels.
fn named(stage: &Stage, n: usize, number: u8) -> Vec<(Ssrc, u8)> {
    let datagram = stage.phones[n].packets.back().unwrap();
    let packet = Packet::parse(datagram).unwrap();
    let levels = packet.extension.and_then(|e| e.find(id(number))).unwrap_or_default();
    assert_eq!(levels.len(), packet.csrcs().count(), "one for each");
    packet.csrcs().zip(levels.iter().copied()).collect()
}

#[test]
fn each_contributor_is_named_with_its_level() {
    let mut stage = conference();
    let loud = join(&mut stage, Pcmu, Some(440.0), 5);
    let soft = stage.join(OPUS, 20, Some(617.0));
    stage.phones[loud].loudness = -10.0;
    stage.phones[soft].loudness = -30.0;
    let listeners = [
        (join(&mut stage, Pcmu, None, 5), 5),
        (join(&mut stage, Pcmu, None, 14), 14),
        (join(&mut stage, OPUS, None, 200), 200),
    ];
    stage.run(100);
    let [loud_ssrc, soft_ssrc] = [loud, soft].map(|n| stage.phones[n].ssrc);
    for (n, number) in listeners {
        // A full-scale sine is at 3.
        let named = named(&stage, n, number);
        let [(a, x), (b, y)] = named[..] else { panic!("{named:?}") };
        let ((_, of_loud), (_, of_soft)) = if a == loud_ssrc { ((a, x), (b, y)) } else { ((b, y), (a, x)) };
        assert!((12..=14).contains(&of_loud) && (31..=35).contains(&of_soft), "{named:?}");
        assert!(stage.phones[n].level(440.0, 500) > -20.0, "and it is heard");
    }
    let own = named(&stage, loud, 5);
    assert!(matches!(own[..], [(ssrc, 31..=35)] if ssrc == soft_ssrc), "{own:?}");
    let without = Packet::parse(stage.phones[soft].packets.back().unwrap()).unwrap();
    assert_eq!((without.csrcs().count(), without.extension), (1, None));
}

#[test]
fn where_nobody_speaks_there_is_no_extension() {
    let mut stage = conference();
    let n = join(&mut stage, Pcmu, None, 5);
    stage.run(20);
    assert_eq!(Packet::parse(stage.phones[n].packets.back().unwrap()).unwrap().extension, None);
}

#[test]
fn no_more_are_named_than_fit() {
    let mut stage = conference();
    stage.audio.loudest = 0;
    let listener = join(&mut stage, Pcmu, None, 255);
    for n in 0..18u32 {
        stage.join(Pcmu, 20, Some(300.0 + 50.0 * f64::from(n)));
    }
    stage.run(50);
    assert_eq!(named(&stage, listener, 255).len(), 15);
}
